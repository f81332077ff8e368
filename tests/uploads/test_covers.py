"""Covers from the tags of recordings: the first one becomes that of the album, and a bad one harms nothing."""

import asyncio
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from PIL import Image
from sqlalchemy import update
from structlog.testing import capture_logs

from app.catalog.models import Album
from app.core.infra import Infra
from app.core.job_runner import drain
from app.integrations.storage import storage
from app.uploads.apart import MOST_OF_COVER, read_apart
from app.uploads.covers import show_cover
from app.uploads.reading import read_cover
from app.uploads.renditions import Recorded
from tests.catalog.factories import add_album, add_track
from tests.people import People, Person
from tests.pictures.factories import bomb, picture
from tests.subsonic.factories import make_player
from tests.uploads import tagged
from tests.uploads.factories import upload, wav

MP3 = {"content_type": "audio/mpeg", "filename": "a.mp3", "visibility": "public"}
FLAC = {"content_type": "audio/flac", "filename": "a.flac", "visibility": "public"}


@pytest.fixture
async def ana(people: People) -> Person:
    return await people.make("ana")


async def album_of(ana: Person, done: dict[str, Any]) -> dict[str, Any]:
    assert done["state"] == "ready", done
    album: dict[str, Any] = (await ana.get(f"/albums/{done['track']['album']['id']}")).json()
    return album


async def stored(infra: Infra) -> set[str]:
    return {found.key async for found in infra.part(storage).list("covers/")}


def pictured(content: bytes = b"", kind: int = tagged.FRONT, **said: Any) -> bytes:
    return tagged.mp3(tagged.picture_frame(content or picture("JPEG", (1200, 1200)), kind), **said)


def shown(content: bytes) -> Image.Image:
    with Image.open(BytesIO(content)) as image:
        image.load()
        return image


@pytest.mark.parametrize("kind", ["mp3", "flac"])
async def test_the_cover_in_a_file_is_that_of_its_album(
    app: FastAPI, ana: Person, client: httpx.AsyncClient, kind: str
) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a secret place"
    content = picture("JPEG", (1200, 600), "red", exif=exif)
    data, said = (pictured(content), MP3) if kind == "mp3" else (tagged.flac(content), FLAC)
    done = await upload(app, ana, data, **said)
    album = await album_of(ana, done)
    assert album["cover_key"].startswith("covers/")
    answers = [await client.get(f"/media/{album['cover_key']}{query}") for query in ("", "?size=320", "?size=96")]
    images = [shown(answer.content) for answer in answers]
    assert [(image.format, image.size) for image in images] == [
        ("WEBP", (1000, 500)),
        ("WEBP", (320, 160)),
        ("WEBP", (96, 48)),
    ]
    assert not [answer for answer in answers if b"secret" in answer.content]
    red, green, blue = images[0].convert("RGB").getpixel((500, 250))  # type: ignore[misc]
    assert red > 200
    assert max(green, blue) < 60
    player = await make_player(app, ana)
    song = (await player.ask("getSong", id=done["track"]["id"]))["song"]
    cover = await player.get("/getCoverArt", params={**player.common, "id": song["coverArt"]})
    assert cover.content == answers[0].content


async def test_the_first_cover_stays(app: FastAPI, ana: Person, infra: Infra) -> None:
    bare = await album_of(ana, await upload(app, ana, tagged.mp3(title="Bare"), **MP3))
    assert bare["cover_key"] is None
    first = await album_of(ana, await upload(app, ana, pictured(title="One"), **MP3))
    before = await stored(infra)
    second = await album_of(ana, await upload(app, ana, pictured(picture("PNG", (50, 50), "blue"), title="Two"), **MP3))
    assert bare["id"] == first["id"] == second["id"]
    assert first["cover_key"] == second["cover_key"] is not None
    assert await stored(infra) == before, "what is not shown is not stored"


async def test_of_two_at_once_one_is_shown_and_none_is_left_over(app: FastAPI, ana: Person, infra: Infra) -> None:
    done = [await upload(app, ana, pictured(title=title), **MP3) for title in ("One", "Two", "Three")]
    album = await album_of(ana, done[0])
    async with infra.db.write() as db:
        await db.execute(update(Album).where(Album.id == UUID(album["id"])).values(cover_key=None))
    before = await stored(infra)
    await asyncio.gather(*(show_cover.function(infra, Recorded(upload_id=UUID(one["id"]))) for one in done))
    await drain(infra)
    key = (await ana.get(f"/albums/{album['id']}")).json()["cover_key"]
    new = await stored(infra) - before
    assert key in new
    assert {name.partition("-")[0].partition(".")[0] for name in new} == {key.partition(".")[0]}


