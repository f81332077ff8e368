"""A real RabbitMQ on loopback, to be killed and started again: Debian's package, its own folder, ports and name."""

import asyncio
import os
import secrets
import shutil
import signal
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil
import pytest

__all__ = ["RabbitServer", "rabbit_server"]

SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
START_SECONDS = 90
# one or two cores, shared with everything else that is tested: no thread waits by spinning
ERLANG = "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none"
CONFIGURATION = """
listeners.tcp.1 = 127.0.0.1:{port}
loopback_users = none
disk_free_limit.absolute = 50MB
log.file = false
log.console = true
log.console.level = error
raft.wal_max_size_bytes = 4194304
"""


class RabbitServer:
    """One node. `url` is where it listens; queues that are older than a second outlive `kill` and `start`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port, self._peers, self._names = (_free_port() for _ in range(3))
        self._node = f"soundscore-{secrets.token_hex(4)}@localhost"
        self._server: asyncio.subprocess.Process | None = None
        self._register: asyncio.subprocess.Process | None = None
        self.url = f"amqp://guest:guest@127.0.0.1:{self._port}/"

    async def start(self) -> None:
        """Returns when it takes connections. Raises TimeoutError with what it last said."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "rabbitmq.conf").write_text(CONFIGURATION.format(port=self._port))
        (self._folder / "enabled_plugins").write_text("[].")
        if self._register is None:
            # its register of names would otherwise outlive it as a daemon of the whole machine
            self._register = await self._run("epmd", "-port", str(self._names), "-address", "127.0.0.1")
        self._server = await self._run(str(SERVER))
        try:
            async with asyncio.timeout(START_SECONDS):
                while not await self._answers():
                    await asyncio.sleep(0.1)
        except TimeoutError:
            said = (self._folder / "output").read_text(errors="replace")
            raise TimeoutError(f"RabbitMQ did not start: {said[-2000:]}") from None

    async def kill(self) -> None:
        """Ends it as a power cut does."""
        await _end(self._server)
        self._server = None

    def signal(self, number: signal.Signals) -> None:
        """Stops it for a while, or lets it go on."""
        assert self._server is not None
        for child in psutil.Process(self._server.pid).children(recursive=True):
            child.send_signal(number)

    async def close(self) -> None:
        """Ends everything that was started."""
        await self.kill()
        await _end(self._register)

    async def _run(self, *command: str) -> asyncio.subprocess.Process:
        given = {
            "RABBITMQ_NODENAME": self._node,
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self._port),
            "RABBITMQ_DIST_PORT": str(self._peers),
            "RABBITMQ_CONFIG_FILE": str(self._folder / "rabbitmq"),
            "RABBITMQ_CONF_ENV_FILE": str(self._folder / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(self._folder / "data"),
            "RABBITMQ_LOG_BASE": str(self._folder / "logs"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ERLANG,
            "ERL_EPMD_PORT": str(self._names),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "HOME": str(self._folder),
        }
        with (self._folder / "output").open("ab") as output:
            return await asyncio.create_subprocess_exec(
                *command, cwd=self._folder, env={**os.environ, **given}, stdout=output, stderr=output
            )

    async def _answers(self) -> bool:
        if self._server is None or self._server.returncode is not None:
            said = (self._folder / "output").read_text(errors="replace")
            raise RuntimeError(f"RabbitMQ ended: {said[-2000:]}")
        with suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            try:
                writer.write(b"AMQP\x00\x00\x09\x01")
                async with asyncio.timeout(2):
                    return await reader.readexactly(1) == b"\x01"
            finally:
                writer.close()
        return False


async def _end(process: asyncio.subprocess.Process | None) -> None:
    """Kills what the scripts of the package started; they end with it, or are killed as well."""
    if process is None or process.returncode is not None:
        return
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                child.send_signal(signal.SIGKILL)
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), 2)
    if process.returncode is None:
        process.kill()
        await process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


@asynccontextmanager
async def rabbit_server() -> AsyncIterator[RabbitServer]:
    """A node of the test's own. Skips where RabbitMQ is not installed."""
    if not SERVER.exists() or shutil.which("epmd") is None:
        pytest.skip("RabbitMQ is not installed: apt-get install rabbitmq-server (.ci/run does it on a bare machine)")
    with tempfile.TemporaryDirectory(prefix="soundscore-rabbit-", ignore_cleanup_errors=True) as folder:
        server = RabbitServer(Path(folder))
        try:
            await server.start()
            yield server
        finally:
            await server.close()
