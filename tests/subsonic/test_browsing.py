"""From artists to albums to songs: what a person may hear, and nothing else."""

import xml.etree.ElementTree as ET
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI

from app.catalog.models import Album, Track
from app.core.infra import Infra
from tests.people import People, Person, queries
from tests.subsonic.factories import Player, make_album, make_player, make_song, unique


@pytest.fixture
async def ana(people: People) -> Person:
    return await people.make("ana")


@pytest.fixture
async def player(app: FastAPI, ana: Person) -> Player:
    return await make_player(app, ana)


@pytest.fixture
async def album(infra: Infra) -> Album:
    return await make_album(infra, year=1977, genres=["art rock", "ambient"], cover_key="covers/0123.webp")


@pytest.fixture
async def songs(infra: Infra, ana: Person, album: Album) -> list[Track]:
    return [await make_song(infra, album, owner=ana.id, position=place, disc=1) for place in (2, 1, 3)]


def ids(items: list[dict[str, Any]]) -> list[str]:
    return [item["id"] for item in items]


async def test_an_album_and_its_songs(player: Player, album: Album, songs: list[Track], infra: Infra) -> None:
    await player.ask("ping")
    async with queries(infra) as ran:
        told = (await player.ask("getAlbum", id=str(album.id)))["album"]
    assert ran == [2]
    assert (told["name"], told["year"], told["songCount"], told["duration"]) == (album.title, 1977, 3, 184)
    assert (told["artistId"], told["genre"]) == (str(album.artist_id), "art rock")
    assert told["genres"] == [{"name": "art rock"}, {"name": "ambient"}]
    assert told["coverArt"].startswith(f"al-{album.id}_")
    assert ids(told["song"]) == [str(songs[place].id) for place in (1, 0, 2)]
    song = told["song"][0]
    assert song["title"] == songs[1].title
    assert (song["isDir"], song["track"], song["duration"], song["type"]) == (False, 1, 61, "music")
    assert (song["contentType"], song["suffix"], song["size"], song["bitRate"]) == (
        "audio/mpeg",
        "mp3",
        4_000_000,
        320,
    )
    assert (song["albumId"], song["parent"], song["genre"]) == (str(album.id), str(album.id), "art rock")
    assert "starred" not in song
    assert "userRating" not in song


async def test_one_song(player: Player, album: Album, songs: list[Track], infra: Infra) -> None:
    await player.ask("ping")
    async with queries(infra) as ran:
        song = (await player.ask("getSong", id=str(songs[0].id)))["song"]
    assert ran == [1]
    assert (song["title"], song["album"], song["discNumber"]) == (songs[0].title, album.title, 1)
    assert song["path"].endswith(f"/{album.title}/02 - {songs[0].title}.mp3")


async def test_artists_stand_under_their_letters(app: FastAPI, infra: Infra, ana: Person, player: Player) -> None:
    mark = unique("")
    beatles, sigur, cure = f"The Beatles{mark}", f"Ólöf{mark}", f"1910{mark}"
    made = [await make_album(infra, artist=name) for name in (beatles, sigur, cure)]
    for album in made:
        await make_song(infra, album, owner=ana.id)
    async with queries(infra) as ran:
        told = (await player.ask("getArtists"))["artists"]
    assert ran[0] <= 3
    index = {letter["name"]: [artist["name"] for artist in letter["artist"]] for letter in told["index"]}
    assert beatles in index["B"]
    assert sigur in index["O"]
    assert cure in index["#"]
    assert "The" in told["ignoredArticles"].split()
    assert list(index) == sorted(index)
    folders = (await player.ask("getIndexes"))["indexes"]
    assert folders["lastModified"] > 1_700_000_000_000
    assert [letter["name"] for letter in folders["index"]] == list(index)


async def test_an_artist_with_albums_of_others(player: Player, infra: Infra, ana: Person, album: Album) -> None:
    guest = await make_album(infra, year=1980)
    await make_song(infra, album, owner=ana.id)
    await make_song(infra, album, owner=ana.id, artist_id=guest.artist_id)
    await make_song(infra, guest, owner=ana.id)
    await make_song(infra, None, owner=ana.id, artist_id=guest.artist_id, title="Alone")
    await player.ask("ping")
    async with queries(infra) as ran:
        told = (await player.ask("getArtist", id=str(guest.artist_id)))["artist"]
    assert ran == [2]
    assert told["albumCount"] == 3
    by_name = {entry["name"]: entry for entry in told["album"]}
    assert by_name[album.title]["songCount"] == 2, "the whole album, not only the guest's song"
    assert by_name["Single tracks"]["id"] == f"si-{guest.artist_id}"
    single = (await player.ask("getAlbum", id=f"si-{guest.artist_id}"))["album"]
    assert [song["title"] for song in single["song"]] == ["Alone"]
    assert single["song"][0]["albumId"] == f"si-{guest.artist_id}"


async def test_folders(player: Player, album: Album, songs: list[Track], infra: Infra) -> None:
    artist = (await player.ask("getMusicDirectory", id=str(album.artist_id)))["directory"]
    (child,) = artist["child"]
    assert (child["id"], child["isDir"], child["parent"]) == (str(album.id), True, str(album.artist_id))
    folder = (await player.ask("getMusicDirectory", id=str(album.id)))["directory"]
    assert ids(folder["child"]) == [str(songs[place].id) for place in (1, 0, 2)]
    assert (folder["name"], folder["parent"]) == (album.title, str(album.artist_id))
    alone = await make_song(infra, None, owner=songs[0].owner_id or uuid4())
    shelf = (await player.ask("getMusicDirectory", id=f"si-{alone.artist_id}"))["directory"]
    assert ids(shelf["child"]) == [str(alone.id)]
    assert await player.fails("getMusicDirectory", id="1") == 70
    assert await player.fails("getMusicDirectory", id=str(uuid4())) == 70