async def test_who_waited_for_another_comes_second(app: FastAPI, ana: Person, infra: Infra) -> None:
    done = await upload(app, ana, pictured(), **MP3)
    theirs = update(Album).where(Album.id == UUID(done["track"]["album"]["id"]))
    async with infra.db.write() as db:
        await db.execute(theirs.values(cover_key=None))
    async with infra.db.write() as db:
        await db.execute(theirs.values(cover_key="covers/first.webp"))
        second = asyncio.create_task(show_cover.function(infra, Recorded(upload_id=UUID(done["id"]))))
        while not (second.done() or await infra.db.fetch(WAITS, [])):
            await asyncio.sleep(0.01)
    await second
    await drain(infra)
    assert (await album_of(ana, done))["cover_key"] == "covers/first.webp"


WAITS = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
BAD = {
    "a bomb": tagged.picture_frame(bomb()),
    "no picture": tagged.picture_frame(b"#!/bin/sh"),
    "half a picture": tagged.picture_frame(picture("JPEG", (900, 900))[:700]),
    "nothing": tagged.picture_frame(b""),
    "a picture of the back": tagged.picture_frame(picture(), tagged.BACK),
    "too large": tagged.picture_frame(picture() + b"\0" * MOST_OF_COVER),
    "a frame that ends too early": tagged.frame("APIC", b"\0image/jpeg\0"),
    "a frame of no kind": tagged.frame("APIC", b"\0image/jpeg\0\x15\0\xff"),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_picture_is_left_where_it_is(app: FastAPI, ana: Person, infra: Infra, name: str) -> None:
    before = await stored(infra)
    with capture_logs() as told:
        album = await album_of(ana, await upload(app, ana, tagged.mp3(BAD[name]), **MP3))
    assert album["cover_key"] is None
    assert await stored(infra) == before
    said = [entry["reason"] for entry in told if entry["event"] == "cover_not_used"]
    assert bool(said) == (name in {"a bomb", "no picture", "half a picture"}), told


async def test_a_picture_of_which_nothing_is_said(app: FastAPI, ana: Person) -> None:
    album = await album_of(ana, await upload(app, ana, pictured(kind=tagged.OTHER), **MP3))
    assert album["cover_key"] is not None


async def test_what_comes_too_early_is_tried_again(app: FastAPI, ana: Person) -> None:
    """Without an album there is nothing to show it on; it is shown on the album that the owner gives it."""
    alone = await upload(app, ana, pictured(album=None), **MP3)
    assert alone["track"]["album"] is None
    assert (await ana.patch(f"/uploads/{alone['id']}", json={"album": "Found later"})).is_success
    await drain(app.state.infra)
    album = await album_of(ana, (await ana.get(f"/uploads/{alone['id']}")).json())
    assert (album["title"], album["cover_key"] is None) == ("Found later", False)


async def test_the_catalogue_keeps_its_own(app: FastAPI, people: People, infra: Infra) -> None:
    curator = await people.make("curator", role="curator")
    album = await add_album(curator)
    track = await add_track(curator, album_id=album["id"])
    done = await upload(app, curator, pictured(), **(MP3 | {"track_id": track["id"]}))
    assert done["track"]["album"]["id"] == album["id"]
    assert (await curator.get(f"/albums/{album['id']}")).json()["cover_key"] is None


async def test_a_file_without_tags(app: FastAPI, ana: Person) -> None:
    album = await album_of(ana, await upload(app, ana, wav(), album="Bare"))
    assert album["cover_key"] is None


async def test_what_is_read_apart_is_bounded(tmp_path: Path) -> None:
    for size, is_there in ((MOST_OF_COVER, True), (MOST_OF_COVER + 1, False)):
        path, cover = tmp_path / f"{size}.mp3", tmp_path / f"{size}.cover"
        path.write_bytes(pictured(b"\xff" * size))
        assert len(read_cover(path) or b"") == size
        facts = await read_apart(path, cover=cover)
        assert (facts.kind, cover.exists()) == ("mp3", is_there)
        assert not is_there or cover.stat().st_size == size
