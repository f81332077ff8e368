"""Recordings made smaller while they are sent: a few processes of ffmpeg, each for as long as somebody listens."""

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
from app.uploads.renditions import LONGEST_SECONDS, SAFELY

__all__ = ["Encoding", "Transcoding", "can_transcode", "transcode", "transcoders"]

WAIT_SECONDS = 3.0
"""So long somebody waits for a process to be free."""
SILENT_SECONDS, IDLE_SECONDS = 60.0, 600.0
"""How long ffmpeg may give nothing, and how long a listener may take nothing: a pause, after which they ask again."""
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
    """A process that was started. Whoever has it reads it to its end, and calls `end` whatever happens."""

    def __init__(self, process: asyncio.subprocess.Process, places: "_Places", person_id: UUID, folder: Path) -> None:
        self._process, self._places, self._person_id = process, places, person_id
        self._folder = folder
        self._ended = False
        self._alarm: asyncio.TimerHandle | None = None
        places.running.add(self)

    async def read(self) -> bytes:
        """The next piece; none at the end. Raises OSError if it was not the end of the recording."""
        self._wake()
        try:
            assert self._process.stdout is not None
            async with asyncio.timeout(SILENT_SECONDS):
                piece = await self._process.stdout.read(_CHUNK)
                code = 0 if piece else await self._process.wait()
        except TimeoutError:
            raise OSError("ffmpeg gave nothing for too long") from None
        if code:
            raise OSError(f"ffmpeg ended with {code}")
        return piece

    async def end(self) -> None:
        """Ends the process, wherever it is, and makes its place free."""
        if self._ended:
            return
        self._ended = True
        if self._alarm is not None:
            self._alarm.cancel()
        self._places.running.discard(self)
        self._places.leave(self._person_id)
        with suppress(ProcessLookupError):
            self._process.kill()
        shutil.rmtree(self._folder, ignore_errors=True)
        assert self._process.stdout is not None
        while await self._process.stdout.read(_CHUNK):
            pass  # what it had written: nothing waits for a pipe that is never emptied
        await self._process.wait()

    def _wake(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        if not self._ended:
            self._alarm = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._places.give_up, self)


class _Places:
    """How many processes there may be, for everybody and for one person."""

    def __init__(self, most: int) -> None:
        self._most, self._each = most, max(1, most // 2)
        self._people: Counter[UUID] = Counter()
        self._freed = asyncio.Event()
        self._ending: set[asyncio.Task[None]] = set()
        self.running: set[Transcoding] = set()

    async def enter(self, person_id: UUID) -> None:
        """Raises Unavailable when none gets free in time."""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while self._people.total() >= self._most or self._people[person_id] >= self._each:
                    self._freed.clear()
                    await self._freed.wait()
        except TimeoutError:
            raise Unavailable("Too many recordings are being made smaller. Try again shortly.", retry_after=5) from None
        self._people[person_id] += 1

    def leave(self, person_id: UUID) -> None:
        self._people -= Counter([person_id])
        self._freed.set()

    def give_up(self, transcoding: Transcoding) -> None:
        """Nobody takes what this one makes."""
        task = asyncio.create_task(transcoding.end())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def close(self) -> None:
        for transcoding in list(self.running):
            await transcoding.end()
        await asyncio.gather(*self._ending)


@opened
@asynccontextmanager
async def transcoders(infra: Infra) -> AsyncIterator[_Places]:
    """The places of this process of the server."""
    places = _Places(infra.settings.transcodes)
    try:
        yield places
    finally:
        await places.close()


def can_transcode(infra: Infra) -> bool:
    """Whether recordings can be made smaller while they are sent."""
    return infra.settings.transcodes > 0 and shutil.which("ffmpeg") is not None


async def transcode(infra: Infra, person_id: UUID, key: str, encoding: Encoding) -> Transcoding:
    """Begins to make a recording smaller. Raises Unavailable when there is no place, FileNotFoundError."""
    places = infra.part(transcoders)
    await places.enter(person_id)
    folder = Path(mkdtemp(prefix="stream-"))
    try:
        # whole, and on disk: some files say at their end where their sound is, and some stores give no seekable file
        await bring(infra, key, folder / "source")
        process = await _ffmpeg(folder / "source", encoding)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        places.leave(person_id)
        raise
    return Transcoding(process, places, person_id, folder)


async def _ffmpeg(source: Path, encoding: Encoding) -> asyncio.subprocess.Process:
    sound = ("-map", "0:a:0", "-map_metadata", "-1", "-t", str(LONGEST_SECONDS))
    return await asyncio.create_subprocess_exec(
        *("ffmpeg", *SAFELY, "-ss", str(encoding.offset), "-i", str(source), *sound, *encoding.arguments(), "pipe:1"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
