"""A recording is as long as what is in its file, whatever the file says."""

import struct
from pathlib import Path

import pytest
from fastapi import FastAPI

from app.uploads.reading import Facts, Unreadable, read_facts
from app.uploads.renditions import wav_peaks
from tests.people import People
from tests.uploads.factories import adts, id3, mp3, upload, wav

FRAME = 1152 / 44.1


def facts_of(folder: Path, data: bytes, ending: str) -> Facts:
    path = folder / f"file.{ending}"
    path.write_bytes(data)
    return read_facts(path)


def with_length(data: bytes, said: int) -> bytes:
    """A WAV whose sound says that it is so long."""
    at = data.index(b"data") + 4
    return data[:at] + struct.pack("<I", said) + data[at + 4 :]


def with_summary(data: bytes, name: bytes, frames: int) -> bytes:
    """An MP3 with a first frame that says how many follow."""
    body = bytes([0xFF, 0xFB, 0x90, 0x00]) + b"\0" * 32
    body += name + struct.pack(">III", 3, frames, len(data)) if name != b"VBRI" else b"VBRI" + b"\0" * 6
    body += struct.pack(">II", len(data), frames) if name == b"VBRI" else b""
    return body.ljust(417, b"\0") + data


def flac(seconds: int, size: int) -> bytes:
    """Only what the header says, and so many bytes."""
    rate, samples = 44_100, 44_100 * seconds
    said = rate << 44 | 1 << 41 | 15 << 36 | samples
    return b"fLaC\x80\0\0\x22" + struct.pack(">HH6x", 4096, 4096) + said.to_bytes(8, "big") + b"\0" * 16 + b"\1" * size


@pytest.mark.parametrize("said", [2**32 - 1, 2**31 - 1, 3600 * 16_000])
def test_a_wav_has_the_length_of_its_bytes(said: int, tmp_path: Path) -> None:
    data = wav(1.0)[: 44 + 16_000]
    assert facts_of(tmp_path, with_length(data, said), "wav").duration_ms == 1000
    assert facts_of(tmp_path, data[: 44 + 8000], "wav").duration_ms == 500, "one that was cut off"
    peaks = wav_peaks(tmp_path / "file.wav")
    assert peaks
    assert min(peaks) > 0


async def test_what_a_file_makes_up_does_not_reach_the_track(app: FastAPI, people: People) -> None:
    done = await upload(app, await people.make("ana"), with_length(wav(0.5), 3600 * 16_000))
    assert (done["state"], 500 <= done["duration_ms"] < 510) == ("ready", True), done


@pytest.mark.parametrize("name", [b"Xing", b"Info", b"VBRI"])
@pytest.mark.parametrize("frames", [1, 3_000_000])
def test_an_mp3_has_the_length_of_its_frames(name: bytes, frames: int, tmp_path: Path) -> None:
    facts = facts_of(tmp_path, with_summary(mp3(80, tag=b""), name, frames), "mp3")
    assert (facts.duration_ms, facts.bitrate_kbps, facts.channels) == (round(80 * FRAME), 128, 2)


def test_frames_are_counted_behind_remains_and_of_any_bitrate(tmp_path: Path) -> None:
    loud = (bytes([0xFF, 0xFB, 0xA0, 0xC0]) + b"\0" * 518) * 40  # 160 kbit/s
    half = b"\xff\xfb\x90\x00" + b"remains" * 30
    data = id3("Both") + half + mp3(40, tag=b"") + loud + half + loud + b"TAG" + b" " * 125
    assert facts_of(tmp_path, data, "mp3").duration_ms == round(120 * FRAME)
    assert facts_of(tmp_path, data[:-300], "mp3").duration_ms == round(119 * FRAME), "the last one was cut off"
    assert facts_of(tmp_path, adts(50) + b"\0" * 300 + adts(40), "aac").duration_ms == round(90 * 1024 / 44.1)


def test_no_second_of_sound_is_in_so_few_bytes(tmp_path: Path) -> None:
    assert facts_of(tmp_path, flac(60, 8000), "flac").duration_ms == 60_000
    slow = bytearray(wav(1.0))
    slow[24:28] = struct.pack("<I", 1)
    for data, ending in ((flac(20 * 3600, 8000), "flac"), (bytes(slow), "wav")):
        with pytest.raises(Unreadable) as refused:
            facts_of(tmp_path, data, ending)
        assert refused.value.code == "damaged"
