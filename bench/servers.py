"""Servers under measurement: each a process of its own, started on a free port and ended by its pid."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import psutil

__all__ = ["CpuClock", "Target", "free_port", "idle_memory", "server_memory", "serving", "started"]

CpuClock = Callable[[], float]
_READY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Target:
    """A running server."""

    host: str
    port: int
    process: psutil.Process

    def cpu(self) -> float:
        """Seconds of processor time that the process has used."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@asynccontextmanager
async def serving(application: str, environment: dict[str, str], *, ready: str) -> AsyncIterator[Target]:
    """uvicorn with an application given as `module:factory`, until the block ends."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", application, "--factory", "--port", str(port), "--no-access-log"]
    async with started([*command, "--log-level", "warning"], environment, port, ready=ready) as target:
        yield target


@asynccontextmanager
async def started(
    command: Sequence[str], environment: dict[str, str], port: int, *, ready: str
) -> AsyncIterator[Target]:
    """A server of any kind that listens on this port, until the block ends."""
    quiet = {"stdin": asyncio.subprocess.DEVNULL, "stdout": asyncio.subprocess.DEVNULL}
    child = await asyncio.create_subprocess_exec(*command, env={**os.environ, **environment}, **quiet)
    try:
        await _wait(f"http://127.0.0.1:{port}{ready}", child)
        yield Target("127.0.0.1", port, psutil.Process(child.pid))
    finally:
        child.terminate()
        await asyncio.wait_for(child.wait(), 20)


async def _wait(url: str, child: asyncio.subprocess.Process) -> None:
    async with httpx.AsyncClient() as client, asyncio.timeout(_READY_SECONDS):
        while True:
            if child.returncode is not None:
                raise RuntimeError(f"the server ended with {child.returncode}")
            try:
                if (await client.get(url)).status_code < 500:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def server_memory(process: psutil.Process) -> tuple[float, float]:
    """Resident MB of a process, and the proportional MB of its children (shared pages counted once)."""
    children = process.children(recursive=True)
    shared_once = sum(child.memory_full_info().pss for child in children)
    return process.memory_info().rss / 2**20, shared_once / 2**20


async def idle_memory(environment: dict[str, str], seconds: float) -> tuple[float, float]:
    """MB of a server of its own and of its databases, so many seconds after its first answer."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app", "serve", env=environment, stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout
    async with asyncio.timeout(120):
        while b"/docs" not in await child.stdout.readline():
            pass
    await asyncio.sleep(seconds)
    memory = server_memory(psutil.Process(child.pid))
    child.terminate()
    await asyncio.wait_for(child.wait(), 20)
    return memory
