"""What a room played becomes a playlist: in its order, each track once, as far as one may hear it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.core.ids import uuid7
from app.core.infra import Infra
from app.rooms.playback_models import RoomPlay
from tests.people import People, Person, queries
from tests.rooms.factories import open_room
from tests.rooms.playing import make_tracks

Json = dict[str, Any]
BEGAN = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)


@pytest.fixture
async def ana(people: People) -> Person:
    return await people.make("ana")


@pytest.fixture
async def ben(people: People) -> Person:
    return await people.make("ben")


async def play(infra: Infra, room: Json, *track_ids: UUID, skipped: bool = False, minutes: int = 0) -> None:
    """As if the room had played these, one a minute."""
    async with infra.db.write() as db:
        for number, track_id in enumerate(track_ids, minutes):
            begun = BEGAN + timedelta(minutes=number)
            ended = {"started_at": begun, "ended_at": begun + timedelta(minutes=1), "skipped": skipped}
            db.add(RoomPlay(id=uuid7(), room_id=UUID(room["id"]), item_id=uuid7(), track_id=track_id, **ended))
            await db.flush()


async def keep(person: Person, room: Json, **wanted: Any) -> Json:
    answer = await person.post(f"/rooms/{room['id']}/history/playlist", json={"name": "Kept", **wanted})
    assert answer.status_code == 201, answer.text
    kept: Json = answer.json()
    return kept


async def titles(person: Person, playlist: Json) -> list[str]:
    items = (await person.get(f"/playlists/{playlist['id']}/entries")).json()["items"]
    return [item["title"] for item in items]


async def test_it_has_what_was_played_in_that_order(infra: Infra, ana: Person, ben: Person) -> None:
    room, tracks = await open_room(ana), await make_tracks(infra, 1000, 1000, 1000)
    a, b, c = tracks
    await play(infra, room, b, a, b, a)
    await play(infra, room, c, skipped=True, minutes=4)
    kept = await keep(ben, room, description="Friday", visibility="public")
    assert (kept["name"], kept["description"], kept["visibility"], kept["track_count"]) == (
        "Kept",
        "Friday",
        "public",
        2,
    )
    assert kept["owner"]["username"] == ben.username
    assert await titles(ben, kept) == ["B", "A"]
    assert await titles(ben, await keep(ben, room, repeats=True, skipped=True)) == ["B", "A", "B", "A", "C"]


async def test_of_a_time(infra: Infra, ana: Person) -> None:
    room, tracks = await open_room(ana), await make_tracks(infra, 1000, 1000, 1000)
    await play(infra, room, *tracks)
    since, until = (BEGAN + timedelta(minutes=minutes) for minutes in (1, 2))
    assert await titles(ana, await keep(ana, room, since=since.isoformat())) == ["B", "C"]
    assert await titles(ana, await keep(ana, room, since=since.isoformat(), until=until.isoformat())) == ["B"]
    late = (BEGAN + timedelta(hours=1)).isoformat()
    nothing = await ana.post(f"/rooms/{room['id']}/history/playlist", json={"name": "Kept", "since": late})
    assert (nothing.status_code, nothing.json()["code"]) == (409, "nothing_played")


async def test_only_what_one_may_hear(infra: Infra, ana: Person, ben: Person) -> None:
    room = await open_room(ana)
    (public,), (private,) = (
        await make_tracks(infra, 1000),
        await make_tracks(infra, 1000, owner_id=ana.id, visibility="private"),
    )
    await play(infra, room, public, private)
    assert (await keep(ana, room))["track_count"] == 2
    assert (await keep(ben, room))["track_count"] == 1


async def test_a_duplicate_is_the_track_that_stays(infra: Infra, ana: Person) -> None:
    room, (kept, duplicate) = await open_room(ana), await make_tracks(infra, 1000, 1000)
    await play(infra, room, duplicate, kept)
    async with infra.db.write() as db:
        await db.records("UPDATE tracks SET merged_into_id = $1 WHERE id = $2", [kept, duplicate])
    assert await titles(ana, await keep(ana, room)) == ["A"]


async def test_a_private_room_is_for_its_members(infra: Infra, ana: Person, ben: Person) -> None:
    room = await open_room(ana, is_private=True)
    await play(infra, room, *await make_tracks(infra, 1000))
    assert (await ben.post(f"/rooms/{room['id']}/history/playlist", json={"name": "Kept"})).status_code in {403, 404}
    assert (await ana.post(f"/rooms/{uuid7()}/history/playlist", json={"name": "Kept"})).status_code == 404
    refused = await ana.post(f"/rooms/{room['id']}/history/playlist", json={"name": ""})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/body/name")


async def test_it_costs_the_same_for_one_and_for_many(infra: Infra, ana: Person) -> None:
    costs = []
    for many in (1, 30):
        room = await open_room(ana)
        await play(infra, room, *await make_tracks(infra, *[1000] * many))
        async with queries(infra) as ran:
            await keep(ana, room)
        costs += ran
    assert costs[0] == costs[1]
