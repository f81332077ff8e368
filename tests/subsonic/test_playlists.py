"""Playlists: what a client makes and changes is what everybody else sees."""

import asyncio
import xml.etree.ElementTree as ET
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI

from app.catalog.models import Track
from app.core.infra import Infra
from tests.people import People, Person, queries
from tests.playlists.factories import collaborate, make_playlist, titles_of
from tests.subsonic.factories import Player, make_album, make_player, make_song, unique


@pytest.fixture
async def ana(people: People) -> Person:
    return await people.make("ana")


@pytest.fixture
async def player(app: FastAPI, ana: Person) -> Player:
    return await make_player(app, ana)


@pytest.fixture
async def songs(infra: Infra, ana: Person) -> list[Track]:
    album = await make_album(infra)
    return [await make_song(infra, album, owner=ana.id, title=f"Song {place}") for place in range(5)]


def titles(playlist: dict[str, Any]) -> list[str]:
    return [song["title"] for song in playlist["entry"]]


async def playlist_of(player: Player, playlist_id: str) -> dict[str, Any]:
    playlist: dict[str, Any] = (await player.ask("getPlaylist", id=playlist_id))["playlist"]
    return playlist


async def test_made_changed_and_deleted(player: Player, ana: Person, songs: list[Track]) -> None:
    ids = [str(song.id) for song in songs]
    made = (await player.ask("createPlaylist", name="  Sunday,\n slowly ", songId=[*ids[:3], ids[0]]))["playlist"]
    assert (made["name"], made["owner"], made["public"], made["readonly"]) == (
        "Sunday, slowly",
        ana.username,
        False,
        False,
    )
    assert (titles(made), made["songCount"], made["duration"]) == (["Song 0", "Song 1", "Song 2", "Song 0"], 4, 246)
    changes = {"name": "Monday", "comment": "Fast", "public": "True"}
    await player.ask("updatePlaylist", playlistId=made["id"], songIdToAdd=ids[3:], songIndexToRemove=[0, 2], **changes)
    changed = await playlist_of(player, made["id"])
    assert (changed["name"], changed["comment"], changed["public"]) == ("Monday", "Fast", True)
    assert titles(changed) == ["Song 1", "Song 0", "Song 3", "Song 4"]
    assert await titles_of(ana, made["id"]) == titles(changed)
    replaced = (await player.ask("createPlaylist", playlistId=made["id"], songId=ids[2]))["playlist"]
    assert (titles(replaced), replaced["name"]) == (["Song 2"], "Monday")
    (listed,) = (await player.ask("getPlaylists"))["playlists"]["playlist"]
    assert (listed["id"], listed["songCount"], listed["duration"]) == (made["id"], 1, 61)
    await player.ask("deletePlaylist", id=made["id"])
    assert (await player.ask("getPlaylists"))["playlists"]["playlist"] == []
    assert await player.fails("getPlaylist", id=made["id"]) == 70


async def test_what_reading_costs(player: Player, songs: list[Track], infra: Infra) -> None:
    for count in (1, 5):
        await player.ask("createPlaylist", name=f"{count}", songId=[str(song.id) for song in songs[:count]])
    async with queries(infra) as ran:
        lists = (await player.ask("getPlaylists"))["playlists"]["playlist"]
    assert ran == [3]
    assert sorted(listed["songCount"] for listed in lists) == [1, 5]
    async with queries(infra) as ran:
        await playlist_of(player, lists[0]["id"])
    assert ran == [3]


async def test_entries_that_cannot_be_heard_stay(
    app: FastAPI, player: Player, ana: Person, songs: list[Track], infra: Infra
) -> None:
    silent = await make_song(infra, None, owner=ana.id, audio_type=None, title="Silent")
    playlist_id = await make_playlist(ana, songs[0].id, silent.id, songs[1].id)
    assert titles(await playlist_of(player, playlist_id)) == ["Song 0", "Song 1"]
    (listed,) = (await player.ask("getPlaylists"))["playlists"]["playlist"]
    assert listed["songCount"] == 2
    await player.ask("updatePlaylist", playlistId=playlist_id, songIndexToRemove=1)
    assert await titles_of(ana, playlist_id) == ["Song 0", "Silent"]
    await player.ask("createPlaylist", playlistId=playlist_id, songId=str(songs[4].id))
    assert await titles_of(ana, playlist_id) == ["Silent", "Song 4"]


