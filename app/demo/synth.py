"""Plays the demo's pieces into WAV files, with nothing but the standard library.

Struck strings, more or less: each tone is a soft and a bright wave that die away, the bright one sooner; then a small
room around them. Run as a process of its own (`python -m app.demo.synth NUMBER FILE`), so that nobody waits for it.
"""

import json
import os
import struct
import sys
import wave
from array import array
from collections.abc import Iterable, Sequence
from io import BytesIO
from itertools import accumulate, islice, repeat
from math import pi, sin
from operator import add, mul
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Note", "length_ms", "notes", "perform", "read_pieces"]

RATE = 22_050
SIZE = 2048
ATTACK, RELEASE, STRUM, SILENCE = 0.006, 0.12, 0.012, 1.6
LONGEST = 3.5
PARTIALS_SOFT, PARTIALS_BRIGHT = (1.0, 0.28, 0.08), (0.0, 0.3, 0.42, 0.2, 0.12, 0.07)
LEFT, RIGHT = ((655, 0.77), (906, 0.72)), ((818, 0.74), (964, 0.7))
"""The echoes of the room: delays in samples, and what is left after each."""
WET, LOUDEST = 0.16, 30_000
STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
Piece = dict[str, Any]
Samples = Sequence[float]


class Note(NamedTuple):
    """A tone: when it begins and how long it is held in seconds, its key (69 is the A of 440 Hz), how loud it is."""

    at: float
    held: float
    key: int
    loudness: float


def read_pieces() -> list[Piece]:
    """The pieces, as they are written down."""
    pieces: list[Piece] = json.loads((Path(__file__).parent / "data" / "pieces.json").read_text("utf-8"))
    return pieces


def notes(piece: Piece) -> list[Note]:
    """All tones of a piece. A voice is a line of `E5:1`, `C4+E4+G4:2` or `r:.5`; lengths are in beats, and last."""
    beat, found = 60 / piece["tempo"], []
    for voice in piece["voices"]:
        at, beats = 0.0, 1.0
        for word in " ".join(voice["notes"]).split():
            names, _, given = word.partition(":")
            beats = float(given or beats)
            keys = [] if names == "r" else [_key(name) for name in names.split("+")]
            held = beats * beat * voice.get("legato", 1.0)
            found += [Note(at + STRUM * number, held, key, voice["loudness"]) for number, key in enumerate(keys)]
            at += beats * beat
    return found


def length_ms(piece: Piece) -> int:
    """How long the piece sounds."""
    return round(1000 * (max(note.at + note.held for note in notes(piece)) + SILENCE))


def perform(piece: Piece) -> bytes:
    """The piece as a WAV file in stereo, with its title and album inside."""
    dry = array("f", bytes(4 * (length_ms(piece) * RATE // 1000)))
    tones: dict[tuple[int, float], Samples] = {}
    for note in notes(piece):
        known = (note.key, note.loudness)
        if known not in tones:
            tones[known] = _tone(440 * 2 ** ((note.key - 69) / 12), note.loudness)
        _mix(dry, int(note.at * RATE), _held(tones[known], int(note.held * RATE)))
    return _file(piece, [_in_room(dry, echoes) for echoes in (LEFT, RIGHT)])


def _key(name: str) -> int:
    letter, octave = name.rstrip("0123456789"), int(name.lstrip("ABCDEFG#b"))
    return 12 * (octave + 1) + STEPS[letter[0]] + letter.count("#") - letter.count("b")


def _table(partials: Samples) -> list[float]:
    return [
        sum(share * sin(2 * pi * number * place / SIZE) for number, share in enumerate(partials, 1))
        for place in range(SIZE)
    ]


_SOFT: list[float] = []
_BRIGHT: list[float] = []


def _tone(frequency: float, loudness: float) -> list[float]:
    """A string that is struck and not damped. Low ones sound longer."""
    if not _SOFT:
        _SOFT.extend(_table(PARTIALS_SOFT))
        _BRIGHT.extend(_table(PARTIALS_BRIGHT))
    count, step = int(LONGEST * RATE), frequency * SIZE / RATE
    slow, fast = (0.5 ** (1 / (RATE * half * (220 / frequency) ** 0.35)) for half in (0.42, 0.11))
    soft, bright = (_dying(loudness * share, rate, count) for share, rate in ((1.0, slow), (0.8, fast)))
    places = [int(number * step) % SIZE for number in range(count)]
    tone = [a * _SOFT[place] + b * _BRIGHT[place] for a, b, place in zip(soft, bright, places, strict=True)]
    rise = int(ATTACK * RATE)
    return [*(sample * number / rise for number, sample in enumerate(tone[:rise])), *tone[rise:]]


def _dying(first: float, rate: float, count: int) -> Iterable[float]:
    return islice(accumulate(repeat(rate), mul, initial=first), count)


def _held(tone: Samples, count: int) -> list[float]:
    """The tone until it is let go."""
    fading = int(RELEASE * RATE)
    rest = tone[count : count + fading]
    return [*tone[:count], *(sample * (1 - number / fading) for number, sample in enumerate(rest))]


def _mix(into: "array[float]", start: int, tone: Samples) -> None:
    end = min(start + len(tone), len(into))
    into[start:end] = array("f", map(add, into[start:end], tone))


def _in_room(dry: "array[float]", echoes: Sequence[tuple[int, float]]) -> list[float]:
    heard = dry.tolist()
    for delay, kept in echoes:
        heard = list(map(add, heard, _echo(dry, delay, kept)))
    return heard


def _echo(dry: "array[float]", delay: int, kept: float) -> list[float]:
    """What comes back after the delay, and again, and again: piece by piece of its length."""
    back: list[float] = []
    last: list[float] = [0.0] * delay
    for start in range(0, len(dry), delay):
        back += last
        last = [WET * new + kept * old for new, old in zip(dry[start : start + delay], last, strict=False)]
    return back[: len(dry)]


def _file(piece: Piece, channels: Sequence[Samples]) -> bytes:
    scale = LOUDEST / max(max(map(abs, channel)) for channel in channels)
    frames = array("h", bytes(4 * len(channels[0])))
    for place, channel in enumerate(channels):
        frames[place::2] = array("h", [int(sample * scale) for sample in channel])
    if sys.byteorder == "big":
        frames.byteswap()
    made = BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(frames.tobytes())
    return _tagged(made.getvalue(), piece)


def _tagged(file: bytes, piece: Piece) -> bytes:
    """With a LIST chunk behind the sound, and the length of the whole at the front."""
    said = {"INAM": piece["title"], "IART": piece["artist"], "IPRD": piece["album"], "IGNR": piece["genre"]}
    said["ITRK"] = str(piece["position"])
    body = b"INFO" + b"".join(_chunk(name, text.encode() + b"\0") for name, text in said.items())
    file += _chunk("LIST", body)
    return file[:4] + struct.pack("<I", len(file) - 8) + file[8:]


def _chunk(name: str, body: bytes) -> bytes:
    return name.encode() + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


if __name__ == "__main__":
    os.nice(10)
    Path(sys.argv[2]).write_bytes(perform(read_pieces()[int(sys.argv[1])]))
