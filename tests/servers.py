"""Server processes of their own, to be killed, stopped and started again."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

import httpx
import psutil

from app.core.config import Settings

__all__ = ["REPOSITORY", "ServerProcess", "servers_on"]

REPOSITORY = Path(__file__).parents[1]


class ServerProcess:
    """A server of its own on the test's database, that can be killed. `log` is a file for what it logs."""

    def __init__(self, settings: Settings, *, log: Path | None = None, **changes: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port: int = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self._port}"
        given = settings.model_dump(
            include={"environment", "database_url", "redis_url", "data_dir", "public_url", "log_level"}
        )
        self._environment = {
            **os.environ,
            **{name.upper(): str(value) for name, value in given.items()},
            **dict.fromkeys(("DEMO", "WORKER", "RATE_LIMITS"), "false"),
            **changes,
        }
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        command = (sys.executable, "-m", "app", "serve", "--host", "127.0.0.1", "--port", str(self._port))
        with open(self._log, "ab") if self._log else nullcontext() as log:
            self._process = await asyncio.create_subprocess_exec(
                *command, cwd=REPOSITORY, env=self._environment, stdout=asyncio.subprocess.DEVNULL, stderr=log
            )

    @property
    def seen(self) -> psutil.Process:
        """The process as the system sees it: its memory, its connections."""
        assert self._process is not None
        return psutil.Process(self._process.pid)

    async def ready(self) -> None:
        """Waits until it answers. Raises RuntimeError when it has ended."""
        async with httpx.AsyncClient() as client:
            while True:
                if self._process is not None and self._process.returncode is not None:
                    raise RuntimeError(f"the server ended with {self._process.returncode}")
                try:
                    if (await client.get(f"{self.address}/readyz")).is_success:
                        return
                except httpx.TransportError:
                    await asyncio.sleep(0.05)

    def signal(self, number: signal.Signals) -> None:
        """Stops it for a while, or lets it go on."""
        assert self._process is not None
        self._process.send_signal(number)

    async def ended(self) -> int:
        """Waits until it has gone; its code."""
        assert self._process is not None
        return await self._process.wait()

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()


@asynccontextmanager
async def servers_on(
    settings: Settings, count: int, *, log: Path | None = None, **changes: str
) -> AsyncIterator[list[ServerProcess]]:
    servers = [ServerProcess(settings, log=log, **changes) for _ in range(count)]
    try:
        for server in servers:
            await server.start()
        await asyncio.gather(*(server.ready() for server in servers))
        yield servers
    finally:
        await asyncio.gather(*(server.kill() for server in servers))
