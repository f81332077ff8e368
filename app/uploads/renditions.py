"""What is made of a recording for players: peaks for its waveform, and smaller renditions where ffmpeg is installed."""

import asyncio
import shutil
import sys
import wave
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import structlog
from pydantic import BaseModel
from sqlalchemy import select, update

from app.core.health import Degraded
from app.core.ids import uuid7
from app.core.infra import Infra, opened
from app.core.jobs import job
from app.integrations.storage import storage
from app.uploads.fetching import bring
from app.uploads.models import Upload

__all__ = ["PEAKS", "SAFELY", "Recorded", "make_renditions", "peaks_of", "wav_peaks"]

PEAKS = 400
SECONDS = 600.0
LONGEST_SECONDS = 24 * 3600
SAFELY = ("-nostdin", "-v", "error", "-y", "-protocol_whitelist", "file", "-threads", "1")
"""ffmpeg reads local files alone: a playlist in disguise leads nowhere."""
_RATE = 8000
_WAV_HEADER = 44
_ENCODERS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "opus": ("ogg", "audio/ogg", ("-c:a", "libopus", "-b:a", "96k")),
    "mp3": ("mp3", "audio/mpeg", ("-c:a", "libmp3lame", "-q:a", "2")),
}
"""By the name of a format: its extension, its type, and what ffmpeg is told."""
_ARE_ALREADY = {"audio/mpeg": "mp3"}
log = structlog.get_logger()


class Recorded(BaseModel):
    """Which upload."""

    upload_id: UUID


@job(tries=2, seconds=1800.0, at_most=2)
async def make_renditions(infra: Infra, recorded: Recorded) -> None:
    """Without ffmpeg a WAV still has its waveform, and everything is served as it is."""
    upload = await infra.db.reader.one(select(Upload).filter_by(id=recorded.upload_id, state="ready"))
    if upload is None or upload.audio_type is None:
        return
    with TemporaryDirectory(prefix="rendition-") as folder:
        source = Path(folder) / "source"
        await bring(infra, upload.key, source)
        peaks = await peaks_of(source, upload.audio_type)
        made = await _encode(source, upload.audio_type) if shutil.which("ffmpeg") else {}
        renditions = [await _keep(infra, name, path) for name, path in made.items()]
    now = update(Upload).where(Upload.id == upload.id, Upload.state == "ready")
    async with infra.db.write() as db:
        kept = await db.scalar(now.values(peaks=peaks, renditions=renditions).returning(Upload.id))
    unused = upload.renditions if kept else renditions
    for rendition in unused:
        await infra.part(storage).delete(rendition["key"])


@opened
@asynccontextmanager
async def encoder(infra: Infra) -> AsyncIterator[None]:
    """Has `/health` say whether ffmpeg is there."""
    infra.checks["renditions"] = _look
    yield


async def _look() -> str:
    """Raises Degraded."""
    found = shutil.which("ffmpeg")
    if found is None:
        raise Degraded("no ffmpeg: uploads are played as they are, and only WAV files have waveforms")
    return found


async def peaks_of(path: Path, audio_type: str) -> list[int] | None:
    """The waveform of a file, or None if nobody here can decode it."""
    if shutil.which("ffmpeg"):
        decoded = path.with_suffix(".pcm")
        arguments = (
            "-i",
            str(path),
            "-vn",
            "-ac",
            "1",
            "-ar",
            str(_RATE),
            *_at_most(2 * _RATE),
            "-f",
            "s16le",
            str(decoded),
        )
        if await _ffmpeg(*arguments):
            return await asyncio.to_thread(_pcm_peaks, decoded)
    return await asyncio.to_thread(wav_peaks, path) if audio_type == "audio/wav" else None


def wav_peaks(path: Path) -> list[int] | None:
    """The waveform of a WAV of 8, 16 or 32 bits; None for one that Python cannot read."""
    try:
        with wave.open(str(path), "rb") as file:
            width, channels = file.getsampwidth(), file.getnchannels()
            there = (path.stat().st_size - _WAV_HEADER) // (width * channels)
            frames = min(file.getnframes(), there)  # it may say that it has more
            if width not in _SAMPLES or frames <= 0:
                return None
            peaks = []
            for part in range(min(PEAKS, frames)):
                count = (part + 1) * frames // min(PEAKS, frames) - part * frames // min(PEAKS, frames)
                peaks.append(_peak(file.readframes(count), width))
    except (wave.Error, EOFError):
        return None
    return peaks if channels else None


_SAMPLES = {1: "B", 2: "h", 4: "i"}


def _peak(raw: bytes, width: int) -> int:
    """0 to 100. WAV is little-endian, and unsigned with 8 bits."""
    samples: array[int] = array(_SAMPLES[width])
    samples.frombytes(raw[: len(raw) // width * width])
    if not samples:
        return 0
    if sys.byteorder == "big":
        samples.byteswap()
    middle = 128 if width == 1 else 0
    loudest = max(max(samples) - middle, middle - min(samples))
    return min(100, round(100 * loudest / (1 << (8 * width - 1))))


def _pcm_peaks(path: Path) -> list[int]:
    frames = path.stat().st_size // 2
    parts = min(PEAKS, frames)
    with path.open("rb") as file:
        sizes = [(part + 1) * frames // parts - part * frames // parts for part in range(parts)]
        return [_peak(file.read(size * 2), 2) for size in sizes]


async def _encode(source: Path, audio_type: str) -> dict[str, Path]:
    """Files by the names of their formats; what ffmpeg cannot make is left out."""
    made: dict[str, Path] = {}
    for name, (extension, _, codec) in _ENCODERS.items():
        target = source.with_name(f"{name}.{extension}")
        already = _ARE_ALREADY.get(audio_type) == name
        if not already and await _ffmpeg(
            "-i", str(source), "-vn", "-map_metadata", "-1", *codec, *_at_most(20_000), str(target)
        ):
            made[name] = target
    return made


def _at_most(bytes_per_second: int) -> tuple[str, ...]:
    """Where to end: what a file says of its length is not what is in it."""
    return "-t", str(LONGEST_SECONDS), "-fs", str(LONGEST_SECONDS * bytes_per_second)


async def _ffmpeg(*arguments: str) -> bool:
    """Whether ffmpeg did what it was told."""
    process = await asyncio.create_subprocess_exec(
        "ffmpeg", *SAFELY, *arguments, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(SECONDS):
            _, told = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        log.warning("ffmpeg_too_slow", seconds=SECONDS)
        return False
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        log.warning("ffmpeg_failed", reason=told.decode(errors="replace")[-300:])
    return process.returncode == 0


async def _keep(infra: Infra, name: str, path: Path) -> dict[str, Any]:
    extension, audio_type, _ = _ENCODERS[name]
    key = f"audio/{uuid7().hex}-{name}.{extension}"
    await infra.part(storage).put(key, _pieces(path), content_type=audio_type)
    stored = await infra.part(storage).stat(key)
    return {"format": name, "key": key, "size": stored.size if stored else 0, "audio_type": audio_type}


async def _pieces(path: Path) -> Any:
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, 256 * 1024):
            yield piece
