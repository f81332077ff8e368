"""Programs that people use: py-sonic and the npm client subsonic-api, against a real server."""

import asyncio
import base64
import hashlib
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import libsonic
import pytest
from fastapi import FastAPI
from libsonic.errors import AuthError, CredentialError, DataNotFoundError, ParameterError, SonicError
from sqlalchemy import select

from app.catalog.models import Album, Track
from app.core.infra import Infra
from app.library.models import Listen
from tests.people import People, Person
from tests.subsonic.factories import Player, make_album, make_player, make_recording, make_song, unique
from tests.subsonic.node_client import node_session


@dataclass
class Library:
    """Somebody with a player, and an album of two songs, of which the first has a recording."""

    owner: Person
    player: Player
    album: Album
    songs: list[Track]
    recording: bytes


@pytest.fixture
async def library(app: FastAPI, infra: Infra, people: People) -> Library:
    owner = await people.make("owner")
    album = await make_album(infra, artist=unique("Performer"), year=1971, genres=["ballad"])
    songs = [
        await make_song(infra, album, owner=owner.id, position=place, title=unique(f"Song {place}")) for place in (1, 2)
    ]
    recording = await make_recording(infra, songs[0])
    return Library(owner, await make_player(app, owner), album, songs, recording)


def connect(live: str, player: Player, **more: Any) -> libsonic.Connection:
    address = urlsplit(live)
    port = {"port": address.port, "appName": "py-sonic", "apiVersion": "1.16.1"}
    return libsonic.Connection(f"http://{address.hostname}", player.username, player.password, **port, **more)


async def heard(infra: Infra, person: Person) -> list[Listen]:
    return await infra.db.reader.all(select(Listen).where(Listen.user_id == person.id))


@pytest.mark.parametrize("legacy", [False, True])
async def test_py_sonic_browses_and_streams(live: str, library: Library, legacy: bool) -> None:
    await asyncio.to_thread(browse, connect(live, library.player, legacyAuth=legacy), library)


def browse(sonic: libsonic.Connection, library: Library) -> None:
    album, songs = library.album, library.songs
    assert sonic.ping() is True
    assert sonic.getLicense()["license"]["valid"] is True
    assert sonic.getUser(library.owner.username)["user"]["streamRole"] is True
    assert len(sonic.getMusicFolders()["musicFolders"]["musicFolder"]) == 1
    named = [artist["id"] for index in sonic.getArtists()["artists"]["index"] for artist in index["artist"]]
    folders = [artist["id"] for index in sonic.getIndexes()["indexes"]["index"] for artist in index["artist"]]
    assert str(album.artist_id) in named
    assert sorted(named) == sorted(folders)
    (found,) = sonic.getArtist(str(album.artist_id))["artist"]["album"]
    assert found["id"] == str(album.id)
    told = sonic.getAlbum(found["id"])["album"]
    assert [song["title"] for song in told["song"]] == [song.title for song in songs]
    assert sonic.getSong(str(songs[0].id))["song"]["album"] == album.title
    children = sonic.getMusicDirectory(str(album.id))["directory"]["child"]
    assert [child["id"] for child in children] == [str(song.id) for song in songs]
    for kind in ("newest", "random", "alphabeticalByName", "alphabeticalByArtist"):
        albums = sonic.getAlbumList2(kind, size=500)["albumList2"]["album"]
        assert str(album.id) in [one["id"] for one in albums]
    assert str(album.id) in [one["id"] for one in sonic.getAlbumList("newest", size=500)["albumList"]["album"]]
    assert "ballad" in [genre["value"] for genre in sonic.getGenres()["genres"]["genre"]]
    assert sonic.getSongsByGenre("ballad", count=500)["songsByGenre"]["song"]
    assert len(sonic.getRandomSongs(size=1)["randomSongs"]["song"]) == 1
    result = sonic.search3(songs[1].title)["searchResult3"]
    assert [song["id"] for song in result["song"]] == [str(songs[1].id)]
    assert sonic.search2(album.title)["searchResult2"]["album"][0]["id"] == str(album.id)
    assert sonic.stream(str(songs[0].id)).read() == library.recording
    assert sonic.download(str(songs[0].id)).read() == library.recording
    with pytest.raises(DataNotFoundError):
        sonic.getAlbum("no-such-album")
    for call in (sonic.stream, sonic.download, sonic.getCoverArt):
        with pytest.raises(DataNotFoundError):
            call(str(library.owner.id))


async def test_py_sonic_stars_scrobbles_and_edits(live: str, library: Library, infra: Infra) -> None:
    await asyncio.to_thread(write, connect(live, library.player), library)
    (listen,) = await heard(infra, library.owner)
    assert (listen.track_id, listen.source, listen.client) == (library.songs[0].id, "subsonic", "py-sonic")
    (liked,) = (await library.owner.get(f"/users/{library.owner.username}/liked-tracks")).json()["items"]
    assert liked["id"] == str(library.songs[0].id)


