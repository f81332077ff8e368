"""Songs: tracks of the catalogue, with a year of their own and their genre as it was spelt."""

import asyncio
from typing import Any

import pytest

from app.core.ids import uuid7
from app.core.infra import Infra
from tests.compat.openmusic.conftest import SONG, Speaker, add_album, add_song
from tests.people import People, queries

BAD: list[Any] = [
    {},
    {"title": 1},
    {"title": "Life in Technicolor"},
    {"title": "Life in Technicolor", "year": "dummy"},
    {"title": "Life in Technicolor", "year": 2008},
    {"title": "Life in Technicolor", "year": 2008, "performer": True},
    {"title": "Life in Technicolor", "year": 2008, "performer": "Coldplay"},
    {"title": "Life in Technicolor", "year": 2008, "performer": "Coldplay", "genre": 123},
    SONG | {"duration": "120"},
    SONG | {"duration": 0},
    SONG | {"albumId": 1},
    SONG | {"album_id": None},
    SONG | {"year": 2_000_000},
]


@pytest.mark.parametrize("payload", BAD)
async def test_bad_songs_are_refused_wherever_they_are_written(anybody: Speaker, payload: Any) -> None:
    await anybody.say("POST", "/songs", 400, json=payload)
    await anybody.say("PUT", f"/songs/{await add_song(anybody)}", 400, json=payload)
    await anybody.say("PUT", "/songs/xxx", 400, json=payload)


async def test_a_song_is_added_read_changed_and_deleted_without_a_login(anybody: Speaker) -> None:
    album_id = await add_album(anybody)
    song_id = await add_song(anybody, albumId=album_id)
    expected = SONG | {"id": song_id, "albumId": album_id}
    assert await anybody.say("GET", f"/songs/{song_id}", 200) == {"song": expected}
    changed = {
        "title": "Life in Technicolor revision",
        "year": 2010,
        "performer": "Coldplay 2",
        "genre": "Hip Hop",
        "duration": 125,
    }
    await anybody.say("PUT", f"/songs/{song_id}", 200, json=changed)
    assert await anybody.say("GET", f"/songs/{song_id}", 200) == {"song": expected | changed | {"albumId": None}}
    await anybody.say("DELETE", f"/songs/{song_id}", 200)
    await anybody.say("GET", f"/songs/{song_id}", 404)
    await anybody.say("DELETE", f"/songs/{song_id}", 404)


async def test_duration_and_album_may_be_left_out(anybody: Speaker) -> None:
    for nothing in ({}, {"duration": None, "albumId": None}):
        payload = {name: SONG[name] for name in ("title", "year", "performer", "genre")} | nothing
        data = await anybody.say("POST", "/songs", 201, json=payload)
        song = (await anybody.say("GET", f"/songs/{data['songId']}", 200))["song"]
        assert (song["duration"], song["albumId"]) == (None, None)


@pytest.mark.parametrize("song_id", ["xxx", "01890000-0000-7000-8000-00000000dead"])
async def test_a_song_that_is_not_there(anybody: Speaker, song_id: str) -> None:
    await anybody.say("GET", f"/songs/{song_id}", 404)
    await anybody.say("PUT", f"/songs/{song_id}", 404, json=SONG)
    await anybody.say("DELETE", f"/songs/{song_id}", 404)


@pytest.mark.parametrize("album_id", ["xxx", "01890000-0000-7000-8000-00000000dead"])
async def test_a_song_of_no_album(anybody: Speaker, album_id: str) -> None:
    await anybody.say("POST", "/songs", 404, json=SONG | {"albumId": album_id})
    await anybody.say("PUT", f"/songs/{await add_song(anybody)}", 404, json=SONG | {"albumId": album_id})


async def test_songs_are_found_by_parts_of_title_and_performer(anybody: Speaker) -> None:
    word = uuid7().hex[-10:]
    titles = [("Kupu-kupu Malam", "Chrisye"), ("Cinta", "Chrisye"), ("Cinta Mati", "Dewa 19"), ("Kupu-kupu", "Noah")]
    for title, performer in titles:
        await add_song(anybody, title=f"{title} {word}", performer=f"{performer} {word}")

    async def found(**filters: str) -> set[str]:
        songs = (await anybody.say("GET", "/songs", 200, params=filters))["songs"]
        assert all(song.keys() == {"id", "title", "performer"} for song in songs)
        return {song["title"].removesuffix(f" {word}") for song in songs if song["title"].endswith(word)}

    assert await found() == {title for title, _ in titles}
    assert await found(title="cINT") == {"Cinta", "Cinta Mati"}
    assert await found(performer="CHRIS") == {"Kupu-kupu Malam", "Cinta"}
    assert await found(title="kupu", performer="noa") == {"Kupu-kupu"}
    assert await found(title="kupu", performer="dewa") == set()
    assert await found(title="", performer="") == {title for title, _ in titles}
    assert await found(title="%") == await found(title="_") == set()
    assert await found(title="inta " + word.upper()) == {"Cinta"}


