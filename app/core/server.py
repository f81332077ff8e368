"""Runs the application under uvicorn and drains it: nobody's request fails because the server stops."""

import asyncio
import errno
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn
from fastapi import FastAPI

from app.core.config import Settings
from app.core.socket_protocol import SocketProtocol

__all__ = ["PortError", "Server", "bind"]

NOTICE_SECONDS = 0.3
LATECOMERS_SECONDS = (0.2, 0.6)
ENDING_SECONDS = 1.0


class PortError(RuntimeError):
    """The port cannot be listened on; the message says what to do."""


class Server(uvicorn.Server):
    """First says that it is going (not ready, `Connection: close`, streams told to reconnect), then goes.

    The application is opened and closed by the caller, who also connects signals with `leave`.
    """

    def __init__(
        self,
        app: FastAPI,
        settings: Settings,
        *,
        certificate: tuple[str, str] | None = None,
        ready: Callable[[], None] | None = None,
    ) -> None:
        self._app = app
        self._ready = ready
        certfile, keyfile = certificate or (None, None)
        super().__init__(
            uvicorn.Config(
                app,
                host=settings.host,
                port=settings.port,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                ws=SocketProtocol,
                ws_per_message_deflate=False,
                proxy_headers=False,
                timeout_graceful_shutdown=max(1, round(settings.shutdown_seconds - ENDING_SECONDS)),
                timeout_keep_alive=30,
                ssl_certfile=certfile,
                ssl_keyfile=keyfile,
            )
        )

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leaves signals alone: uvicorn would raise them again before the embedded servers are stopped."""
        yield

    def leave(self) -> None:
        """Starts to drain; called again, ends at once."""
        infra = self._app.state.infra
        if infra.draining.is_set():
            self.force_exit = self.should_exit = True
            return
        infra.drain()
        asyncio.get_running_loop().call_later(NOTICE_SECONDS, self._exit)

    def _exit(self) -> None:
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listens, then tells so."""
        await super().startup(sockets)
        if self._ready is not None:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Takes no more connections, answers what is on its way over the open ones, then closes them."""
        # A second handle: closing the only one would reset the connections that wait to be accepted.
        listeners = [listener.dup() for listener in sockets or ()]
        for server in self.servers:
            server.close()
        for listener in listeners:
            await self._accept_last(listener)
        await self._await_latecomers()
        await super().shutdown(sockets)

    async def _await_latecomers(self) -> None:
        """Requests may be on their way: for certain over connections that have had none yet."""
        least, most = LATECOMERS_SECONDS
        loop = asyncio.get_running_loop()
        started = loop.time()
        while not self.force_exit and (waited := loop.time() - started) < most:
            new = any(getattr(connection, "cycle", self) is None for connection in self.server_state.connections)
            if waited >= least and not new:
                return
            await asyncio.sleep(0.02)

    async def _accept_last(self, listener: socket.socket) -> None:
        accepted = []
        with listener, suppress(BlockingIOError):
            listener.setblocking(False)
            while True:
                accepted.append(listener.accept()[0])
        for connection in accepted:
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, connection, ssl=self.config.ssl)

    def _protocol(self) -> asyncio.Protocol:
        make: Any = self.config.http_protocol_class
        protocol: asyncio.Protocol = make(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return protocol

    def address(self) -> tuple[str, int]:
        """Where it listens."""
        name = self.servers[0].sockets[0].getsockname()
        return name[0], name[1]


def bind(host: str, port: int) -> socket.socket:
    """A socket on that port, kept from now on. Raises PortError with a remedy."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise PortError(f"HOST={host} is no address: {error.strerror}. Use 127.0.0.1, or 0.0.0.0 for all.") from error
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(0)
    except OSError as error:
        bound.close()
        raise PortError(_remedy(host, port, error)) from error
    return bound


def _remedy(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        other = port + 1 if port < 65535 else port - 1
        return (
            f"Port {port} on {host} is in use. Choose another one with --port {other} (or PORT={other}), "
            "or end the program that uses it."
        )
    if error.errno == errno.EACCES:
        return f"This user may not listen on port {port}. Choose one above 1023, for example --port 8000."
    return f"Cannot listen on {host}:{port}: {error.strerror}. HOST must be an address of this machine."