def write(sonic: libsonic.Connection, library: Library) -> None:
    first, second = (str(song.id) for song in library.songs)
    album, artist = str(library.album.id), str(library.album.artist_id)
    assert sonic.star(sids=[first, second], albumIds=[album], artistIds=[artist])
    sonic.unstar(sids=[second])
    starred = sonic.getStarred2()["starred2"]
    assert [[one["id"] for one in starred[kind]] for kind in ("song", "album", "artist")] == [
        [first],
        [album],
        [artist],
    ]
    sonic.setRating(first, 5)
    assert sonic.getSong(first)["song"]["userRating"] == 5
    sonic.scrobble(first, submission=False)
    assert [entry["id"] for entry in sonic.getNowPlaying()["nowPlaying"]["entry"]] == [first]
    sonic.scrobble(first, submission=True, listenTime=time.time() - 300)
    made = sonic.createPlaylist(name="Mornings", songIds=[first, second, first])["playlist"]
    assert (made["songCount"], made["public"]) == (3, False)
    edit = {"name": "Evenings", "comment": "slow", "songIdsToAdd": [second], "songIndexesToRemove": [0]}
    sonic.updatePlaylist(made["id"], **edit)
    changed = sonic.getPlaylist(made["id"])["playlist"]
    assert (changed["name"], changed["comment"]) == ("Evenings", "slow")
    assert [entry["id"] for entry in changed["entry"]] == [second, first, second]
    sonic.createPlaylist(playlistId=made["id"], songIds=[second])
    assert [listed["songCount"] for listed in sonic.getPlaylists()["playlists"]["playlist"]] == [1]
    sonic.deletePlaylist(made["id"])
    with pytest.raises(DataNotFoundError):
        sonic.getPlaylist(made["id"])
    sonic.savePlayQueue([first, second], current=second, position=4321)
    queue = sonic.getPlayQueue()["playQueue"]
    assert (queue["current"], queue["position"], queue["changedBy"]) == (second, 4321, "py-sonic")


async def test_py_sonic_is_told_what_is_wrong(live: str, library: Library, app: FastAPI) -> None:
    narrow = await make_player(app, library.owner, ["read"])
    await asyncio.to_thread(fail, live, library, narrow)


def fail(live: str, library: Library, narrow: Player) -> None:
    song = str(library.songs[0].id)
    wrong = Player.__new__(Player)
    wrong.username, wrong.password = library.owner.username, "wrong"
    with pytest.raises(CredentialError):
        connect(live, wrong).getLicense()
    for call in ("star", "stream", "scrobble"):
        with pytest.raises(AuthError):
            getattr(connect(live, narrow), call)([song] if call == "star" else song)
    with pytest.raises(ParameterError):
        connect(live, library.player).star()
    with pytest.raises(SonicError):
        connect(live, library.player).setRating(song, 5) and connect(live, library.player).getAlbumList2("byYear")


@pytest.mark.parametrize("way", ["get", "post", "key"])
async def test_the_npm_client(live: str, library: Library, infra: Infra, way: str) -> None:
    player, songs = library.player, [str(song.id) for song in library.songs]
    who = {"username": player.username, "password": player.password}
    saw = await node_session(
        url=live,
        albumId=str(library.album.id),
        post=way == "post",
        **({"apiKey": player.password} if way == "key" else who),
    )
    assert (saw["ping"]["status"], saw["ping"]["openSubsonic"], saw["ping"]["type"]) == ("ok", True, "soundscore")
    assert {"formPost", "songLyrics", "apiKeyAuthentication"} <= set(saw["extensions"])
    assert (saw["license"], saw["folders"]) == (True, 1)
    assert saw["user"] == (None if way == "key" else player.username)
    assert saw["album"] == {
        "name": library.album.title,
        "created": True,
        "songs": [song.title for song in library.songs],
    }
    assert saw["artist"] == [library.album.title]
    assert str(library.album.id) in saw["newest"]
    assert saw["search"] == songs[:1]
    assert (base64.b64decode(saw["bytes"]), saw["type"], saw["same"]) == (library.recording, "audio/mpeg", True)
    assert saw["disposition"].startswith("attachment")
    assert saw["starred"] == [songs[:1], [str(library.album.id)], [str(library.album.artist_id)]]
    assert saw["rating"] == 4
    assert saw["playing"] == [[songs[0], "subsonic-api"]]
    assert (saw["playlist"]["name"], saw["playlist"]["comment"], saw["playlist"]["public"]) == (
        "Still from Node",
        "Zürich",
        True,
    )
    assert saw["playlist"]["entry"] == [library.songs[1].title, library.songs[0].title]
    assert saw["playlists"] == ["Still from Node"]
    assert (saw["gone"], saw["wrong"], saw["lyrics"]) == (70, 40, 0)
    assert saw["queue"] == [songs[1], 1234, 2, "subsonic-api"]
    (listen,) = await heard(infra, library.owner)
    assert (listen.source, listen.client) == ("subsonic", "subsonic-api")


async def test_a_stream_in_parts(library: Library) -> None:
    player, song = library.player, str(library.songs[0].id)
    for address in ("/stream", "/download.view"):
        for header, start, end in (("bytes=0-9", 0, 10), ("bytes=100-", 100, None), ("bytes=-7", -7, None)):
            part = await player.get(address, params={**player.common, "id": song}, headers={"range": header})
            assert part.status_code == 206
            assert part.content == library.recording[start:end]
        beyond = await player.get(address, params={**player.common, "id": song}, headers={"range": "bytes=99999999-"})
        assert beyond.status_code == 416
        whole = await player.head(address, params={**player.common, "id": song})
        assert (whole.status_code, whole.headers["content-length"]) == (200, str(len(library.recording)))
    digest = hashlib.sha256((await player.get("/stream", params={**player.common, "id": song})).content).digest()
    assert digest == hashlib.sha256(library.recording).digest()
