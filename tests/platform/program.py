"""The program as people start it: a process of its own with its own data folder."""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from app.core.valkey import Valkey
from tests import clock
from tests.rules.sources import ROOT

START_SECONDS = 60


@dataclass
class Ended:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


def environment(data_dir: Path, **changes: str) -> dict[str, str]:
    """The environment of a newcomer: nothing of ours is set."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}}
    quick = {"PASSWORD_HASH_MEMORY_KIB": "8", "RATE_LIMITS": "false", "PYTHONWARNINGS": "default"}
    return kept | quick | {"PYTHONPATH": str(ROOT), "DATA_DIR": str(data_dir)} | changes


async def begin(data_dir: Path, *words: str, stdin: int | None = None, **changes: str) -> Process:
    """Starts `python -m app ...` in the folder above its data, so that no .env is found."""
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "app",
        *words,
        stdin=stdin,
        stdout=PIPE,
        stderr=PIPE,
        cwd=data_dir.parent,
        env=environment(data_dir, **changes),
    )


async def run(data_dir: Path, *words: str, said: str | None = None, **changes: str) -> Ended:
    """Runs a command to its end."""
    process = await begin(data_dir, *words, stdin=None if said is None else PIPE, **changes)
    async with asyncio.timeout(START_SECONDS):
        out, err = await process.communicate(None if said is None else said.encode())
    return Ended(process.returncode or 0, out.decode(), err.decode())


class Running:
    """A server that is ready."""

    def __init__(self, process: Process, welcome: str, url: str) -> None:
        self.process, self.welcome, self.url = process, welcome, url

    async def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[float, Ended]:
        """Sends a signal; how long it took to end, and how."""
        started = clock.now()
        self.process.send_signal(number)
        async with asyncio.timeout(20):
            out, err = await self.process.communicate()
        return clock.now() - started, Ended(self.process.returncode or 0, out.decode(), err.decode())


@asynccontextmanager
async def served(data_dir: Path, *words: str, **changes: str) -> AsyncIterator[Running]:
    """`python -m app serve` on a free port, without demo data; killed at the end if it still runs."""
    changes = {"PORT": "0", "DEMO": "false"} | changes
    process = await begin(data_dir, "serve", *words, **changes)
    try:
        yield await _ready(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def _ready(process: Process) -> Running:
    assert process.stdout is not None
    welcome = ""
    async with asyncio.timeout(START_SECONDS):
        while "Ctrl-C" not in welcome:
            line = (await process.stdout.readline()).decode()
            if not line:
                _, err = await process.communicate()
                raise AssertionError(f"it did not start: {err.decode()}")
            welcome += line
    address = re.search(r"ready at (\S+)", welcome)
    assert address is not None, welcome
    return Running(process, welcome, address.group(1))


def left_behind(data_dir: Path) -> list[str]:
    """Command lines of the bundled servers that still run for this folder."""
    marks = (f"{data_dir.resolve()}/", Valkey(data_dir.resolve()).digest)
    lines = map(_command_line, Path("/proc").glob("[0-9]*"))
    return [line for line in lines if any(mark in line for mark in marks)]


def _command_line(folder: Path) -> str:
    try:
        return (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
