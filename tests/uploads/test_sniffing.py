"""What files are, whatever programs have left before the sound, and whatever browsers call them."""

from pathlib import Path
from random import Random

import pytest
from fastapi import FastAPI

from app.uploads.reading import read_facts
from app.uploads.sniffing import HEAD, sniff
from tests.people import People
from tests.uploads.factories import adts, announce, id3, mp3, send, upload

NOISE = Random(7).randbytes(1000).replace(b"\xff", b"\xfe")


@pytest.mark.parametrize(
    "before",
    [
        b"",
        id3("One"),
        id3("One") + id3("Two"),
        b"\0" * 300,
        id3("One") + b"\0" * 300,
        id3("One") + NOISE,
        id3("One", 200_000) + id3("Two"),
    ],
    ids=["nothing", "tag", "tags", "zeros", "padding", "junk", "large tags"],
)
def test_sound_is_found_behind_whatever_stands_before_it(before: bytes, tmp_path: Path) -> None:
    for kind, sound in (("mp3", mp3(80, tag=b"")), ("aac", adts(90))):
        path = tmp_path / f"file.{kind}"
        path.write_bytes(before + sound)
        facts = read_facts(path)
        assert (facts.kind, 2080 < facts.duration_ms < 2100) == (kind, True)
        assert kind == "aac" or facts.tags.get("title") == ("One" if before[:1] == b"I" else None)


@pytest.mark.parametrize(
    "data",
    [
        Random(1).randbytes(HEAD),
        b"\xff\xfb\x90\x00" + NOISE,
        b"\xff" * HEAD,
        NOISE + b"\xff\xfb\x90\x00" * 2 + NOISE,
        id3("One") + NOISE,
        id3("One", 1000),
        b"OggS" + b"\0" * 24 + b"\x80theora" + NOISE,
        NOISE + mp3(2, tag=b"") + NOISE,
    ],
)
def test_what_only_looks_like_sound_is_none(data: bytes) -> None:
    assert sniff(data) is None


@pytest.mark.parametrize("size", [10, HEAD - 40, 3 * HEAD])
async def test_a_picture_may_stand_before_any_sound(app: FastAPI, people: People, size: int) -> None:
    done = await upload(app, await people.make("ana"), id3("One", size) + adts(), content_type="audio/aac")
    assert (done["state"], done["audio_type"]) == ("ready", "audio/aac"), done


async def test_what_browsers_add_to_a_type_is_cut(app: FastAPI, people: People) -> None:
    ana, data = await people.make("ana"), mp3()
    ticket = await announce(ana, data, content_type='Audio/MPEG; codecs="mp3"')
    assert ticket["upload"]["headers"] == {"Content-Type": "Audio/MPEG"}
    assert (await send(app, ticket, data)).status_code == 204
    assert (await ana.post(f"/uploads/{ticket['id']}/finalise", json={})).status_code == 202
    await announce(ana, data, content_type="audio/ogg;codecs=opus")
    wrong = {"filename": "x", "content_type": "; codecs=opus", "size": 9}
    assert (await ana.post("/uploads", json=wrong)).status_code == 422
