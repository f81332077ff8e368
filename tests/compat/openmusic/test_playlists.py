"""Playlists, who works on them, and what was done: 401 before 400 before 404 before 403."""

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI

from app.core.auth import Principal
from app.core.ids import uuid7
from app.core.infra import Infra
from app.playlists.members import add_collaborator, invite
from app.playlists.service import readable, update_playlist
from tests.compat.openmusic.conftest import SONG, Speaker, add_song, sign_up
from tests.people import queries


def principal(speaker: Speaker) -> Principal:
    return Principal(user_id=UUID(speaker.user_id), session_id=uuid7())


async def add_playlist(speaker: Speaker, name: str = "Lagu Indie Hits Indonesia") -> str:
    data = await speaker.say("POST", "/playlists", 201, json={"name": name})
    playlist_id: str = data["playlistId"]
    return playlist_id


async def collaborate(owner: Speaker, playlist_id: str, guest: Speaker) -> str:
    payload = {"playlistId": playlist_id, "userId": guest.user_id}
    data = await owner.say("POST", "/collaborations", 201, json=payload)
    collaboration_id: str = data["collaborationId"]
    return collaboration_id


@pytest.mark.parametrize("payload", [{}, {"name": True}, {"name": ""}, {"name": "x", "more": 1}, []])
async def test_bad_playlists_are_refused(john: Speaker, payload: Any) -> None:
    await john.say("POST", "/playlists", 400, json=payload)


async def test_without_a_login_there_is_nothing(anybody: Speaker, john: Speaker) -> None:
    playlist = f"/playlists/{await add_playlist(john)}"
    for method, path in [
        ("POST", "/playlists"),
        ("GET", "/playlists"),
        ("DELETE", playlist),
        ("POST", f"{playlist}/songs"),
        ("GET", f"{playlist}/songs"),
        ("DELETE", f"{playlist}/songs"),
        ("GET", f"{playlist}/activities"),
        ("POST", "/collaborations"),
        ("DELETE", "/collaborations"),
    ]:
        await anybody.say(method, path, 401, json={})


async def test_a_list_of_playlists_has_own_ones_and_those_of_others(john: Speaker, jane: Speaker, infra: Infra) -> None:
    mine, theirs = await add_playlist(john, "Mine"), await add_playlist(jane, "Theirs")
    row = {"id": mine, "name": "Mine", "username": john.username}
    assert await john.say("GET", "/playlists", 200) == {"playlists": [row]}
    await collaborate(jane, theirs, john)
    async with queries(infra) as ran:
        data = await john.say("GET", "/playlists", 200)
    assert ran == [1]
    assert {one["id"]: one for one in data["playlists"]} == {
        mine: row,
        theirs: {"id": theirs, "name": "Theirs", "username": jane.username},
    }


async def test_only_the_owner_deletes_a_playlist(john: Speaker, jane: Speaker) -> None:
    playlist_id = await add_playlist(john)
    await jane.say("DELETE", f"/playlists/{playlist_id}", 403)
    await collaborate(john, playlist_id, jane)
    await jane.say("DELETE", f"/playlists/{playlist_id}", 403)
    await john.say("DELETE", f"/playlists/{playlist_id}", 200)
    await john.say("DELETE", f"/playlists/{playlist_id}", 404)
    await jane.say("GET", f"/playlists/{playlist_id}/songs", 404)


@pytest.mark.parametrize("playlist_id", ["xxx", "01890000-0000-7000-8000-00000000dead"])
async def test_a_playlist_that_is_not_there(john: Speaker, jane: Speaker, playlist_id: str) -> None:
    song = {"songId": await add_song(john)}
    await john.say("DELETE", f"/playlists/{playlist_id}", 404)
    await john.say("POST", f"/playlists/{playlist_id}/songs", 404, json=song)
    await john.say("GET", f"/playlists/{playlist_id}/songs", 404)
    await john.say("DELETE", f"/playlists/{playlist_id}/songs", 404, json=song)
    await john.say("GET", f"/playlists/{playlist_id}/activities", 404)
    payload = {"playlistId": playlist_id, "userId": jane.user_id}
    await john.say("POST", "/collaborations", 404, json=payload)
    await john.say("DELETE", "/collaborations", 404, json=payload)


