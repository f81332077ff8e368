"""What happens to rooms when nobody comes any more, and when accounts go."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, update

from app.core.infra import Infra
from app.core.job_runner import drain
from app.core.jobs import emit
from app.rooms.closing import close_idle_rooms, forget_closed_rooms
from app.rooms.models import Room
from app.users.events import AccountDeleted
from app.users.exports import _exporters
from tests.people import People, Person
from tests.rooms.factories import get_in, with_members
from tests.sockets import sit


async def grow_old(infra: Infra, *rooms: dict[str, Any]) -> None:
    async with infra.db.write() as db:
        old = func.now() - timedelta(days=2)
        await db.execute(update(Room).where(Room.id.in_([room["id"] for room in rooms])).values(last_active_at=old))


async def delete_account(infra: Infra, person: Person, *, keep_content: bool = True) -> None:
    async with infra.db.write() as db:
        await emit(db, AccountDeleted(user_id=person.id, keep_content=keep_content))
    await drain(infra)


async def test_temporary_rooms_that_nobody_visits_are_closed(live: str, people: People, infra: Infra) -> None:
    (idle, [one]), (busy, [two]) = await with_members(people), await with_members(people)
    lasting, [three] = await with_members(people, is_permanent=True)
    await grow_old(infra, idle, busy, lasting)
    async with sit(live, f"rooms/{busy['id']}", two):
        async with asyncio.timeout(5):
            while (await two.get(f"/rooms/{busy['id']}")).json()["present_count"] == 0:
                await asyncio.sleep(0.05)
        await close_idle_rooms(infra)
    assert (await one.get(f"/rooms/{idle['id']}")).status_code == 404
    assert (await two.get(f"/rooms/{busy['id']}")).status_code == 200
    assert (await three.get(f"/rooms/{lasting['id']}")).status_code == 200


async def test_the_log_of_a_closed_room_goes_a_little_later(people: People, infra: Infra) -> None:
    room, [owner] = await with_members(people)
    await owner.delete(f"/rooms/{room['id']}")
    await forget_closed_rooms(infra)
    assert await infra.db.fetch("SELECT 1 FROM channels WHERE id = $1", [room["id"]])
    await infra.db.fetch(
        "UPDATE channel_events SET created_at = created_at - interval '2 minutes' WHERE channel_id = $1", [room["id"]]
    )
    await forget_closed_rooms(infra)
    assert not await infra.db.fetch("SELECT 1 FROM channels WHERE id = $1", [room["id"]])


async def test_who_leaves_soundscore_leaves_their_rooms(people: People, infra: Infra) -> None:
    (shared, [owner, heir]), (alone, [_]) = await with_members(people, "dj"), await with_members(people)
    await get_in(owner, alone)
    await delete_account(infra, owner)
    now = (await heir.get(f"/rooms/{shared['id']}")).json()
    assert (now["role"], now["member_count"]) == ("owner", 1)
    assert (await heir.get(f"/rooms/{alone['id']}")).json()["member_count"] == 1


@pytest.mark.parametrize("keep_content", [True, False])
async def test_an_empty_permanent_room_outlives_its_owner(people: People, infra: Infra, keep_content: bool) -> None:
    room, [owner] = await with_members(people, is_permanent=True)
    await owner.post(f"/rooms/{room['id']}/leave")
    await delete_account(infra, owner, keep_content=keep_content)
    heir = await people.make("heir")
    if not keep_content:
        assert (await heir.get(f"/rooms/{room['id']}")).status_code == 404
        return
    assert (await heir.get(f"/rooms/{room['id']}")).json()["owner"] is None
    joined = await get_in(heir, room)
    assert (joined["role"], joined["owner"]["username"]) == ("owner", heir.username)


async def test_a_permanent_room_whose_owner_was_away_goes_to_somebody_inside(people: People, infra: Infra) -> None:
    room, [owner] = await with_members(people, is_permanent=True)
    await owner.post(f"/rooms/{room['id']}/leave")
    member = await people.make("member")
    assert (await get_in(member, room))["role"] == "member"
    await delete_account(infra, owner)
    assert (await member.get(f"/rooms/{room['id']}")).json()["role"] == "owner"


async def test_an_export_names_rooms(people: People, infra: Infra) -> None:
    room, [owner, member] = await with_members(people, "member")

    async def rows(name: str, person: Person) -> list[Any]:
        return [row async for row in _exporters[name](infra.db.reader, person.id)]

    assert [str(row["id"]) for row in await rows("rooms", owner)] == [room["id"]]
    assert await rows("rooms", member) == []
    assert [(str(row["room_id"]), row["role"]) for row in await rows("room_memberships", member)] == [
        (room["id"], "member")
    ]
    assert [row["visits"] for row in await rows("room_visits", member)] == [1]
