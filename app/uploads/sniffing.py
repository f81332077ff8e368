"""What kind of audio some bytes are, whatever somebody calls them."""

import re
from typing import Literal

from app.uploads.frames import Bytes, find_frames, frame_at

__all__ = ["ANNOUNCED", "EXTENSIONS", "HEAD", "TYPES", "Kind", "after_tags", "sniff"]

Kind = Literal["mp3", "flac", "ogg", "wav", "mp4", "aac"]
HEAD = 64 * 1024
"""So many of the first bytes are looked at, those of tags aside."""

TYPES: dict[Kind, str] = {
    "mp3": "audio/mpeg",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "wav": "audio/wav",
    "mp4": "audio/mp4",
    "aac": "audio/aac",
}
"""How each kind is served."""
EXTENSIONS: dict[Kind, str] = {"mp3": "mp3", "flac": "flac", "ogg": "ogg", "wav": "wav", "mp4": "m4a", "aac": "aac"}
ANNOUNCED: dict[str, Kind] = {
    **{name: kind for kind, name in TYPES.items()},
    "audio/mp3": "mp3",
    "audio/x-flac": "flac",
    "audio/opus": "ogg",
    "audio/vorbis": "ogg",
    "application/ogg": "ogg",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/vnd.wave": "wav",
    "audio/m4a": "mp4",
    "audio/x-m4a": "mp4",
    "audio/aacp": "aac",
}
"""What browsers and players call them."""

_OGG_CODECS = (b"OpusHead", b"\x01vorbis", b"\x7fFLAC", b"Speex   ")
_ID3 = re.compile(rb"ID3[^\xff]{2}(?P<flags>.)(?P<size>[\x00-\x7f]{4})", re.DOTALL)
_NOT_ZERO = re.compile(rb"[^\0]")


def sniff(data: Bytes) -> Kind | None:
    """The kind of audio that begins like this, or None for anything else."""
    at = after_tags(data)
    head = data[at : at + 4096]
    if head.startswith(b"fLaC"):
        return "flac"
    if head.startswith((b"RIFF", b"RF64")) and head[8:12] == b"WAVE":
        return "wav"
    if head.startswith(b"OggS"):
        return "ogg" if any(codec in head for codec in _OGG_CODECS) else None
    if head[4:8] == b"ftyp":
        return "mp4"
    frames = find_frames(data, at, at + HEAD)
    found = None if frames is None else frame_at(data, frames)
    return found.kind if found else None


def after_tags(data: Bytes) -> int:
    """Where the first byte is that is not of an ID3 tag or of the zeros behind one.

    They stand before MP3, and sometimes before others; programs that add one leave the last one there. A picture in one
    may reach beyond what is looked at.
    """
    at = 0
    while (tag := _ID3.match(data, at)) is not None:
        footer = 10 if tag["flags"][0] & 0x10 else 0
        at += 10 + sum(byte << shift for byte, shift in zip(tag["size"], (21, 14, 7, 0), strict=True)) + footer
        sound = _NOT_ZERO.search(data, at)
        at = sound.start() if sound else max(at, len(data))
    return at