async def test_playlists_of_others(app: FastAPI, people: People, player: Player, songs: list[Track]) -> None:
    other = await people.make("other")
    theirs = await make_player(app, other)
    made = (await player.ask("createPlaylist", name="Ana's", songId=str(songs[0].id)))["playlist"]["id"]
    changes: list[tuple[str, dict[str, Any]]] = [
        ("updatePlaylist", {"playlistId": made, "name": "Mine"}),
        ("updatePlaylist", {"playlistId": made, "songIdToAdd": str(songs[1].id)}),
        ("updatePlaylist", {"playlistId": made, "songIndexToRemove": 0}),
        ("createPlaylist", {"playlistId": made, "songId": str(songs[1].id)}),
        ("deletePlaylist", {"id": made}),
    ]
    for call, parameters in (*changes, ("getPlaylist", {"id": made})):
        assert await theirs.fails(call, **parameters) == 70, call
    await player.ask("updatePlaylist", playlistId=made, public="true")
    for call, parameters in changes:
        assert await theirs.fails(call, **parameters) == 50, call
    assert (await playlist_of(theirs, made))["readonly"] is True
    assert (await theirs.ask("getPlaylists"))["playlists"]["playlist"] == []
    assert titles(await playlist_of(player, made)) == ["Song 0"]


async def test_an_editor_saves_what_the_player_shows(
    app: FastAPI, people: People, player: Player, ana: Person, songs: list[Track]
) -> None:
    editor, ids = await people.make("editor"), [str(song.id) for song in songs]
    theirs = await make_player(app, editor)
    made = (await player.ask("createPlaylist", name="Ours", songId=ids[0]))["playlist"]["id"]
    await player.ask("updatePlaylist", playlistId=made, comment="For two")
    await collaborate(ana, made, editor)
    shown = await playlist_of(theirs, made)
    saved = {"playlistId": made, "name": shown["name"], "comment": shown["comment"], "public": shown["public"]}
    await theirs.ask("createPlaylist", **saved, songId=ids[1])
    await theirs.ask("updatePlaylist", **saved, songIdToAdd=ids[2])
    assert titles(await playlist_of(player, made)) == ["Song 1", "Song 2"]
    for other in ({"name": "Mine"}, {"comment": "For me"}, {"public": True}):
        for call, song in (("createPlaylist", "songId"), ("updatePlaylist", "songIdToAdd")):
            assert await theirs.fails(call, **saved | other, **{song: ids[3]}) == 50
    still = await playlist_of(player, made)
    assert [still[key] for key in ("name", "comment", "public")] == ["Ours", "For two", False]
    assert titles(still) == ["Song 1", "Song 2"]


async def test_songs_of_others_that_are_private(
    app: FastAPI, people: People, infra: Infra, player: Player, ana: Person
) -> None:
    other = await make_player(app, await people.make("other"))
    private = await make_song(infra, None, owner=ana.id, visibility="private", title="Secret")
    made = (await player.ask("createPlaylist", name="Mixed", songId=str(private.id)))["playlist"]["id"]
    await player.ask("updatePlaylist", playlistId=made, public="true")
    assert titles(await playlist_of(player, made)) == ["Secret"]
    assert titles(await playlist_of(other, made)) == []


@pytest.mark.parametrize(
    ("call", "parameters", "number"),
    [
        ("createPlaylist", {}, 10),
        ("createPlaylist", {"name": " "}, 0),
        ("createPlaylist", {"name": "x" * 101}, 0),
        ("createPlaylist", {"name": "x", "songId": "none"}, 70),
        ("createPlaylist", {"name": "x", "songId": "01956ec6-f700-73a5-8c43-4797e00d8400"}, 70),
        ("createPlaylist", {"playlistId": "none"}, 70),
        ("updatePlaylist", {}, 10),
        ("updatePlaylist", {"playlistId": "01956ec6-f700-73a5-8c43-4797e00d8400", "name": "x"}, 70),
        ("getPlaylist", {}, 10),
        ("deletePlaylist", {}, 10),
    ],
)
async def test_what_cannot_be(player: Player, call: str, parameters: dict[str, Any], number: int) -> None:
    assert await player.fails(call, **parameters) == number


