"""What a file says of itself: how long it is, its tags, what it is a recording of."""

import mmap
import re
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinytag import TinyTag, TinyTagException

from app.uploads.lengths import LEAST_BITS, Sound, measure_frames, measure_wav
from app.uploads.sniffing import Kind, sniff

__all__ = ["Facts", "Unreadable", "line", "read_cover", "read_facts"]

LONGEST_MS = 24 * 3600 * 1000
MOST_CHARACTERS = 300
MOST_OF_LYRICS = 20_000
_TEXTS = ("title", "artist", "album", "albumartist", "genre", "year", "composer")
_NUMBERS = ("track", "disc")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")
_FRAMED = {"mp3", "aac"}
_MEASURED = _FRAMED | {"wav"}
_VIDEO = b"hdlr\0\0\0\0\0\0\0\0vide"


class Unreadable(Exception):
    """The file is not what it should be: `code` and a sentence for its owner."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a recording."""

    kind: Kind
    duration_ms: int
    bitrate_kbps: int | None = None
    sample_rate: int | None = None
    channels: int | None = None
    tags: dict[str, Any] = field(default_factory=dict)


def read_facts(path: Path) -> Facts:
    """Reads a whole file; slow, so not for the event loop. Raises Unreadable."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        kind = sniff(data)
        measured = _measure(data, kind)
    if kind is None:
        raise Unreadable("not_audio", "This is no MP3, FLAC, Ogg, WAV, M4A or AAC file.")
    if kind == "mp4" and _has_video(path):
        raise Unreadable("not_audio", "This is a video. Upload its sound alone.")
    facts = _read_tagged(path, kind, measured)
    if not 0 < facts.duration_ms <= LONGEST_MS:
        raise Unreadable("damaged", "The file is damaged: no sound was found in it.")
    if path.stat().st_size * 8000 < facts.duration_ms * LEAST_BITS:
        raise Unreadable("damaged", "The file is damaged: it is too small for the length that it says.")
    return facts


def read_cover(path: Path) -> bytes | None:
    """The front cover in the tags of a file, or the picture there of which nothing is said; as slow as `read_facts`."""
    try:
        images = TinyTag.get(path, tags=True, duration=False, image=True).images
    except Exception:  # the recording is no worse for pictures that nobody can read
        return None
    covers = [images.front_cover, *images.other.get("generic", [])]
    return next((image.data for image in covers if image is not None and image.data), None)


def line(value: Any, most: int = MOST_CHARACTERS) -> str | None:
    """A text of somebody else's in one line that can be stored, or None if nothing is left of it."""
    text = " ".join(_CONTROL.sub(" ", str(value)[: 20 * most]).split())[:most].strip()
    return text or None


def _measure(data: mmap.mmap, kind: Kind | None) -> Sound | None:
    """What the file need not be asked for."""
    if kind == "wav":
        return measure_wav(data)
    return measure_frames(data) if kind in _FRAMED else None


def _read_tagged(path: Path, kind: Kind, measured: Sound | None) -> Facts:
    """Raw AAC has tags of MP3, if any. Sound that was found is no worse for tags that nobody can read."""
    asked = kind not in _MEASURED
    try:
        tag = TinyTag.get(path, tags=True, duration=asked, image=False)
    except (TinyTagException, struct.error, ValueError, LookupError, OSError, ArithmeticError, TypeError) as error:
        if measured is None:
            raise Unreadable("damaged", "The file is damaged: it cannot be read to its end.") from error
        tag = TinyTag()
    seconds = measured.seconds if measured else tag.duration or 0
    return Facts(
        kind=kind,
        duration_ms=round(seconds * 1000),
        bitrate_kbps=_whole(measured.size / 125 / seconds if measured and seconds else tag.bitrate),
        sample_rate=_whole(measured.rate if measured else tag.samplerate),
        channels=_whole(measured.channels if measured else tag.channels),
        tags=_tags(tag),
    )


def _tags(tag: Any) -> dict[str, Any]:
    texts = {name: line(value) for name in _TEXTS if (value := getattr(tag, name, None)) is not None}
    numbers = {name: _whole(getattr(tag, name, None)) for name in _NUMBERS}
    told = texts | numbers | {"lyrics": _lyrics(tag)}
    return {name: value for name, value in told.items() if value}


def _lyrics(tag: Any) -> str | None:
    """The words, line by line; with times where the file has them so."""
    words = getattr(tag, "other", {}).get("lyrics") or [""]
    lines = [_CONTROL.sub(" ", text).strip() for text in str(words[0])[: 4 * MOST_OF_LYRICS].splitlines()]
    return "\n".join(lines).strip()[:MOST_OF_LYRICS] or None


def _whole(value: Any) -> int | None:
    return round(value) if isinstance(value, int | float) and 0 < value < 2**31 else None


def _has_video(path: Path) -> bool:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(_VIDEO) >= 0
