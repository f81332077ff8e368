"""How long a recording is, by what is in its file: what it says of itself may be old, cut off, or made up."""

import struct
from dataclasses import dataclass

from app.uploads.frames import Bytes, find_frames, frame_at
from app.uploads.sniffing import HEAD, after_tags

__all__ = ["LEAST_BITS", "Sound", "measure_frames", "measure_wav"]

LEAST_BITS = 500
"""Bits of a second of sound, at the least: silence in FLAC has about a thousand. Fewer are a length that is made up."""
_LEAST_OF_WAV = 4000
_SUMMARIES = (b"Xing", b"Info", b"VBRI")
_PCM = {1, 3}
_EXTENSIBLE = 0xFFFE


@dataclass(frozen=True, slots=True)
class Sound:
    """How much sound there is, in how many bytes."""

    seconds: float
    size: int
    rate: int
    channels: int


def measure_frames(data: Bytes) -> Sound | None:
    """Counts the frames of MP3 or raw AAC; what stands between them is passed over, as players do."""
    tagged = after_tags(data)
    at = find_frames(data, tagged, tagged + HEAD)
    first = None if at is None else frame_at(data, at)
    if at is None or first is None:
        return None
    if any(name in data[at : at + 64] for name in _SUMMARIES):
        at += first.length
    seconds, size = 0.0, 0
    while at is not None:
        frame = frame_at(data, at)
        if frame is None or frame.kind != first.kind:
            at = find_frames(data, at + 1, len(data))
            continue
        at += frame.length
        if at <= len(data):
            seconds += frame.samples / frame.rate
            size += frame.length
    return Sound(seconds, size, first.rate, first.channels)


def measure_wav(data: Bytes) -> Sound | None:
    """By the bytes that are there: programs that write into a pipe do not know how many will come."""
    at, size = 12, 0
    form = (0, 0, 0)
    while at + 8 <= len(data):
        name, length = struct.unpack("<4sI", data[at : at + 8])
        at += 8
        if name == b"fmt ":
            form = _wav_format(data[at : at + min(length, 40)])
        elif name == b"data":
            size += min(length, len(data) - at)
        at += length + length % 2
    channels, rate, in_second = form
    return Sound(size / in_second, size, rate, channels) if in_second * 8 >= _LEAST_OF_WAV else None


def _wav_format(chunk: bytes) -> tuple[int, int, int]:
    """Channels, samples in a second, and bytes in a second."""
    if len(chunk) < 16:
        return 0, 0, 0
    form, channels, rate, in_second, _, bits = struct.unpack("<HHIIHH", chunk[:16])
    if form == _EXTENSIBLE and len(chunk) >= 26:
        (form,) = struct.unpack("<H", chunk[24:26])
    return channels, rate, rate * channels * ((bits + 7) // 8) if form in _PCM else in_second