async def test_changes_that_cannot_be_change_nothing(player: Player, songs: list[Track]) -> None:
    made = (await player.ask("createPlaylist", name="Still", songId=str(songs[0].id)))["playlist"]["id"]
    for more, number in (
        ({"songIndexToRemove": 1}, 0),
        ({"songIndexToRemove": "-1"}, 0),
        ({"songIdToAdd": str(uuid4())}, 70),
        ({"public": "perhaps"}, 0),
        ({"comment": "x" * 1001}, 0),
    ):
        assert await player.fails("updatePlaylist", playlistId=made, name="Moved", **more) == number
    still = await playlist_of(player, made)
    assert (still["name"], titles(still)) == ("Still", ["Song 0"])


async def test_of_programs_that_overwrite_at_once_the_last_wins(player: Player, songs: list[Track]) -> None:
    ids = [str(song.id) for song in songs]
    made = (await player.ask("createPlaylist", name="Busy", songId=ids))["playlist"]["id"]
    await asyncio.gather(*(player.ask("createPlaylist", playlistId=made, songId=ids[n % 5]) for n in range(8)))
    assert (await playlist_of(player, made))["songCount"] == 1


async def test_of_programs_that_remove_the_first_song_at_once_each_removes_one(
    player: Player, songs: list[Track]
) -> None:
    made = (await player.ask("createPlaylist", name="Busy", songId=[str(song.id) for song in songs]))["playlist"]["id"]
    first = {"playlistId": made, "songIndexToRemove": 0}
    answers = await asyncio.gather(*(player.try_to("updatePlaylist", **first) for _ in range(8)))
    assert sorted(answer["status"] for answer in answers) == [*["failed"] * 3, *["ok"] * 5]
    assert titles(await playlist_of(player, made)) == []


async def test_smart_playlists_are_read(player: Player, ana: Person, songs: list[Track], infra: Infra) -> None:
    rules = {"match": "all", "conditions": [{"field": "title", "op": "is", "value": songs[0].title}]}
    made = await ana.post("/playlists", json={"name": "Smart", "rules": rules})
    if made.status_code != 201:
        pytest.fail(made.text)
    playlist = await playlist_of(player, made.json()["id"])
    assert playlist["readonly"] is True
    assert str(songs[0].id) in [song["id"] for song in playlist["entry"]]


async def test_smart_playlists_are_listed_as_they_are_read(
    people: People, player: Player, ana: Person, songs: list[Track], infra: Infra
) -> None:
    genre = unique("genre")
    for_genre = {"match": "all", "conditions": [{"field": "genre", "op": "is", "value": genre}]}
    other = await people.make("other")
    for person, name in ((ana, "Mine"), (other, "Theirs")):
        made = await make_playlist(person, name=name, rules=for_genre, visibility="public")
        await ana.put(f"/playlists/{made}/like")
    await make_playlist(ana, songs[0].id)

    async def listed(cost: int) -> list[dict[str, Any]]:
        async with queries(infra) as ran:
            lists = (await player.ask("getPlaylists"))["playlists"]["playlist"]
        assert ran == [cost]
        return [one for one in lists if one["name"] in {"Mine", "Theirs"}]

    await player.ask("ping")
    before = await listed(5)
    assert [(one["name"], one["songCount"], one["duration"]) for one in before] == [("Mine", 0, 0), ("Theirs", 0, 0)]
    stranger = await people.make("stranger")
    for owner, more in ((ana, {}), (ana, {"audio_type": None}), (stranger, {"visibility": "private"})):
        await make_song(infra, None, owner=owner.id, genres=[genre], **more)
    after = await listed(6)
    assert [(one["songCount"], one["duration"]) for one in after] == [(1, 61), (1, 61)]
    for old, new in zip(before, after, strict=True):
        read = await playlist_of(player, new["id"])
        assert (read["songCount"], read["duration"], len(read["entry"])) == (1, 61, 1)
        assert old["changed"] < new["changed"] < read["changed"], "who keeps what has not changed reads it again"


async def test_the_same_in_xml(player: Player, songs: list[Track]) -> None:
    made = (await player.ask("createPlaylist", name="Lists & <more>", songId=str(songs[0].id)))["playlist"]["id"]
    answer = await player.get("/getPlaylist", params={**player.common, "f": "xml", "id": made})
    (playlist,) = ET.fromstring(answer.content)
    assert (playlist.attrib["name"], playlist.attrib["public"]) == ("Lists & <more>", "false")
    assert [entry.attrib["title"] for entry in playlist] == ["Song 0"]