async def test_the_last_song_comes_first_and_the_list_is_one_statement(anybody: Speaker, infra: Infra) -> None:
    song_id = await add_song(anybody)
    async with queries(infra) as ran:
        songs = (await anybody.say("GET", "/songs", 200))["songs"]
    assert ran == [1]
    assert songs[0] == {"id": song_id, "title": SONG["title"], "performer": SONG["performer"]}
    async with queries(infra) as ran:
        await anybody.say("GET", f"/songs/{song_id}", 200)
    assert ran == [1]


@pytest.mark.parametrize("part", ["x" * 101, "\0"])
async def test_a_filter_that_cannot_be_looked_for(anybody: Speaker, part: str) -> None:
    await anybody.say("GET", "/songs", 400, params={"title": part})


async def test_one_performer_is_one_artist(anybody: Speaker, infra: Infra) -> None:
    name = f"Performer {uuid7().hex}"
    await asyncio.gather(*(add_song(anybody, title=f"Song {i}", performer=name) for i in range(8)))
    await add_song(anybody, performer=name.upper())
    rows = await infra.db.fetch("SELECT name FROM artists WHERE name_key = $1", [name.lower()])
    assert [row["name"] for row in rows] == [name]


async def test_it_is_a_track_of_the_catalogue(anybody: Speaker, people: People) -> None:
    song_id = await add_song(anybody, genre="Hip Hop")
    curator = await people.make("curator", role="curator")
    track = (await curator.get(f"/tracks/{song_id}")).json()
    assert (track["title"], track["genres"], track["duration_ms"]) == (SONG["title"], ["hip hop"], 120_000)
    changed = await curator.patch(f"/tracks/{song_id}", json={"genres": ["rap"]})
    assert changed.status_code == 200, changed.text
    assert (await anybody.say("GET", f"/songs/{song_id}", 200))["song"]["genre"] == "rap"


async def test_a_track_of_the_catalogue_is_a_song(anybody: Speaker, people: People) -> None:
    curator = await people.make("curator", role="curator")
    artist = (await curator.post("/artists", json={"name": "Miles Davis"})).json()
    new = {"title": "Kind of Blue", "artist_id": artist["id"], "year": 1959, "tracks": [{"title": "So What"}]}
    album = (await curator.post("/albums", json=new)).json()
    track = album["tracks"][0]["id"]
    song = (await anybody.say("GET", f"/songs/{track}", 200))["song"]
    assert song == {
        "id": track,
        "title": "So What",
        "year": 1959,
        "performer": "Miles Davis",
        "genre": None,
        "duration": None,
        "albumId": album["id"],
    }


async def test_what_somebody_keeps_to_themselves_is_no_song(anybody: Speaker, john: Speaker, infra: Infra) -> None:
    title = f"Kept {uuid7().hex}"
    album_id = await add_album(anybody)
    song_id = await add_song(anybody, title=title, albumId=album_id)

    async def upload(visibility: str) -> None:
        async with infra.db.write() as db:
            sql = "UPDATE tracks SET owner_id = $2, visibility = $3 WHERE id = $1"
            await db.records(sql, [song_id, john.user_id, visibility])

    async def shown() -> tuple[int, int]:
        songs = (await anybody.say("GET", "/songs", 200, params={"title": title}))["songs"]
        album = (await anybody.say("GET", f"/albums/{album_id}", 200))["album"]
        return len(songs), len(album["songs"])

    for visibility in ("private", "followers"):
        await upload(visibility)
        assert await shown() == (0, 0)
        await anybody.say("GET", f"/songs/{song_id}", 404)
        await anybody.say("PUT", f"/songs/{song_id}", 404, json=SONG)
    await upload("public")
    assert await shown() == (1, 1)
    await anybody.say("PUT", f"/songs/{song_id}", 403, json=SONG)
    await anybody.say("DELETE", f"/songs/{song_id}", 403)
