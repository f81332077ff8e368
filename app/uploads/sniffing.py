"""What kind of audio some bytes are, whatever somebody calls them."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["ANNOUNCED", "EXTENSIONS", "HEAD", "TYPES", "Kind", "adts_frame", "sniff"]

Kind = Literal["mp3", "flac", "ogg", "wav", "mp4", "aac"]
HEAD = 64 * 1024
"""So many of the first bytes are looked at."""

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
_BITRATES = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0)
_BITRATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0)
_RATES = (44_100, 48_000, 32_000, 0)
_ADTS_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Adts:
    """A frame of raw AAC: how many bytes it has, and how many of its 1024 samples there are in a second."""

    length: int
    rate: int
    channels: int


def sniff(head: bytes) -> Kind | None:
    """The kind of audio that begins like this, or None for anything else."""
    if head.startswith(b"fLaC"):
        return "flac"
    if head.startswith((b"RIFF", b"RF64")) and head[8:12] == b"WAVE":
        return "wav"
    if head.startswith(b"OggS"):
        return "ogg" if any(codec in head[:4096] for codec in _OGG_CODECS) else None
    if head[4:8] == b"ftyp":
        return "mp4"
    if head.startswith(b"ID3"):
        return _after_tag(head)
    return _frames(head, 0)


def _after_tag(head: bytes) -> Kind | None:
    """ID3 tags stand before MP3, and sometimes before others. A picture in one may reach beyond what is looked at."""
    if len(head) < 10 or any(byte & 0x80 for byte in head[6:10]):
        return None
    length = 10 + sum(byte << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
    if length + 4 > len(head):
        return "mp3"
    rest = head[length:].lstrip(b"\0")
    return sniff(rest) if not rest.startswith(b"ID3") else None


def _frames(data: bytes, at: int) -> Kind | None:
    """MP3 or raw AAC: a frame, and another one where the first one ends."""
    for kind, frame in (("mp3", _mp3_frame), ("aac", _adts_length)):
        length = frame(data, at)
        if length and (at + length >= len(data) or frame(data, at + length)):
            return "mp3" if kind == "mp3" else "aac"
    return None


def _mp3_frame(data: bytes, at: int) -> int:
    """How long the frame of MPEG layer III is, or 0 if there is none."""
    header = data[at : at + 4]
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return 0
    version = header[1] >> 3 & 3  # 3 MPEG 1, 2 MPEG 2, 0 MPEG 2.5
    bitrate = (_BITRATES if version == 3 else _BITRATES_2)[header[2] >> 4]
    rate = _RATES[header[2] >> 2 & 3] >> {3: 0, 2: 1, 0: 2}.get(version, 99)
    if not bitrate or not rate:
        return 0
    return (144_000 if version == 3 else 72_000) * bitrate // rate + (header[2] >> 1 & 1)


def _adts_length(data: bytes, at: int) -> int:
    frame = adts_frame(data, at)
    return frame.length if frame else 0


def adts_frame(data: bytes, at: int) -> Adts | None:
    """The frame of raw AAC that begins there, if one does."""
    header = data[at : at + 7]
    if len(header) < 7 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
        return None
    rate = _ADTS_RATES[header[2] >> 2 & 15]
    length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    channels = (header[2] & 1) << 2 | header[3] >> 6
    return Adts(length, rate, channels) if rate and length > 7 else None
