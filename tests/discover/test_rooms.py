"""Rooms that somebody may like: what speaks for them, and what keeps them out."""

from typing import Any
from uuid import UUID

import pytest

from app.core.ids import uuid7
from tests.discover.conftest import World
from tests.discover.factories import make_album, make_track, review
from tests.people import Person, queries
from tests.rooms.factories import get_in, open_room


async def sit_down(world: World, room: dict[str, Any], *people: Person) -> None:
    """As presence writes it down."""
    process = uuid7()
    await world.infra.db.fetch("INSERT INTO heartbeats (process_id) VALUES ($1)", [process])
    for person in people:
        await world.infra.db.fetch(
            "INSERT INTO presences (connection_id, process_id, channel_id, user_id) VALUES ($1, $2, $3, $4)",
            [uuid7(), process, room["id"], person.id],
        )


async def suggested(person: Person, **params: Any) -> list[dict[str, Any]]:
    answer = await person.get("/discover/rooms", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def why(room: dict[str, Any]) -> list[tuple[str, str]]:
    return [(reason["kind"], reason["sentence"]) for reason in room["reasons"]]


async def test_a_new_reader_is_shown_new_rooms(world: World) -> None:
    ana, owner = await world.people.make("ana"), await world.people.make("owner")
    first, second = await open_room(owner), await open_room(owner)
    rooms = await suggested(ana)
    assert [room["id"] for room in rooms] == [second["id"], first["id"]]
    assert why(rooms[0]) == [("new", "Opened today")]
    assert await suggested(owner) == []


async def test_each_part_has_its_reason(world: World) -> None:
    ana, bruno, owner = [await world.people.make(name) for name in ("ana", "bruno", "owner")]
    jazz, pop = await make_album(world.infra, genres=["jazz", "bop"]), await make_album(world.infra, genres=["pop"])
    await review(world.infra, ana.id, jazz, 10)
    await review(world.infra, ana.id, pop, 3)
    await review(world.infra, ana.id, await make_album(world.infra, genres=["draft"]), 10, draft=True)
    await ana.put(f"/users/{bruno.username}/follow")
    by_genre, by_friend = await open_room(owner, genres=["jazz"]), await open_room(owner, genres=["pop"])
    visited, unloved = await open_room(owner), await open_room(owner, genres=["draft", "pop"])
    await get_in(ana, visited)
    await ana.post(f"/rooms/{visited['id']}/leave")
    await get_in(bruno, by_friend)
    await sit_down(world, by_friend, bruno)
    rooms = {room["id"]: room for room in await suggested(ana)}
    assert list(rooms) == [by_genre["id"], by_friend["id"], visited["id"], unloved["id"]]
    assert why(rooms[by_genre["id"]]) == [("genres", "Plays jazz, which you rate highly")]
    assert rooms[by_genre["id"]]["parts"] == {"genres": 1, "following": 0, "visits": 0, "liveliness": 0}
    assert why(rooms[by_friend["id"]]) == [
        ("following", "Bruno, whom you follow, is inside"),
        ("lively", "1 person is there right now"),
    ]
    assert rooms[by_friend["id"]]["parts"]["following"] == 0.5
    assert rooms[by_friend["id"]]["present_count"] == 1
    assert why(rooms[visited["id"]]) == [("visits", "You were there once")]
    assert why(rooms[unloved["id"]]) == [("new", "Opened today")]


async def test_music_and_people_make_it_lively(world: World) -> None:
    ana, owner = await world.people.make("ana"), await world.people.make("owner")
    quiet, lively = await open_room(owner), await open_room(owner)
    track = await make_track(world.infra, await make_album(world.infra))
    play = "INSERT INTO playbacks (room_id, track_id, item_id, playing) VALUES ($1, $2, $3, true)"
    await world.infra.db.fetch(play, [lively["id"], track.id, uuid7()])
    await sit_down(world, lively, owner, await world.people.make("bruno"))
    first, second = await suggested(ana)
    assert (first["id"], second["id"]) == (lively["id"], quiet["id"])
    assert why(first) == [("lively", "2 people are listening right now")]
    assert first["now_playing"]["id"] == str(track.id)


async def test_who_hides_their_profile_is_not_told_of(world: World) -> None:
    ana, owner = await world.people.make("ana"), await world.people.make("owner")
    shy = await world.people.make("shy", profile_visibility="me")
    await world.infra.db.fetch(
        "INSERT INTO follows (id, follower_id, followed_id) VALUES ($1, $2, $3)", [uuid7(), ana.id, shy.id]
    )
    room = await open_room(owner)
    await sit_down(world, room, shy)
    assert [kind for kind, _ in why((await suggested(ana))[0])] == ["lively"]


@pytest.mark.parametrize("why_not", ["private", "full", "inside", "banned", "blocked", "dismissed"])
async def test_what_is_not_suggested(world: World, why_not: str) -> None:
    ana, owner = await world.people.make("ana"), await world.people.make("owner")
    room = await open_room(owner)
    address = f"/rooms/{room['id']}"
    await sit_down(world, room, owner)
    assert [one["id"] for one in await suggested(ana)] == [room["id"]]
    if why_not == "private":
        await owner.patch(address, json={"is_private": True, "password": "blue in green"})
    elif why_not == "full":
        await owner.patch(address, json={"capacity": 1})
    elif why_not == "inside":
        await get_in(ana, room)
    elif why_not == "banned":
        await owner.put(f"{address}/bans/{ana.username}", json={})
    elif why_not == "blocked":
        await owner.put(f"/users/{ana.username}/block")
    else:
        for _ in range(2):
            assert (await ana.put(f"/discover{address}/dismissal")).status_code == 204
    assert await suggested(ana) == []
    if why_not == "dismissed":
        assert (await ana.delete(f"/discover{address}/dismissal")).status_code == 204
        assert len(await suggested(ana)) == 1


async def test_a_dismissal_needs_a_room(world: World) -> None:
    ana = await world.people.make("ana")
    for method in ("PUT", "DELETE"):
        assert (await ana.request(method, f"/discover/rooms/{uuid7()}/dismissal")).status_code == 404


async def test_pages_and_statements(world: World) -> None:
    ana, owner = await world.people.make("ana"), await world.people.make("owner")
    made = {(await open_room(owner))["id"] for _ in range(5)}
    seen: list[UUID] = []
    params: dict[str, Any] = {"limit": 2}
    while True:
        async with queries(world.infra) as ran:
            page = (await ana.get("/discover/rooms", params=params)).json()
        assert ran == [4]
        seen += [room["id"] for room in page["items"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert len(seen) == 5
    assert set(seen) == made
