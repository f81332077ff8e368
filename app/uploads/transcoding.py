"""Recordings made smaller while they are sent: by ffmpeg, as fast as it can, into a file that is sent while it grows.

So a process lasts for seconds, however long somebody listens, and few of them are enough for many listeners.
"""

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Literal
from uuid import UUID

from app.core.errors import Unavailable
from app.core.infra import Infra, opened
from app.uploads.fetching import bring
from app.uploads.renditions import SAFELY

__all__ = ["Encoding", "Transcoding", "can_transcode", "transcode", "transcoders"]

MOST_OPEN = 8
"""So many one person may be sent at once: each is a file on disk until it is sent."""
WAIT_SECONDS = 3.0
"""So long somebody waits for a process to be free."""
LONGEST_SECONDS = 1800.0
LOOK_SECONDS = 0.05
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Encoding:
    """What is made: from which second on, and whether each second takes the same."""

    format: Literal["mp3", "opus"]
    kbps: int
    offset: int = 0
    is_steady: bool = False

    def arguments(self) -> tuple[str, ...]:
        """What ffmpeg is told of its output."""
        rate = ("-b:a", f"{self.kbps}k")
        if self.format == "mp3":
            return ("-c:a", "libmp3lame", *rate, "-write_xing", "0", "-id3v2_version", "0", "-f", "mp3")
        return ("-c:a", "libopus", *rate, "-vbr", "off" if self.is_steady else "on", "-f", "ogg")


class Transcoding:
    """What is being made. Whoever has it reads it to its end, and calls `end` whatever happens."""

    def __init__(self, places: "_Places", person_id: UUID, folder: Path, process: asyncio.subprocess.Process) -> None:
        self.person_id = person_id
        self._places, self._folder, self._process = places, folder, process
        self._file = (folder / "made").open("rb", buffering=0)
        self._work = asyncio.create_task(self._tend(), name="transcoding")
        places.open.add(self)

    async def read(self) -> bytes:
        """The next piece; none at the end, which that of a damaged file is where nobody can read on.

        Raises OSError if nothing was made, or the process was ended from outside.
        """
        while True:
            is_all = self._work.done()
            piece = await asyncio.to_thread(self._file.read, _CHUNK)
            if piece or is_all:
                break
            await asyncio.wait([self._work], timeout=LOOK_SECONDS)
        code = self._process.returncode
        if not piece and code and (code < 0 or not self._file.tell()):
            raise OSError(f"ffmpeg ended with {code}")
        return piece

    async def end(self) -> None:
        """Ends the process if it still works, and lets go of the file."""
        self._places.open.discard(self)
        self._kill()
        await asyncio.wait([self._work])
        self._file.close()

    async def _tend(self) -> None:
        """Until the process has ended. Who reads has the file open: it may lose its name."""
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self._kill()
            await self._process.wait()
        finally:
            self._places.leave(self.person_id)
            shutil.rmtree(self._folder, ignore_errors=True)

    def _kill(self) -> None:
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()


class _Places:
    """How many processes there may be, for everybody and for one person."""

    def __init__(self, most: int) -> None:
        self._most, self._each = most, max(1, most // 2)
        self._working: Counter[UUID] = Counter()
        self._freed = asyncio.Event()
        self.open: set[Transcoding] = set()

    async def enter(self, person_id: UUID) -> None:
        """Raises Unavailable when none gets free in time."""
        if sum(transcoding.person_id == person_id for transcoding in self.open) >= MOST_OPEN:
            raise Unavailable("You are being sent too many recordings at once.", retry_after=30)
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while self._working.total() >= self._most or self._working[person_id] >= self._each:
                    self._freed.clear()
                    await self._freed.wait()
        except TimeoutError:
            raise Unavailable("Too many recordings are being made smaller. Try again shortly.", retry_after=5) from None
        self._working[person_id] += 1

    def leave(self, person_id: UUID) -> None:
        """The process has ended."""
        self._working -= Counter([person_id])
        self._freed.set()


@opened
@asynccontextmanager
async def transcoders(infra: Infra) -> AsyncIterator[_Places]:
    """The places of this process of the server."""
    places = _Places(infra.settings.transcodes)
    try:
        yield places
    finally:
        for transcoding in list(places.open):
            await transcoding.end()


def can_transcode(infra: Infra) -> bool:
    """Whether recordings can be made smaller while they are sent."""
    return infra.settings.transcodes > 0 and shutil.which("ffmpeg") is not None


async def transcode(infra: Infra, person_id: UUID, key: str, encoding: Encoding, *, most_bytes: int) -> Transcoding:
    """Begins to make a recording smaller. Raises Unavailable when there is no place, FileNotFoundError."""
    places = infra.part(transcoders)
    await places.enter(person_id)
    folder = Path(mkdtemp(prefix="stream-"))
    try:
        # whole, and on disk: some files say at their end where their sound is, and some stores give no seekable file
        await bring(infra, key, folder / "source")
        process = await _ffmpeg(folder, encoding, most_bytes)
        return Transcoding(places, person_id, folder, process)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        places.leave(person_id)
        raise


async def _ffmpeg(folder: Path, encoding: Encoding, most_bytes: int) -> asyncio.subprocess.Process:
    source = ("-ss", str(encoding.offset), "-i", str(folder / "source"))
    sound = ("-map", "0:a:0", "-map_metadata", "-1", "-fs", str(most_bytes))  # what it says of its length may be wrong
    with (folder / "made").open("wb") as made:
        return await asyncio.create_subprocess_exec(
            *("ffmpeg", *SAFELY, *source, *sound, *encoding.arguments(), "pipe:1"),
            stdout=made,
            stderr=asyncio.subprocess.DEVNULL,
        )
