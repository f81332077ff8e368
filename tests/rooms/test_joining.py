"""Coming in and leaving: every refusal, and races for the last place."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import update

from app.core.ids import uuid7
from app.core.infra import Infra
from app.rooms.models import RoomBan, RoomInvite
from tests.people import People, Person
from tests.rooms.factories import get_in, open_room, with_members


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def join(person: Person, room: dict, **entrance: str) -> httpx.Response:
    return await person.post(f"/rooms/{room['id']}/join", json=entrance)


async def leave(person: Person, room: dict) -> httpx.Response:
    return await person.post(f"/rooms/{room['id']}/leave")


async def test_a_public_room_lets_everybody_in(people: People) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    room = await open_room(ana, genres=["Jazz"], description="Late")
    assert (room["role"], room["member_count"], room["genres"]) == ("owner", 1, ["jazz"])
    answer = await bruno.post(f"/rooms/{room['id']}/join")
    assert answer.status_code == 200
    joined = answer.json()
    assert (joined["role"], joined["member_count"]) == ("member", 2)
    members = (await bruno.get(f"/rooms/{room['id']}/members")).json()["items"]
    assert [(m["user"]["username"], m["role"]) for m in members] == [
        (ana.username, "owner"),
        (bruno.username, "member"),
    ]


async def test_who_comes_in_is_a_guest_where_the_room_says_so(people: People) -> None:
    room = await open_room(await people.make("ana"), entry_role="guest")
    assert (await get_in(await people.make("bruno"), room))["role"] == "guest"


async def test_every_refusal(people: People) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    room = await open_room(ana, is_private=True, password="blue in green", capacity=2)
    assert room["has_password"] is True
    assert not {"password", "password_hash"} & room.keys()
    assert problem(await bruno.post(f"/rooms/{uuid7()}/join")) == (404, "not_found")
    assert problem(await join(bruno, room)) == (401, "wrong_room_password")
    assert problem(await join(bruno, room, password="so what")) == (401, "wrong_room_password")
    assert problem(await join(bruno, room, invite="no such code")) == (404, "invite_over")
    assert (await join(bruno, room, password="blue in green")).status_code == 200
    assert problem(await join(bruno, room, password="blue in green")) == (409, "already_in_room")
    carla = await people.make("carla")
    assert problem(await join(carla, room, password="blue in green")) == (403, "room_full")
    assert (await ana.put(f"/rooms/{room['id']}/bans/{carla.username}", json={"reason": "Noise"})).status_code == 204
    banned = await join(carla, room, password="blue in green")
    assert problem(banned) == (403, "banned_from_room")
    assert banned.json()["detail"] == "Noise"
    assert problem(await leave(carla, room)) == (409, "not_in_room")
    assert problem(await leave(carla, {"id": uuid7()})) == (404, "not_found")


async def test_a_password_that_was_changed_opens_nothing(people: People) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    room = await open_room(ana, is_private=True, password="blue in green")
    assert (await ana.patch(f"/rooms/{room['id']}", json={"password": "freddie freeloader"})).status_code == 200
    assert problem(await join(bruno, room, password="blue in green")) == (401, "wrong_room_password")
    assert (await join(bruno, room, password="freddie freeloader")).status_code == 200


async def test_a_room_of_invites_is_unseen_by_strangers(people: People) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    room = await open_room(ana, is_private=True)
    address = f"/rooms/{room['id']}"
    assert problem(await bruno.get(address)) == (404, "not_found")
    assert problem(await bruno.get("/rooms/by-name", params={"name": room["name"]})) == (404, "not_found")
    assert problem(await bruno.get(f"{address}/members")) == (404, "not_found")
    assert problem(await join(bruno, room, password="guessing")) == (404, "not_found")
    invite = (await ana.post(f"{address}/invites", json={"max_uses": 1})).json()
    seen = await bruno.get(f"/rooms/invites/{invite['code']}")
    assert seen.json()["room"]["name"] == room["name"]
    assert (await bruno.post(f"/rooms/invites/{invite['code']}/join")).json()["role"] == "member"
    assert (await bruno.get(address)).status_code == 200
    carla = await people.make("carla")
    assert problem(await carla.get(f"/rooms/invites/{invite['code']}")) == (404, "invite_over")
    assert problem(await carla.post(f"/rooms/invites/{invite['code']}/join")) == (404, "invite_over")
    assert problem(await carla.post("/rooms/invites/nothing/join")) == (404, "invite_over")
    listed = (await ana.get(f"{address}/invites")).json()["items"]
    assert [(one["uses"], one["made_by"]["username"]) for one in listed] == [(1, ana.username)]


async def test_an_invite_ends(people: People, infra: Infra) -> None:
    room, [ana] = await with_members(people, is_private=True)
    address = f"/rooms/{room['id']}/invites"
    late, revoked = [(await ana.post(address, json={})).json() for _ in range(2)]
    async with infra.db.write() as db:
        old = datetime.now(UTC) - timedelta(seconds=1)
        await db.execute(update(RoomInvite).where(RoomInvite.code == late["code"]).values(expires_at=old))
    assert (await ana.delete(f"{address}/{revoked['id']}")).status_code == 204
    assert problem(await ana.delete(f"{address}/{revoked['id']}")) == (404, "not_found")
    bruno = await people.make("bruno")
    for invite in (late, revoked):
        assert problem(await join(bruno, room, invite=invite["code"])) == (404, "invite_over")


async def test_an_invite_of_another_room_opens_nothing(people: People) -> None:
    (here, _), (_, [owner]) = await with_members(people, is_private=True), await with_members(people)
    there = await open_room(owner, is_private=True)
    invite = (await owner.post(f"/rooms/{there['id']}/invites", json={})).json()
    assert problem(await join(await people.make("bruno"), here, invite=invite["code"])) == (404, "invite_over")


async def test_an_invite_is_not_used_up_by_who_is_refused(people: People) -> None:
    room, [ana] = await with_members(people, is_private=True, capacity=1)
    invite = (await ana.post(f"/rooms/{room['id']}/invites", json={"max_uses": 1})).json()
    bruno = await people.make("bruno")
    assert problem(await join(bruno, room, invite=invite["code"])) == (403, "room_full")
    assert (await ana.patch(f"/rooms/{room['id']}", json={"capacity": 2})).status_code == 200
    assert (await join(bruno, room, invite=invite["code"])).status_code == 200


async def test_no_more_come_in_than_there_are_places(people: People, infra: Infra) -> None:
    room, _ = await with_members(people, capacity=10)
    crowd = [await people.make("crowd") for _ in range(50)]
    answers = await asyncio.gather(*(join(person, room) for person in crowd))
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [403] * 41
    rows = await infra.db.fetch("SELECT user_id FROM room_members WHERE room_id = $1", [room["id"]])
    assert len(rows) == 10
    assert (await crowd[0].get(f"/rooms/{room['id']}")).json()["member_count"] == 10


async def test_no_more_come_in_than_an_invite_says(people: People) -> None:
    room, [ana] = await with_members(people, is_private=True)
    invite = (await ana.post(f"/rooms/{room['id']}/invites", json={"max_uses": 3})).json()
    crowd = [await people.make("crowd") for _ in range(12)]
    answers = await asyncio.gather(*(person.post(f"/rooms/invites/{invite['code']}/join") for person in crowd))
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [404] * 9


async def test_one_person_comes_in_once(people: People) -> None:
    room, _ = await with_members(people)
    bruno = await people.make("bruno")
    answers = await asyncio.gather(*(join(bruno, room) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 9
    assert (await bruno.get(f"/rooms/{room['id']}")).json()["member_count"] == 2


async def test_everybody_leaves_at_once(people: People, infra: Infra) -> None:
    room, inside = await with_members(people, "dj", "member", "guest")
    answers = await asyncio.gather(*(leave(person, room) for person in inside))
    assert [answer.status_code for answer in answers] == [204] * 4
    assert problem(await inside[0].get(f"/rooms/{room['id']}")) == (404, "not_found")
    kinds = await infra.db.fetch(
        "SELECT kind FROM channel_events WHERE channel_id = $1 ORDER BY sequence DESC LIMIT 1", [room["id"]]
    )
    assert kinds[0]["kind"] == "room.closed"


async def test_an_owner_who_leaves_is_followed(people: People) -> None:
    room, [owner, first, dj, _] = await with_members(people, "member", "dj", "guest")
    assert (await leave(owner, room)).status_code == 204
    now = (await dj.get(f"/rooms/{room['id']}")).json()
    assert (now["role"], now["owner_id"], now["owner"]["username"]) == ("owner", str(dj.id), dj.username)
    assert (await leave(dj, room)).status_code == 204
    assert (await first.get(f"/rooms/{room['id']}")).json()["role"] == "owner"
    assert (await get_in(owner, room))["role"] == "member"


async def test_a_permanent_room_waits_for_its_owner(people: People) -> None:
    room, [owner] = await with_members(people, is_permanent=True, is_private=True)
    assert (await leave(owner, room)).status_code == 204
    assert (await owner.get(f"/rooms/{room['id']}")).json()["member_count"] == 0
    assert (await get_in(owner, room))["role"] == "owner"
    assert (await leave(owner, room)).status_code == 204
    assert (await owner.delete(f"/rooms/{room['id']}")).status_code == 204
    assert problem(await owner.get(f"/rooms/{room['id']}")) == (404, "not_found")


async def test_who_blocked_the_owner_does_not_find_the_room(people: People) -> None:
    room, [owner] = await with_members(people)
    blocked, inside = await people.make("blocked"), await people.make("inside")
    await get_in(inside, room)
    for person in (blocked, inside):
        assert (await owner.put(f"/users/{person.username}/block")).status_code < 300
    assert problem(await blocked.get(f"/rooms/{room['id']}")) == (404, "not_found")
    assert problem(await join(blocked, room)) == (404, "not_found")
    invite = (await owner.post(f"/rooms/{room['id']}/invites", json={})).json()
    assert problem(await blocked.post(f"/rooms/invites/{invite['code']}/join")) == (404, "not_found")
    assert problem(await blocked.get(f"/rooms/invites/{invite['code']}")) == (404, "invite_over")
    assert (await inside.get(f"/rooms/{room['id']}")).status_code == 200


@pytest.mark.parametrize("minutes", [None, 10])
async def test_a_ban_ends(people: People, infra: Infra, minutes: int | None) -> None:
    room, [owner, member] = await with_members(people, "member")
    ban = f"/rooms/{room['id']}/bans/{member.username}"
    assert (await owner.put(ban, json={"minutes": minutes})).status_code == 204
    refused = await join(member, room)
    assert problem(refused) == (403, "banned_from_room")
    assert ("until" in refused.json()) == (minutes is not None)
    assert [one["user"]["username"] for one in (await owner.get(f"/rooms/{room['id']}/bans")).json()["items"]] == [
        member.username
    ]
    if minutes is None:
        assert (await owner.delete(ban)).status_code == 204
        assert problem(await owner.delete(ban)) == (404, "not_found")
    else:
        async with infra.db.write() as db:
            await db.execute(update(RoomBan).where(RoomBan.user_id == member.id).values(until=datetime.now(UTC)))
    assert (await owner.get(f"/rooms/{room['id']}/bans")).json()["items"] == []
    assert (await join(member, room)).status_code == 200
