"""The published exercise in its order, over a real connection, with all limits on."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from app.core.config import Settings
from app.core.infra import Infra
from app.core.job_runner import drain
from tests.compat.openmusic import test_albums, test_songs
from tests.compat.openmusic.conftest import SONG, Speaker, add_album, add_song, forget_limits
from tests.compat.openmusic.test_albums import picture
from tests.conftest import create_database, running, serving
from tests.mails import Inbox, smtp_server

PASSWORD = "secret"


@dataclass
class Stage:
    """An empty server, and who plays the exercise on it."""

    address: str
    infra: Infra
    inbox: Inbox
    speakers: list[Speaker] = field(default_factory=list)

    def speaker(self, token: str = "") -> Speaker:
        self.speakers.append(Speaker(self.address, token))
        return self.speakers[-1]

    async def sign_in(self, name: str) -> Speaker:
        login = {"username": name, "password": PASSWORD}
        tokens = await self.speaker().say("POST", "/authentications", 201, json=login)
        speaker = self.speaker(tokens["accessToken"])
        speaker.refresh_token = tokens["refreshToken"]
        return speaker


@pytest.fixture
async def stage(settings: Settings, worker_number: int, tmp_path: Path) -> AsyncIterator[Stage]:
    url = await create_database(settings.database_url, f"soundscore_exercise_{worker_number}")
    inbox = Inbox()
    with smtp_server(inbox) as port:
        wanted = {
            "database_url": url,
            "data_dir": tmp_path,
            "public_url": "",
            "openmusic_compat": True,
            "rate_limits": True,
            "smtp_url": f"smtp://127.0.0.1:{port}",
        }
        given = settings.model_copy(update=wanted)
        async with running(given) as app, serving(app, given) as address:
            stage = Stage(address, app.state.infra, inbox)
            yield stage
            for speaker in stage.speakers:
                await speaker.aclose()
            await forget_limits(app.state.infra)


async def test_the_exercise_in_its_order(stage: Stage) -> None:
    anybody = stage.speaker()
    await play_albums(anybody)
    await play_songs(anybody)
    await play_songs_of_albums(anybody)
    await play_search(anybody)
    await play_users_and_authentications(stage, anybody)
    playlist_id = await play_playlists(stage, anybody)
    await play_collaborations(stage, playlist_id)
    await play_export(stage, playlist_id)
    await play_covers(anybody)
    await play_likes(stage, anybody)


async def play_albums(anybody: Speaker) -> None:
    for payload in test_albums.BAD:
        await anybody.say("POST", "/albums", 400, json=payload)
    album = f"/albums/{await add_album(anybody)}"
    await anybody.say("GET", "/albums/xxx", 404)
    found = (await anybody.say("GET", album, 200))["album"]
    assert (found["name"], found["year"]) == ("Viva la vida", 2008)
    for payload in test_albums.BAD:
        await anybody.say("PUT", album, 400, json=payload)
    revision = {"name": "Viva la vida Revision", "year": 2010}
    await anybody.say("PUT", "/albums/xxx", 404, json=revision)
    await anybody.say("PUT", album, 200, json=revision)
    assert (await anybody.say("GET", album, 200))["album"].items() >= revision.items()
    await anybody.say("DELETE", "/albums/xxx", 404)
    await anybody.say("DELETE", album, 200)
    await anybody.say("GET", album, 404)


async def play_songs(anybody: Speaker) -> None:
    for payload in test_songs.BAD:
        await anybody.say("POST", "/songs", 400, json=payload)
    song = f"/songs/{await add_song(anybody)}"
    other = await add_song(anybody, title="Fix You")
    assert len((await anybody.say("GET", "/songs", 200))["songs"]) == 2
    await anybody.say("GET", "/songs/xxx", 404)
    assert (await anybody.say("GET", song, 200))["song"].items() >= SONG.items()
    for payload in test_songs.BAD:
        await anybody.say("PUT", song, 400, json=payload)
    revision = {**SONG, "title": "Revision", "year": 2010, "performer": "Coldplay 2", "genre": "Hip Hop"}
    await anybody.say("PUT", "/songs/xxx", 404, json=revision)
    await anybody.say("PUT", song, 200, json=revision)
    assert (await anybody.say("GET", song, 200))["song"].items() >= revision.items()
    await anybody.say("DELETE", "/songs/xxx", 404)
    await anybody.say("DELETE", song, 200, content=b"", headers={"Content-Type": "application/json"})
    await anybody.say("GET", song, 404)
    await anybody.say("DELETE", f"/songs/{other}", 200)


async def play_songs_of_albums(anybody: Speaker) -> None:
    album_id, empty_id = await add_album(anybody), await add_album(anybody)
    for title in ("Life in Technicolor", "Fix you"):
        await add_song(anybody, title=title, albumId=album_id)
    assert len((await anybody.say("GET", f"/albums/{album_id}", 200))["album"]["songs"]) == 2
    assert (await anybody.say("GET", f"/albums/{empty_id}", 200))["album"]["songs"] == []


async def play_search(anybody: Speaker) -> None:
    songs = [("Kupu-kupu Malam", "Chrisye"), ("Cinta", "Chrisye"), ("Cinta Mati", "Dewa"), ("Kupu-kupu", "Peterpan")]
    ids = [await add_song(anybody, title=title, performer=performer) for title, performer in songs]
    for query, expected in (("title=cint", 2), ("performer=chris", 2), ("title=kupu&performer=peter", 1)):
        assert len((await anybody.say("GET", f"/songs?{query}", 200))["songs"]) == expected
    for song_id in ids:
        await anybody.say("DELETE", f"/songs/{song_id}", 200)


async def play_users_and_authentications(stage: Stage, anybody: Speaker) -> None:
    for payload in ({}, {"username": "testing"}, {"username": "testing", "password": True, "fullname": "x"}):
        await anybody.say("POST", "/users", 400, json=payload)
    for name in ("john", "jane"):
        user = {"username": name, "password": PASSWORD, "fullname": f"{name.title()} Doe"}
        await anybody.say("POST", "/users", 201, json=user)
        await anybody.say("POST", "/users", 400, json=user)
    await anybody.say("POST", "/authentications", 400, json={"username": "john"})
    await anybody.say("POST", "/authentications", 401, json={"username": "xxx", "password": PASSWORD})
    await anybody.say("POST", "/authentications", 401, json={"username": "john", "password": "wrong"})
    john, jane = await stage.sign_in("john"), await stage.sign_in("jane")
    access = john.headers["Authorization"].removeprefix("Bearer ")
    for bad in ({}, {"refreshToken": "xxxx"}, {"refreshToken": access}):
        await anybody.say("PUT", "/authentications", 400, json=bad)
    await anybody.say("PUT", "/authentications", 200, json={"refreshToken": john.refresh_token})
    for bad in ({}, {"refreshToken": "xxx"}):
        await anybody.say("DELETE", "/authentications", 400, json=bad)
    for speaker in (john, jane):
        await anybody.say("DELETE", "/authentications", 200, json={"refreshToken": speaker.refresh_token})
    await anybody.say("PUT", "/authentications", 400, json={"refreshToken": john.refresh_token})


async def play_playlists(stage: Stage, anybody: Speaker) -> str:
    first, second = await add_song(anybody), await add_song(anybody, title="Fix You")
    john, jane = await stage.sign_in("john"), await stage.sign_in("jane")
    await anybody.say("POST", "/playlists", 401, json={})
    await john.say("POST", "/playlists", 400, json={"name": True})
    names = ("Lagu Indie Hits Indonesia", "Lagu Untuk Membaca")
    ids = [(await john.say("POST", "/playlists", 201, json={"name": name}))["playlistId"] for name in names]
    assert len((await john.say("GET", "/playlists", 200))["playlists"]) == 2
    songs = f"/playlists/{ids[1]}/songs"
    await john.say("POST", songs, 400, json={"songId": 123})
    await john.say("POST", songs, 404, json={"songId": "xxx"})
    for song_id in (first, second):
        await john.say("POST", songs, 201, json={"songId": song_id})
    await jane.say("POST", songs, 403, json={"songId": first})
    assert len((await john.say("GET", songs, 200))["playlist"]["songs"]) == 2
    await jane.say("GET", songs, 403)
    await john.say("DELETE", songs, 400, json={"songId": 123})
    await jane.say("DELETE", songs, 403, json={"songId": first})
    await john.say("DELETE", songs, 200, json={"songId": first})
    assert [song["id"] for song in (await john.say("GET", songs, 200))["playlist"]["songs"]] == [second]
    await jane.say("DELETE", f"/playlists/{ids[0]}", 403)
    await john.say("DELETE", "/playlists/xxx", 404)
    await john.say("DELETE", f"/playlists/{ids[0]}", 200)
    assert len((await john.say("GET", "/playlists", 200))["playlists"]) == 1
    playlist_id: str = ids[1]
    return playlist_id


async def play_collaborations(stage: Stage, playlist_id: str) -> None:
    john, jane = await stage.sign_in("john"), await stage.sign_in("jane")
    jane_id = (await jane.get("/api/v1/auth/me")).json()["id"]
    song = {"songId": await add_song(john, title="Yellow")}
    payload: dict[str, Any] = {"playlistId": playlist_id, "userId": jane_id}
    songs = f"/playlists/{playlist_id}/songs"
    await jane.say("POST", songs, 403, json=song)
    for name, value in payload.items():
        await john.say("POST", "/collaborations", 400, json={name: value})
        await john.say("POST", "/collaborations", 404, json=payload | {name: "xxx"})
    await jane.say("POST", "/collaborations", 403, json=payload)
    await john.say("POST", "/collaborations", 201, json=payload)
    await jane.say("POST", songs, 201, json=song)
    assert [one["id"] for one in (await jane.say("GET", "/playlists", 200))["playlists"]] == [playlist_id]
    await jane.say("DELETE", songs, 200, json=song)
    await jane.say("DELETE", f"/playlists/{playlist_id}", 403)
    told = (await jane.say("GET", f"/playlists/{playlist_id}/activities", 200))["activities"]
    assert [(one["username"], one["title"], one["action"]) for one in told] == [
        ("john", "Life in Technicolor", "add"),
        ("john", "Fix You", "add"),
        ("john", "Life in Technicolor", "delete"),
        ("jane", "Yellow", "add"),
        ("jane", "Yellow", "delete"),
    ]
    await john.say("DELETE", "/collaborations", 200, json=payload)
    await jane.say("GET", f"/playlists/{playlist_id}/activities", 403)


async def play_export(stage: Stage, playlist_id: str) -> None:
    john, jane = await stage.sign_in("john"), await stage.sign_in("jane")
    export, wanted = f"/export/playlists/{playlist_id}", {"targetEmail": "example@dicoding.com"}
    await stage.speaker().say("POST", export, 401, json=wanted)
    await john.say("POST", export, 400, json={})
    await john.say("POST", "/export/playlists/xxx", 404, json=wanted)
    await jane.say("POST", export, 403, json=wanted)
    await john.say("POST", export, 201, json=wanted)
    await drain(stage.infra)
    (mail,) = stage.inbox.mails
    assert exported(mail) == {
        "playlist": {
            "id": playlist_id,
            "name": "Lagu Untuk Membaca",
            "songs": (await john.say("GET", f"/playlists/{playlist_id}/songs", 200))["playlist"]["songs"],
        }
    }
    await john.say("DELETE", f"/playlists/{playlist_id}", 200)


def exported(mail: Any) -> Any:
    (attached,) = [part for part in mail.walk() if part.get_content_type() == "application/json"]
    return json.loads(attached.get_payload(decode=True))


async def play_covers(anybody: Speaker) -> None:
    album = f"/albums/{await add_album(anybody)}"
    assert (await anybody.say("GET", album, 200))["album"]["coverUrl"] is None
    await anybody.say("POST", f"{album}/covers", 400, files={"cover": ("small.txt", b"text", "text/plain")})
    large = picture() + bytes(900_000)
    await anybody.say("POST", f"{album}/covers", 413, files={"cover": ("large.jpg", large, "image/jpeg")})
    await anybody.say("POST", f"{album}/covers", 201, files={"cover": ("small.jpg", picture(), "image/jpeg")})
    url = (await anybody.say("GET", album, 200))["album"]["coverUrl"]
    assert url.startswith(str(anybody.base_url))
    assert (await anybody.get(url)).status_code == 200


async def play_likes(stage: Stage, anybody: Speaker) -> None:
    likes = f"/albums/{await add_album(anybody)}/likes"
    john, jane = await stage.sign_in("john"), await stage.sign_in("jane")
    await anybody.say("POST", likes, 401)
    await john.say("POST", "/albums/xxx/likes", 404)
    await john.say("POST", likes, 201)
    await john.say("POST", likes, 400)
    await jane.say("POST", likes, 201)
    assert await source_of(anybody, likes) == (2, None)
    await jane.say("DELETE", likes, 200)
    assert await source_of(anybody, likes) == (1, None)
    assert await source_of(anybody, likes) == (1, "cache")


async def source_of(anybody: Speaker, likes: str) -> tuple[int, str | None]:
    answer = await anybody.get(likes)
    return answer.json()["data"]["likes"], answer.headers.get("x-data-source")
