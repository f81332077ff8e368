"""Runs the application under uvicorn and drains it: nobody's request fails because the server stops."""

import asyncio
import signal
import socket
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from app.core.config import Settings

__all__ = ["Server", "port_is_free"]

NOTICE_SECONDS = 0.3
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Server(uvicorn.Server):
    """First says that it is going (not ready, `Connection: close`, streams told to reconnect), then goes."""

    def __init__(self, app: FastAPI, settings: Settings, *, certificate: tuple[str, str] | None = None) -> None:
        self._app = app
        certfile, keyfile = certificate or (None, None)
        super().__init__(
            uvicorn.Config(
                app,
                host=settings.host,
                port=settings.port,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=max(1, round(settings.shutdown_seconds - 1)),
                timeout_keep_alive=30,
                ssl_certfile=certfile,
                ssl_keyfile=keyfile,
            )
        )

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Instead of uvicorn's own, which raises the signal again before the embedded servers are stopped."""
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self.leave)
        try:
            yield
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

    def leave(self) -> None:
        """Starts to drain; called again, ends at once."""
        infra = getattr(self._app.state, "infra", None)
        if infra is None or infra.draining.is_set():
            self.force_exit = infra is not None
            self.should_exit = True
            return
        infra.drain()
        asyncio.get_running_loop().call_later(NOTICE_SECONDS, self._exit)

    def _exit(self) -> None:
        self.should_exit = True

    def address(self) -> tuple[str, int]:
        """Where it listens."""
        name = self.servers[0].sockets[0].getsockname()
        return name[0], name[1]


def port_is_free(host: str, port: int) -> bool:
    """Whether the port can be listened on."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
