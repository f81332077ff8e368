"""Pictures in their sizes, recordings in the form that a client can take, and what is told of words."""

from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from PIL import Image
from sqlalchemy import update

from app.catalog.models import Album, Track
from app.core.infra import Infra
from app.integrations.storage import storage
from app.uploads.models import Upload
from tests.people import People, Person, queries
from tests.pictures.factories import picture
from tests.subsonic.factories import Player, make_album, make_player, make_recording, make_song


@pytest.fixture
async def ana(people: People) -> Person:
    return await people.make("ana")


@pytest.fixture
async def player(app: FastAPI, ana: Person) -> Player:
    return await make_player(app, ana)


@pytest.fixture
async def album(infra: Infra, people: People) -> Album:
    album = await make_album(infra)
    curator = await people.make("curator", role="curator")
    for address in (f"/albums/{album.id}/cover", f"/artists/{album.artist_id}/picture"):
        answer = await curator.put(address, content=picture(size=(900, 900)), headers={"content-type": "image/png"})
        assert answer.is_success, answer.text
    return album


@pytest.fixture
async def song(infra: Infra, ana: Person, album: Album) -> Track:
    return await make_song(infra, album, owner=ana.id)


async def fetch(player: Player, call: str, **parameters: Any) -> Any:
    return await player.get(f"/{call}", params={**player.common, **parameters})


def side(content: bytes) -> int:
    with Image.open(BytesIO(content)) as image:
        assert image.format == "WEBP"
        return max(image.size)


async def test_covers_in_sizes(player: Player, album: Album, song: Track, infra: Infra) -> None:
    told = (await player.ask("getSong", id=str(song.id)))["song"]
    async with queries(infra) as ran:
        whole = await fetch(player, "getCoverArt", id=told["coverArt"])
    assert ran == [1]
    assert (whole.status_code, whole.headers["content-type"]) == (200, "image/webp")
    assert "immutable" in whole.headers["cache-control"]
    sides = {
        size: side((await fetch(player, "getCoverArt", id=told["coverArt"], size=size)).content)
        for size in (1, 96, 97, 320, 321, 1200)
    }
    assert sides == {1: 96, 96: 96, 97: 320, 320: 320, 321: 900, 1200: 900}


async def test_covers_of_everything(player: Player, album: Album, song: Track) -> None:
    artist = (await player.ask("getArtist", id=str(album.artist_id)))["artist"]
    for written in (artist["coverArt"], str(album.id), f"al-{album.id}", str(album.artist_id), str(song.id)):
        answer = await fetch(player, "getCoverArt", id=written)
        assert answer.headers["content-type"] == "image/webp", written
    again = await fetch(player, "getCoverArt", id=str(album.id))
    assert "immutable" not in again.headers["cache-control"]
    headers = {"if-none-match": again.headers["etag"]}
    known = await player.get("/getCoverArt", params={**player.common, "id": str(album.id)}, headers=headers)
    assert (known.status_code, known.content) == (304, b"")


async def test_another_picture_has_another_id(player: Player, album: Album, song: Track, infra: Infra) -> None:
    before = (await player.ask("getAlbum", id=str(album.id)))["album"]["coverArt"]
    async with infra.db.write() as db:
        await db.execute(update(Album).where(Album.id == album.id).values(cover_key="covers/another.webp"))
    after = (await player.ask("getAlbum", id=str(album.id)))["album"]["coverArt"]
    assert before != after
    async with infra.db.write() as db:
        await db.execute(update(Album).where(Album.id == album.id).values(cover_key=None))
    assert "coverArt" not in (await player.ask("getAlbum", id=str(album.id)))["album"]
    assert await player.fails("getCoverArt", id=str(album.id)) == 70


async def test_pictures_that_are_not_there(player: Player, infra: Infra) -> None:
    bare = await make_album(infra)
    for thing in (str(bare.id), str(uuid4()), "none", "covers/../secret"):
        assert await player.fails("getCoverArt", id=thing) == 70
    assert await player.fails("getCoverArt") == 10
    assert await player.fails("getAvatar", username="nobody-at-all") == 70


async def test_avatars_and_covers_of_playlists(app: FastAPI, people: People, player: Player, ana: Person) -> None:
    assert await player.fails("getAvatar", username=ana.username) == 70
    headers = {"content-type": "image/png"}
    assert (await ana.put("/users/me/avatar", content=picture(size=(200, 100)), headers=headers)).is_success
    assert (await fetch(player, "getAvatar", username=ana.username)).headers["content-type"] == "image/webp"
    made = (await player.ask("createPlaylist", name="Shown"))["playlist"]["id"]
    assert (await ana.put(f"/playlists/{made}/cover", content=picture(size=(200, 100)), headers=headers)).is_success
    cover = (await player.ask("getPlaylist", id=made))["playlist"]["coverArt"]
    assert (await fetch(player, "getCoverArt", id=cover)).headers["content-type"] == "image/webp"
    stranger = await make_player(app, await people.make("stranger"))
    assert await stranger.fails("getCoverArt", id=cover) == 70


async def test_what_may_not_be_heard_is_not_sent(
    app: FastAPI, people: People, infra: Infra, player: Player, ana: Person
) -> None:
    song = await make_song(infra, None, owner=ana.id, visibility="private")
    content = await make_recording(infra, song, 1_000)
    other = await make_player(app, await people.make("other"))
    for call in ("stream", "download"):
        assert (await fetch(player, call, id=str(song.id))).content == content
        assert await other.fails(call, id=str(song.id)) == 70
        assert await player.fails(call, id=str(uuid4())) == 70
        assert await player.fails(call) == 10


async def test_renditions(infra: Infra, player: Player, ana: Person) -> None:
    song = await make_song(infra, None, owner=ana.id, audio_type="audio/flac")
    whole = await make_recording(infra, song, 3_000)
    made = {name: bytes([place]) * 100 for place, name in enumerate(("mp3", "opus"))}
    for name, content in made.items():
        await infra.part(storage).put(f"audio/{song.id}-{name}.{name}", content, content_type="audio/mpeg")
    kept = [
        {"format": name, "key": f"audio/{song.id}-{name}.{name}", "size": 100, "audio_type": audio_type}
        for name, audio_type in (("mp3", "audio/mpeg"), ("opus", "audio/ogg"))
    ]
    async with infra.db.write() as db:
        await db.execute(update(Upload).where(Upload.track_id == song.id).values(renditions=kept))
    for parameters, wanted in (
        ({}, whole),
        ({"format": "raw"}, whole),
        ({"format": "raw", "maxBitRate": 128}, whole),
        ({"maxBitRate": 0}, whole),
        ({"maxBitRate": 128}, made["mp3"]),
        ({"maxBitRate": 320}, whole),
        ({"format": "mp3"}, made["mp3"]),
        ({"format": "opus"}, made["opus"]),
        ({"format": "ogg"}, made["opus"]),
        ({"format": "aac"}, whole),
    ):
        answer = await fetch(player, "stream", id=str(song.id), **parameters)
        assert answer.content == wanted, parameters
    assert (await fetch(player, "download", id=str(song.id), format="mp3")).content == whole