@pytest.mark.parametrize("call", ["getAlbum", "getArtist", "getSong", "getMusicDirectory"])
@pytest.mark.parametrize("thing", ["00000000-0000-0000-0000-000000000000", "not-ours", "", "al-", "%00"])
async def test_what_is_not_there(player: Player, call: str, thing: str) -> None:
    assert await player.fails(call, id=thing) == 70


@pytest.mark.parametrize("call", ["getAlbum", "getArtist", "getSong", "getMusicDirectory", "getTopSongs"])
async def test_what_has_to_be_said(player: Player, call: str) -> None:
    assert await player.fails(call) == 10


async def test_what_is_not_for_everybody(app: FastAPI, people: People, infra: Infra, ana: Person) -> None:
    album = await make_album(infra, owner=ana.id)
    private = await make_song(infra, album, owner=ana.id, visibility="private")
    among = await make_song(infra, album, owner=ana.id, visibility="followers")
    silent = await make_song(infra, album, owner=ana.id, audio_type=None)
    follower, stranger, blocked = [await people.make(name) for name in ("follower", "stranger", "blocked")]
    assert (await follower.put(f"/users/{ana.username}/follow")).is_success
    assert (await ana.put(f"/users/{blocked.username}/block")).is_success
    public = await make_song(infra, None, owner=ana.id)
    seen = {}
    for person in (ana, follower, stranger, blocked):
        player = await make_player(app, person)
        answers = {song: await player.try_to("getSong", id=str(song.id)) for song in (private, among, silent, public)}
        seen[person.username] = [answer["status"] == "ok" for answer in answers.values()]
        wanted = sum(seen[person.username][:2])
        told = await player.try_to("getAlbum", id=str(album.id))
        assert told.get("album", {}).get("songCount", 0) == wanted
        assert (await player.try_to("getArtist", id=str(album.artist_id)))["status"] == ("ok" if wanted else "failed")
    assert seen == {
        ana.username: [True, True, False, True],
        follower.username: [False, True, False, True],
        stranger.username: [False, False, False, True],
        blocked.username: [False, False, False, False],
    }


async def test_the_same_in_xml(player: Player, album: Album, songs: list[Track]) -> None:
    answer = await player.get("/getAlbum", params={**player.common, "f": "xml", "id": str(album.id)})
    (told,) = ET.fromstring(answer.content)
    space = "{http://subsonic.org/restapi}"
    assert told.tag == f"{space}album"
    as_json = (await player.ask("getAlbum", id=str(album.id)))["album"]
    for name, value in as_json.items():
        if not isinstance(value, list):
            assert told.attrib[name] == str(value)
    children = told.findall(f"{space}song")
    assert [child.attrib["id"] for child in children] == ids(as_json["song"])
    assert children[0].attrib["isDir"] == "false"
    assert [genre.attrib["name"] for genre in children[0].findall(f"{space}genres")] == album.genres


async def test_names_that_xml_cannot_hold(player: Player, infra: Infra, ana: Person) -> None:
    song = await make_song(
        infra, None, owner=ana.id, title="<&>\"'\x01\ud83c\udfb5".encode("utf-16", "surrogatepass").decode("utf-16")
    )
    answer = await player.get("/getSong", params={**player.common, "f": "xml", "id": str(song.id)})
    (told,) = ET.fromstring(answer.content)
    assert told.attrib["title"] == song.title.replace("\x01", "\ufffd")


async def test_genres(player: Player, infra: Infra, ana: Person) -> None:
    genre = unique("genre").lower()
    album = await make_album(infra, genres=[genre])
    await make_song(infra, album, owner=ana.id)
    await make_song(infra, album, owner=ana.id, genres=[f"{genre} own"])
    async with queries(infra) as ran:
        told = (await player.ask("getGenres"))["genres"]["genre"]
    assert ran[0] <= 3
    counted = {entry["value"]: (entry["songCount"], entry["albumCount"]) for entry in told}
    assert counted[genre] == (1, 1)
    assert counted[f"{genre} own"] == (1, 1)
    listed = (await player.ask("getSongsByGenre", genre=genre.upper()))["songsByGenre"]["song"]
    assert len(listed) == 1
    answer = await player.get("/getGenres", params={**player.common, "f": "xml"})
    (genres,) = ET.fromstring(answer.content)
    assert genre in [element.text for element in genres]


async def test_what_is_always_there(player: Player) -> None:
    assert (await player.ask("getLicense"))["license"]["valid"] is True
    assert (await player.ask("getMusicFolders"))["musicFolders"]["musicFolder"][0]["id"] == 1
    assert (await player.ask("getScanStatus"))["scanStatus"]["scanning"] is False
    for call, name in (
        ("getPodcasts", "podcasts"),
        ("getBookmarks", "bookmarks"),
        ("getShares", "shares"),
        ("getVideos", "videos"),
        ("getInternetRadioStations", "internetRadioStations"),
    ):
        assert list((await player.ask(call))[name].values()) == [[]]


async def test_information_about_artists_and_albums(player: Player, album: Album, songs: list[Track]) -> None:
    assert (await player.ask("getArtistInfo2", id=str(album.artist_id)))["artistInfo2"] == {"biography": ""}
    assert (await player.ask("getAlbumInfo2", id=str(album.id)))["albumInfo"] == {"notes": ""}
    answer = await player.get("/getArtistInfo", params={**player.common, "f": "xml", "id": str(album.artist_id)})
    (info,) = ET.fromstring(answer.content)
    assert [child.tag.rpartition("}")[2] for child in info] == ["biography"]
    assert await player.fails("getArtistInfo2", id=str(uuid4())) == 70
