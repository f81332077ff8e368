"""What the bundled servers share: one owner for each data folder, and a child process that never outlives it.

The process that gets a server's lock runs that server and stops it; every other process attaches.
"""

import asyncio
import contextlib
import ctypes
import functools
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, ClassVar

from app.core.bundled_host import Account, EmbeddedError, socket_folder

if sys.platform != "win32":
    import fcntl

__all__ = ["BundledServer", "EmbeddedError", "ask", "command_line", "eventually"]

TICK, PATIENCE, PROBE_TIMEOUT, ORPHANS_TIMEOUT = 0.02, 60.0, 2.0, 5.0
ANSWERS_TO_ATTACH = 5
LINES_SHOWN = 8
LOG_LIMIT = 10_000_000
PR_SET_PDEATHSIG = 1
REMEDIES = {
    "No space left on device": "Free some disk space and start again.",
    "user does not exist": "Give this user id a name in /etc/passwd, or set DATABASE_URL.",
    "Permission denied": "Make the folder writable for this user, or set DATA_DIR to another folder.",
}


class BundledServer:
    name: ClassVar[str]
    socket_name: ClassVar[str]
    farewells: ClassVar[tuple[tuple[str, float], ...]]  # the names of signals, and the seconds each is given

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
        self.log_path = data_dir / "logs" / f"{self.name}.log"
        self.folder = Path()
        self.account = Account()
        self._mark = f"soundscore-{self.name}-{self.digest}"
        self._lock_path = data_dir / f"{self.name}.lock"
        self._lock: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def socket(self) -> Path:
        return self.folder / self.socket_name

    async def answers(self) -> bool:
        raise NotImplementedError

    async def prepare(self) -> None:
        """Find the programs and put the data in place."""
        raise NotImplementedError

    def command(self) -> list[str]:
        raise NotImplementedError

    async def start(self) -> None:
        patience, answered = time.monotonic() + PATIENCE, 0
        while not self._claim():
            # More than once: an owner that was just killed holds its lock for some moments more.
            answered = answered + 1 if await self.answers() else 0
            if answered == ANSWERS_TO_ATTACH:
                return
            if time.monotonic() > patience:
                raise EmbeddedError(
                    f"The owner of {self._lock_path} has no {self.name} that answers: end that process."
                )
            await asyncio.sleep(TICK)
        self._rotate_log()
        await self.prepare()
        await self._end_orphan()
        await self._launch()

    def stop(self) -> None:
        """Blocks until the server has gone; an attached server is left alone."""
        if self._lock is None:
            return
        if self._process is not None:
            self._end(self._process)
        if self.folder.name == self._mark:
            shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()
        self._lock = None

    def died(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def _claim(self) -> bool:
        """Take the lock, which the kernel frees however its owner ends; or else learn where the owner's socket is."""
        lock = self._lock_path.open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with lock:
                self.folder = Path(_read_note(lock)[0])
            return False
        self._lock = lock
        self.account = Account.of_servers(self.data_dir)
        self.folder = socket_folder(self._mark, self.account)
        # No folder in the note until our own server answers: nobody must attach to one that is about to end.
        self._note("", self._noted_pid())
        return True

    def _note(self, folder: str, pid: int) -> None:
        if self._lock is not None:
            self._lock.truncate(0)
            self._lock.write(f"{folder}\n{pid}\n")
            self._lock.flush()

    def _noted_pid(self) -> int:
        return _read_note(self._lock)[1] if self._lock else 0

    def orphan(self) -> int:
        """The server of an owner that is dead, for its lock is ours; 0 if there is none."""
        pid = self._noted_pid()
        return pid if pid and self._mark in command_line(pid) else 0

    async def _end_orphan(self) -> None:
        for farewell, seconds in self.farewells:
            if pid := self.orphan():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.Signals[farewell])
                await eventually(lambda: not self.orphan(), seconds)

    def _rotate_log(self) -> None:
        if self.log_path.exists() and self.log_path.stat().st_size > LOG_LIMIT:
            self.log_path.replace(self.log_path.with_suffix(".log.1"))

    async def _launch(self) -> None:
        now = time.monotonic()
        patience, orphans = now + PATIENCE, now + ORPHANS_TIMEOUT
        process = self._run()
        while not await self.answers():
            if process.poll() is not None:
                # Backends of a killed postmaster leave on their own within moments.
                if "is still in use" not in self._said() or time.monotonic() > orphans:
                    raise self.failure("did not start")
                process = self._run()
            if time.monotonic() > patience:
                raise self.failure(f"did not answer within {PATIENCE:.0f} s")
            await asyncio.sleep(TICK)
        self._note(str(self.folder), process.pid)

    def _run(self) -> subprocess.Popen[bytes]:
        self._process = self.spawn(self.command())
        self._note("", self._process.pid)
        return self._process

    def spawn(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        # A session of its own, so that Ctrl-C reaches only us. Call it in the thread of the event loop: the kernel's
        # farewell comes when the thread that forked ends.
        farewell = signal.Signals[self.farewells[0][0]]
        with self.log_path.open("ab") as output:
            self._log_start = output.tell()
            return subprocess.Popen(  # noqa: S603
                command,
                cwd="/",
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=0o077,
                user=self.account.uid,
                group=self.account.gid,
                extra_groups=self.account.groups,
                preexec_fn=functools.partial(_end_with_parent, ctypes.CDLL(None), os.getpid(), farewell),  # noqa: PLW1509
            )

    def failure(self, what: str) -> EmbeddedError:
        said = self._said()
        last_lines = "\n".join(said.splitlines()[-LINES_SHOWN:])
        remedy = next((text for sign, text in REMEDIES.items() if sign in said), f"The whole log is {self.log_path}.")
        return EmbeddedError(f"The bundled {self.name} {what}. {remedy}\n{last_lines}")

    def _said(self) -> str:
        with self.log_path.open("rb") as written:
            written.seek(self._log_start)
            return written.read().decode(errors="replace")

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        for farewell, seconds in self.farewells:
            process.send_signal(signal.Signals[farewell])
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
                return


async def eventually(condition: Callable[[], bool], seconds: float) -> None:
    """Waits until the condition holds, at most so many seconds."""
    for _ in range(int(seconds / TICK)):
        if condition():
            return
        await asyncio.sleep(TICK)


async def ask(socket: Path, question: bytes) -> bytes:
    """What a server answers first on its socket; nothing if nobody is there."""
    try:
        async with asyncio.timeout(PROBE_TIMEOUT):
            reader, writer = await asyncio.open_unix_connection(str(socket))
            try:
                writer.write(question)
                return await reader.read(1024)
            finally:
                writer.close()
    except OSError:
        return b""


def command_line(pid: int) -> str:
    """How a process was started; nothing if there is none of that number."""
    # /proc first: small images have no ps.
    if Path("/proc/self/cmdline").exists():
        with contextlib.suppress(OSError):
            return os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes()).replace("\0", " ")
        return ""
    ps = ["ps", "-o", "args=", "-p", str(pid)]
    return subprocess.run(ps, check=False, capture_output=True, text=True).stdout  # noqa: S603


def _read_note(lock: IO[str]) -> tuple[str, int]:
    lock.seek(0)
    folder, pid = [*lock.read().splitlines(), "", ""][:2]
    return folder, int(pid) if pid.isdigit() else 0


def _environment() -> dict[str, str]:
    # Not ours: it holds secrets, and PG* variables change the server. C: the messages that are searched are English.
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}


def _end_with_parent(libc: ctypes.CDLL, parent: int, farewell: signal.Signals) -> None:
    """Runs in the child after the switch of user, which would clear this; it must take no lock and import nothing."""
    if sys.platform == "linux":
        libc.prctl(PR_SET_PDEATHSIG, farewell)
        if os.getppid() != parent:
            os._exit(1)