async def test_songs_come_and_go(john: Speaker, infra: Infra) -> None:
    playlist_id = await add_playlist(john)
    songs = f"/playlists/{playlist_id}/songs"
    first, second = await add_song(john), await add_song(john, title="Fix You")
    for song_id in (first, second):
        await john.say("POST", songs, 201, json={"songId": song_id})
    async with queries(infra) as ran:
        data = await john.say("GET", songs, 200)
    assert ran == [2]
    rows = [
        {"id": first, "title": SONG["title"], "performer": "Coldplay"},
        {"id": second, "title": "Fix You", "performer": "Coldplay"},
    ]
    card = {"id": playlist_id, "name": "Lagu Indie Hits Indonesia", "username": john.username}
    assert data == {"playlist": card | {"songs": rows}}
    await john.say("DELETE", songs, 200, json={"songId": first})
    assert (await john.say("GET", songs, 200))["playlist"]["songs"] == rows[1:]
    await john.say("DELETE", songs, 404, json={"songId": first})


@pytest.mark.parametrize("payload", [{}, {"songId": 123}, {"songId": None}, {"song_id": "x"}])
async def test_bad_songs_of_playlists_are_refused(john: Speaker, payload: dict[str, Any]) -> None:
    for playlist_id in (await add_playlist(john), "xxx"):
        await john.say("POST", f"/playlists/{playlist_id}/songs", 400, json=payload)
        await john.say("DELETE", f"/playlists/{playlist_id}/songs", 400, json=payload)


async def test_a_song_that_is_not_there_is_not_added(john: Speaker) -> None:
    playlist_id = await add_playlist(john)
    for song_id in ("xxx", str(uuid7())):
        await john.say("POST", f"/playlists/{playlist_id}/songs", 404, json={"songId": song_id})
        await john.say("DELETE", f"/playlists/{playlist_id}/songs", 404, json={"songId": song_id})


async def test_a_song_that_was_deleted_is_no_song_of_a_playlist(john: Speaker) -> None:
    playlist_id, song_id = await add_playlist(john), await add_song(john)
    await john.say("POST", f"/playlists/{playlist_id}/songs", 201, json={"songId": song_id})
    await john.say("DELETE", f"/songs/{song_id}", 200)
    assert (await john.say("GET", f"/playlists/{playlist_id}/songs", 200))["playlist"]["songs"] == []


async def test_others_stay_out_until_they_collaborate_and_after(john: Speaker, jane: Speaker) -> None:
    playlist_id, song = await add_playlist(john), {"songId": await add_song(john)}
    playlist = f"/playlists/{playlist_id}"

    async def may(status: int, removed: int) -> None:
        await jane.say("POST", f"{playlist}/songs", 201 if status == 200 else status, json=song)
        await jane.say("GET", f"{playlist}/songs", status)
        await jane.say("GET", f"{playlist}/activities", status)
        await jane.say("DELETE", f"{playlist}/songs", removed, json=song)

    await may(403, 403)
    await collaborate(john, playlist_id, jane)
    await may(200, 200)
    await john.say("DELETE", "/collaborations", 200, json={"playlistId": playlist_id, "userId": jane.user_id})
    await may(403, 403)


async def test_a_public_playlist_is_read_by_everybody_and_changed_by_its_own(
    john: Speaker, jane: Speaker, infra: Infra
) -> None:
    playlist_id = await add_playlist(john)
    async with infra.db.write() as db:
        await update_playlist(db, principal(john), UUID(playlist_id), visibility="public")
    await jane.say("GET", f"/playlists/{playlist_id}/songs", 200)
    await jane.say("GET", f"/playlists/{playlist_id}/activities", 403)
    await jane.say("POST", f"/playlists/{playlist_id}/songs", 403, json={"songId": await add_song(john)})
    await jane.say("DELETE", f"/playlists/{playlist_id}", 403)


