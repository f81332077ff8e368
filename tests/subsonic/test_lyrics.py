"""Words of songs, plain and with times."""

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from sqlalchemy import update

from app.catalog.models import Track
from app.compat.subsonic.lyrics import structured
from app.core.infra import Infra
from app.uploads.models import Upload
from app.uploads.reading import read_facts
from tests.people import People, Person, queries
from tests.subsonic.factories import Player, make_album, make_player, make_song, unique

TIMED = "[ar: Somebody]\n[offset:+150]\n[00:01.50]First\n[00:20][00:10.5] Twice \n[01:02.123]<Last> & least"


@pytest.fixture
async def ana(people: People) -> Person:
    return await people.make("ana")


@pytest.fixture
async def player(app: FastAPI, ana: Person) -> Player:
    return await make_player(app, ana)


async def sung(infra: Infra, owner: Person, lyrics: str | None, **columns: Any) -> Track:
    song = await make_song(infra, await make_album(infra, artist=unique("Singer")), owner=owner.id, **columns)
    if lyrics:
        async with infra.db.write() as db:
            await db.execute(update(Upload).where(Upload.track_id == song.id).values(tags={"lyrics": lyrics}))
    return song


async def test_words_with_times(player: Player, infra: Infra, ana: Person) -> None:
    song = await sung(infra, ana, TIMED)
    await player.ask("ping")
    async with queries(infra) as ran:
        told = await player.ask("getLyricsBySongId", id=str(song.id))
    assert ran == [1]
    (lyrics,) = told["lyricsList"]["structuredLyrics"]
    assert (lyrics["synced"], lyrics["offset"], lyrics["displayTitle"]) == (True, 150, song.title)
    assert [(line["start"], line["value"]) for line in lyrics["line"]] == [
        (1_500, "First"),
        (10_500, "Twice"),
        (20_000, "Twice"),
        (62_123, "<Last> & least"),
    ]
    answer = await player.get("/getLyricsBySongId", params={**player.common, "f": "xml", "id": str(song.id)})
    ((in_xml,),) = ET.fromstring(answer.content)
    assert (in_xml[3].attrib, in_xml[3].text) == ({"start": "62123"}, "<Last> & least")


async def test_plain_words(player: Player, infra: Infra, ana: Person) -> None:
    song = await sung(infra, ana, "One\n\nTwo [softly]")
    (lyrics,) = (await player.ask("getLyricsBySongId", id=str(song.id)))["lyricsList"]["structuredLyrics"]
    assert (lyrics["synced"], [line["value"] for line in lyrics["line"]]) == (False, ["One", "", "Two [softly]"])
    assert all("start" not in line for line in lyrics["line"])


async def test_words_by_name(player: Player, infra: Infra, ana: Person) -> None:
    song = await sung(infra, ana, TIMED, title=unique("Sung"))
    artist = (await player.ask("getSong", id=str(song.id)))["song"]["artist"]
    found = (await player.ask("getLyrics", artist=artist.upper(), title=song.title.lower()))["lyrics"]
    assert (found["artist"], found["title"]) == (artist, song.title)
    assert found["value"] == "First\nTwice\nTwice\n<Last> & least"
    for names in ({}, {"artist": artist}, {"artist": "nobody", "title": "nothing"}):
        assert (await player.ask("getLyrics", **names))["lyrics"] == {}


async def test_no_words(app: FastAPI, people: People, player: Player, infra: Infra, ana: Person) -> None:
    silent = await sung(infra, ana, None)
    assert (await player.ask("getLyricsBySongId", id=str(silent.id)))["lyricsList"] == {"structuredLyrics": []}
    private = await sung(infra, ana, "Secret", visibility="private")
    other = await make_player(app, await people.make("other"))
    assert await other.fails("getLyricsBySongId", id=str(private.id)) == 70
    assert await player.fails("getLyricsBySongId", id=str(uuid4())) == 70


@pytest.mark.parametrize("text", ["", "[", "[00:99999]", "[:]x", "[a:b]", "[00:00.0000]x", "[99999:00]", "\x00[00:01]"])
def test_odd_words(text: str) -> None:
    assert structured(text)["line"] == [{"value": line} for line in text.splitlines()]


def id3(**frames: bytes) -> bytes:
    """An MP3 of silence with ID3v2.3 frames before it."""
    tags = b"".join(name.encode() + len(data).to_bytes(4, "big") + b"\0\0" + data for name, data in frames.items())
    size = bytes(len(tags) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\0\0" + size + tags + (b"\xff\xfb\x90\x64" + bytes(413)) * 40


def test_words_are_read_from_files(tmp_path: Path) -> None:
    words = "Zürich\r\n\x07one\ttwo\r\n\r\nend"
    (tmp_path / "song.mp3").write_bytes(id3(USLT=b"\x01eng\xff\xfe\0\0" + words.encode("utf-16")))
    assert read_facts(tmp_path / "song.mp3").tags["lyrics"] == "Zürich\none two\n\nend"
    (tmp_path / "long.mp3").write_bytes(id3(USLT=b"\x00eng\0" + b"la la\n" * 10_000))
    assert len(read_facts(tmp_path / "long.mp3").tags["lyrics"]) == 20_000
    (tmp_path / "silent.mp3").write_bytes(id3(TIT2=b"\x00Silence"))
    assert "lyrics" not in read_facts(tmp_path / "silent.mp3").tags
