"""Frames of MP3 and raw AAC: such files are nothing but frames, with anything at all before them."""

import re
from dataclasses import dataclass
from functools import lru_cache
from mmap import mmap
from typing import Literal

__all__ = ["Bytes", "Frame", "find_frames", "frame_at"]

Bytes = bytes | mmap

_SYNC = re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb\xf0\xf1\xf8\xf9]")
_RUN = 3
"""So many frames in a row are no chance: what is not there at once is looked for by them."""
_BITRATES = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0)
_BITRATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0)
_RATES = (44_100, 48_000, 32_000, 0)
_HALVED = {3: 0, 2: 1, 0: 2}
_ADTS_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Frame:
    """How many bytes it has, and how many samples of how many there are in a second. 0 channels: not said."""

    kind: Literal["mp3", "aac"]
    length: int
    samples: int
    rate: int
    channels: int

    def goes_on_with(self, other: "Frame | None") -> bool:
        """Whether the other one may be of the same recording."""
        return other is not None and (self.kind, self.rate) == (other.kind, other.rate)


def frame_at(data: Bytes, at: int) -> Frame | None:
    """The frame that begins there, if one does."""
    header = data[at : at + 7]
    if len(header) < 4 or header[0] != 0xFF:
        return None
    return _mp3_frame(header[:4]) if header[1] & 0xE6 == 0xE2 else _adts_frame(header)


def find_frames(data: Bytes, start: int, end: int) -> int | None:
    """Where the first frames in a row begin; at the start two will do, or one that is all there is."""
    if (first := frame_at(data, start)) is not None:
        after = start + first.length
        if after >= len(data) or first.goes_on_with(frame_at(data, after)):
            return start
    for found in _SYNC.finditer(data, start, end):
        if _is_run(data, found.start()):
            return found.start()
    return None


def _is_run(data: Bytes, at: int) -> bool:
    frame = frame_at(data, at)
    for _ in range(_RUN - 1):
        if frame is None:
            return False
        at += frame.length
        following = frame_at(data, at)
        if not frame.goes_on_with(following):
            return False
        frame = following
    return True


@lru_cache(maxsize=1024)
def _mp3_frame(header: bytes) -> Frame | None:
    """MPEG layer III: the headers of one file are few."""
    version = header[1] >> 3 & 3  # 3 MPEG 1, 2 MPEG 2, 0 MPEG 2.5
    bitrate = (_BITRATES if version == 3 else _BITRATES_2)[header[2] >> 4]
    rate = _RATES[header[2] >> 2 & 3] >> _HALVED.get(version, 99)
    if not bitrate or not rate:
        return None
    samples = 1152 if version == 3 else 576
    length = samples * 125 * bitrate // rate + (header[2] >> 1 & 1)
    return Frame("mp3", length, samples, rate, 1 if header[3] >> 6 == 3 else 2)


def _adts_frame(header: bytes) -> Frame | None:
    if len(header) < 7 or header[1] & 0xF6 != 0xF0:
        return None
    rate = _ADTS_RATES[header[2] >> 2 & 15]
    length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    channels = (header[2] & 1) << 2 | header[3] >> 6
    return Frame("aac", length, 1024, rate, channels) if rate and length > 7 else None