async def test_activities_are_told_in_their_order(john: Speaker, jane: Speaker, infra: Infra) -> None:
    playlist_id = await add_playlist(john)
    songs = f"/playlists/{playlist_id}/songs"
    first, second = await add_song(john), await add_song(john, title="Fix You")
    await john.say("POST", songs, 201, json={"songId": first})
    await collaborate(john, playlist_id, jane)
    await jane.say("POST", songs, 201, json={"songId": second})
    await jane.say("DELETE", songs, 200, json={"songId": first})
    async with queries(infra) as ran:
        data = await john.say("GET", f"/playlists/{playlist_id}/activities", 200)
    assert ran == [2]
    assert data["playlistId"] == playlist_id
    told = data["activities"]
    assert all(activity.keys() == {"username", "title", "action", "time"} for activity in told)
    assert [(activity["username"], activity["title"], activity["action"]) for activity in told] == [
        (john.username, SONG["title"], "add"),
        (jane.username, "Fix You", "add"),
        (jane.username, SONG["title"], "delete"),
    ]
    times = [datetime.fromisoformat(activity["time"]) for activity in told]
    assert times == sorted(times)


@pytest.mark.parametrize("payload", [{}, {"playlistId": 1, "userId": "x"}, {"playlistId": "x"}, {"userId": "x"}])
async def test_bad_collaborations_are_refused(john: Speaker, payload: dict[str, Any]) -> None:
    await john.say("POST", "/collaborations", 400, json=payload)
    await john.say("DELETE", "/collaborations", 400, json=payload)


async def test_collaborations_are_the_owners_to_give(speaking: FastAPI, john: Speaker, jane: Speaker) -> None:
    playlist_id = await add_playlist(john)
    async with await sign_up(speaking, "jim") as jim:
        with_jim = {"playlistId": playlist_id, "userId": jim.user_id}
        for method in ("POST", "DELETE"):
            await jane.say(method, "/collaborations", 403, json=with_jim)
        await collaborate(john, playlist_id, jane)
        for method in ("POST", "DELETE"):
            await jane.say(method, "/collaborations", 403, json=with_jim)
        await jane.say("DELETE", "/collaborations", 403, json=with_jim | {"userId": jane.user_id})
        await john.say("DELETE", "/collaborations", 404, json=with_jim)
        await john.say("POST", "/collaborations", 201, json=with_jim)
        await john.say("POST", "/collaborations", 400, json=with_jim)
        await john.say("POST", "/collaborations", 400, json=with_jim | {"userId": john.user_id})
        await john.say("DELETE", "/collaborations", 400, json=with_jim | {"userId": john.user_id})


async def test_nobody_collaborates_who_is_not_there(john: Speaker) -> None:
    playlist_id = await add_playlist(john)
    for user_id in ("xxx", str(uuid7())):
        payload = {"playlistId": playlist_id, "userId": user_id}
        await john.say("POST", "/collaborations", 404, json=payload)
        await john.say("DELETE", "/collaborations", 404, json=payload)


async def test_whoever_was_invited_collaborates_at_once(john: Speaker, jane: Speaker, infra: Infra) -> None:
    playlist_id = await add_playlist(john)
    async with infra.db.write() as db:
        await invite(db, principal(john), UUID(playlist_id), jane.username, role="viewer")
    await collaborate(john, playlist_id, jane)
    await jane.say("POST", f"/playlists/{playlist_id}/songs", 201, json={"songId": await add_song(john)})


async def test_whoever_may_only_look_changes_nothing(john: Speaker, jane: Speaker, infra: Infra) -> None:
    playlist_id = await add_playlist(john)
    async with infra.db.write() as db:
        await add_collaborator(db, principal(john), UUID(playlist_id), UUID(jane.user_id), role="viewer")
    await jane.say("GET", f"/playlists/{playlist_id}/songs", 200)
    await jane.say("POST", f"/playlists/{playlist_id}/songs", 403, json={"songId": await add_song(john)})


async def test_it_is_a_playlist_like_any_other(john: Speaker, infra: Infra) -> None:
    playlist_id, song_id = await add_playlist(john), await add_song(john)
    await john.say("POST", f"/playlists/{playlist_id}/songs", 201, json={"songId": song_id})
    playlist = await readable(infra.db.reader, principal(john), UUID(playlist_id))
    assert (playlist.visibility, playlist.track_count) == ("private", 1)
