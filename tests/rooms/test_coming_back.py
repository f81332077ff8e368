"""Who leaves a room and comes again: what was said of them stays, what was said meanwhile is not theirs to catch up."""

import pytest

from app.core.infra import Infra
from tests.people import People
from tests.rooms.factories import get_in, with_members
from tests.rooms.playing import problem


@pytest.mark.parametrize("minutes", [None, 60])
async def test_to_leave_does_not_end_a_mute(people: People, minutes: int | None) -> None:
    room, [owner, member] = await with_members(people, "member")
    mute = f"/rooms/{room['id']}/members/{member.username}/mute"
    terms = {} if minutes is None else {"minutes": minutes}
    muted = (await owner.put(mute, json=terms)).json()["muted_until"]
    for _ in range(2):
        assert (await member.post(f"/rooms/{room['id']}/leave")).status_code == 204
        await get_in(member, room)
        assert problem(await member.post(f"/chat/{room['id']}", json={"text": "But"})) == (403, "muted")
    listed = (await owner.get(f"/rooms/{room['id']}/members")).json()["items"]
    assert [it["muted_until"] for it in listed if it["user"]["id"] == str(member.id)] == [muted]
    assert (await owner.delete(mute)).status_code == 200
    await member.post(f"/rooms/{room['id']}/leave")
    await get_in(member, room)
    assert (await member.post(f"/chat/{room['id']}", json={"text": "Thanks"})).status_code == 201


async def test_a_guest_comes_back_as_a_guest(people: People) -> None:
    room, [_, guest, dj] = await with_members(people, "guest", "dj")
    for person in (guest, dj):
        await person.post(f"/rooms/{room['id']}/leave")
    assert (await get_in(guest, room))["role"] == "guest"
    assert (await get_in(dj, room))["role"] == "member"  # rights are given anew


async def test_a_mute_that_is_over_is_none(people: People, infra: Infra) -> None:
    room, [owner, member] = await with_members(people, "member")
    await owner.put(f"/rooms/{room['id']}/members/{member.username}/mute", json={"minutes": 1})
    async with infra.db.write() as db:
        past = "UPDATE room_members SET muted_until = now() - interval '1 hour' WHERE user_id = $1"
        await db.records(past, [member.id])
    listed = (await owner.get(f"/rooms/{room['id']}/members")).json()["items"]
    assert [it["muted_until"] for it in listed] == [None, None]
    await member.post(f"/rooms/{room['id']}/leave")
    await get_in(member, room)
    assert (await member.post(f"/chat/{room['id']}", json={"text": "Hi"})).status_code == 201


async def test_what_was_said_meanwhile_is_not_unread(people: People) -> None:
    room, [owner, member] = await with_members(people, "member")
    await member.post(f"/rooms/{room['id']}/leave")
    for number in range(3):
        await owner.post(f"/chat/{room['id']}", json={"text": str(number)})
    await get_in(member, room)
    await owner.post(f"/chat/{room['id']}", json={"text": "Welcome back"})
    (mine,) = (await member.get("/rooms/mine")).json()["items"]
    assert mine["unread_count"] == 1
