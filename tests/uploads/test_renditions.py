"""Waveforms and smaller renditions: made where ffmpeg is installed; WAV files have their waveform without."""

import shutil
import struct
import subprocess
import wave
from pathlib import Path

import pytest
from fastapi import FastAPI

from app.uploads.reading import Unreadable, read_facts
from app.uploads.renditions import PEAKS, wav_peaks
from app.uploads.sniffing import sniff
from tests.conftest import http_client
from tests.people import People
from tests.uploads.factories import adts, mp3, upload, wav

NEEDS_FFMPEG = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")


@pytest.mark.parametrize(("width", "code", "loud"), [(1, "B", 255), (2, "h", 32767), (4, "i", 2**31 - 1)])
def test_peaks_of_wav_files(tmp_path: Path, width: int, code: str, loud: int) -> None:
    silence = 128 if width == 1 else 0
    half = (loud + silence) // 2
    samples = [silence] * 1000 + [half] * 1000 + [loud] * 2000
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(width)
        file.setframerate(8000)
        file.writeframes(struct.pack(f"<4000{code}", *samples))
    peaks = wav_peaks(tmp_path / "a.wav")
    assert peaks is not None
    assert len(peaks) == PEAKS
    assert set(peaks[:100]) == {0}
    assert all(49 <= peak <= 51 for peak in peaks[100:200])
    assert all(peak >= 99 for peak in peaks[200:])


def test_what_is_no_wav_has_no_peaks(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF\0\0\0\0WAVEnothing")
    assert wav_peaks(tmp_path / "a.wav") is None


async def test_without_ffmpeg(app: FastAPI, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    ana = await people.make("ana")
    sound, other = await upload(app, ana), await upload(app, ana, mp3(), content_type="audio/mpeg")
    waveform = (await ana.get(f"/tracks/{sound['id']}/waveform")).json()
    assert waveform["duration_ms"] == 500
    assert len(waveform["peaks"]) == PEAKS
    assert 30 <= max(waveform["peaks"]) <= 40
    missing = await ana.get(f"/tracks/{other['id']}/waveform")
    assert (missing.status_code, missing.json()["code"]) == (404, "no_waveform")
    assert sound["formats"] == other["formats"] == []
    whole, small = [(await ana.get(f"/tracks/{other['id']}/stream?format={name}")) for name in ("original", "opus")]
    assert whole.content == small.content, "without such a rendition it is the original"


async def test_health_says_whether_ffmpeg_is_there(
    app: FastAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for path, state, detail in ((tmp_path, "up", str(program)), (tmp_path / "nowhere", "degraded", "no ffmpeg: ")):
        monkeypatch.setenv("PATH", str(path))
        async with http_client(app) as client:
            answer = await client.get("http://soundscore.test/readyz")
        (part,) = [part for part in answer.json()["parts"] if part["name"] == "renditions"]
        assert (answer.status_code, part["state"]) == (200, state)
        assert part["detail"].startswith(detail)


@NEEDS_FFMPEG
@pytest.mark.parametrize(
    ("name", "types"),
    [
        ("a.flac", ("audio/flac", "audio/flac")),
        ("a.ogg", ("audio/ogg", "audio/ogg")),
        ("a.opus", ("audio/opus", "audio/ogg")),
        ("a.m4a", ("audio/x-m4a", "audio/mp4")),
        ("a.aac", ("audio/aac", "audio/aac")),
        ("a.mp3", ("audio/mp3", "audio/mpeg")),
    ],
)
async def test_with_ffmpeg_whatever_it_is(
    app: FastAPI, people: People, tmp_path: Path, name: str, types: tuple[str, str]
) -> None:
    tone = ["-f", "lavfi", "-i", "sine=frequency=440:duration=2"]
    subprocess.run(
        ["ffmpeg", "-v", "error", *tone, "-metadata", "title=A tone", str(tmp_path / name)],
        check=True,
    )
    ana = await people.make("ana")
    done = await upload(app, ana, (tmp_path / name).read_bytes(), content_type=types[0], filename=name)
    assert (done["state"], done["audio_type"]) == ("ready", types[1]), done
    assert 1900 <= done["duration_ms"] <= 2200
    assert done["track"]["title"] == ("a" if name == "a.aac" else "A tone")
    done = (await ana.get(f"/uploads/{done['id']}")).json()
    assert sorted(done["formats"]) == (["opus"] if name == "a.mp3" else ["mp3", "opus"])
    assert len((await ana.get(f"/tracks/{done['id']}/waveform")).json()["peaks"]) == PEAKS
    whole = await ana.get(f"/tracks/{done['id']}/stream")
    for wanted, found in (("mp3", "mp3"), ("opus", "ogg")):
        answer = await ana.get(f"/tracks/{done['id']}/stream?format={wanted}")
        assert sniff(answer.content) == found
        part = await ana.get(f"/tracks/{done['id']}/stream?format={wanted}", headers={"Range": "bytes=5-99"})
        assert part.content == answer.content[5:100]
        if wanted in done["formats"]:
            assert answer.headers["etag"] != whole.headers["etag"]


def test_kinds_by_content() -> None:
    for data, kind in (
        (wav(), "wav"),
        (mp3(), "mp3"),
        (mp3()[20:][mp3()[20:].index(b"\xff\xfb") :], "mp3"),
        (adts(), "aac"),
        (b"fLaC" + b"\0" * 40, "flac"),
        (b"OggS" + b"\0" * 24 + b"OpusHead", "ogg"),
        (b"OggS" + b"\0" * 24 + b"\x80theora", None),
        (b"\0\0\0\x20ftypM4A ", "mp4"),
        (b"ID3\x03\0\0\xff\0\0\0", None),
        (b"ID3", None),
        (b"\xff\xfb\x90\0" + b"\xff" * 3000, None),
        (b"\xff\xd8\xff\xe0JFIF", None),
        (b"\x89PNG\r\n\x1a\n", None),
        (b"<html>", None),
        (b"#EXTM3U\nfile:///etc/passwd", None),
        (b"", None),
    ):
        assert sniff(data) == kind, data[:20]


def test_a_video_is_no_audio(tmp_path: Path) -> None:
    (tmp_path / "a.m4a").write_bytes(b"\0\0\0\x18ftypisom\0\0\0\0isomiso2" + b"hdlr\0\0\0\0\0\0\0\0vide" + b"\0" * 99)
    with pytest.raises(Unreadable) as refused:
        read_facts(tmp_path / "a.m4a")
    assert refused.value.code == "not_audio"
