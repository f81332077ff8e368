"""Rooms over sockets: who may come in, what they hear, and how soon it ends for who is put out."""

import asyncio
from typing import Any

import pytest

from tests import clock
from tests.people import People, Person
from tests.rooms.factories import get_in, open_room, with_members
from tests.sockets import Seat, sit


async def test_a_room_over_a_socket(live: str, people: People) -> None:
    room, [owner, member] = await with_members(people, "member")
    async with sit(live, f"rooms/{room['id']}", owner) as seat:
        snapshot = seat.welcome["snapshot"]
        assert snapshot["room"]["name"] == room["name"]
        assert snapshot["room"]["permissions"] == room["permissions"]
        assert [(one["user"]["id"], one["role"]) for one in snapshot["members"]] == [
            (str(owner.id), "owner"),
            (str(member.id), "member"),
        ]
        assert {"queue", "playback", "skip", "messages"} <= snapshot.keys()
        assert seat.welcome["you"]["role"] == "owner"
        carla = await people.make("carla")
        await get_in(carla, room)
        joined = await seat.get("event", kind="member.joined")
        assert joined["data"]["user"]["username"] == carla.username
        assert (joined["data"]["role"], joined["data"]["member_count"]) == ("member", 3)
        await owner.patch(f"/rooms/{room['id']}", json={"description": "New"})
        assert (await seat.get("event", kind="channel.updated"))["data"]["description"] == "New"
        await carla.post(f"/rooms/{room['id']}/leave")
        left = await seat.get("event", kind="member.left")
        assert left["data"] == {"user_id": str(carla.id), "member_count": 2}


@pytest.mark.parametrize(
    ("kind", "code"), [("stranger", 4403), ("banned", 4403), ("absent", 4404), ("unseen", 4404), ("group", 4404)]
)
async def test_who_may_not_come_in(live: str, people: People, kind: str, code: int) -> None:
    room, [owner] = await with_members(people)
    person = await people.make(kind)
    path = f"rooms/{room['id']}"
    if kind == "banned":
        await get_in(person, room)
        await owner.put(f"/rooms/{room['id']}/bans/{person.username}", json={})
    if kind == "unseen":
        path = f"rooms/{(await open_room(owner, is_private=True))['id']}"
    if kind == "absent":
        path = f"rooms/{owner.id}"
    if kind == "group":
        path = f"groups/{room['id']}"
    async with sit(live, path, person, hello=False) as seat:
        await seat.say(type="hello", protocol=1, client="test/1", last_sequence=None)
        assert await seat.closed() == code
        assert "welcome" not in [frame["type"] for frame in seat.frames]


async def test_a_private_room_opens_to_who_has_the_password(live: str, people: People) -> None:
    owner, bruno = await people.make("owner"), await people.make("bruno")
    room = await open_room(owner, is_private=True, password="blue in green")
    async with sit(live, f"rooms/{room['id']}", bruno, hello=False) as seat:
        await seat.say(type="hello", protocol=1, client="test/1", last_sequence=None)
        assert await seat.closed() == 4403
    await get_in(bruno, room, password="blue in green")
    async with sit(live, f"rooms/{room['id']}", bruno) as seat:
        assert seat.welcome["snapshot"]["room"]["has_password"] is True


async def put_out(how: str, room: dict[str, Any], owner: Person, member: Person) -> str:
    """What the last event is called."""
    place = f"/rooms/{room['id']}"
    if how == "kick":
        answer = await owner.delete(f"{place}/members/{member.username}", params={"reason": "Noise"})
        kind = "member.kicked"
    elif how == "ban":
        answer = await owner.put(f"{place}/bans/{member.username}", json={"reason": "Noise"})
        kind = "member.banned"
    elif how == "leave":
        answer, kind = await member.post(f"{place}/leave"), "member.left"
    else:
        answer, kind = await owner.delete(place), "room.closed"
    assert answer.status_code == 204
    return kind


@pytest.mark.parametrize("how", ["kick", "ban", "leave", "close"])
async def test_who_is_out_hears_nothing_later(live: str, people: People, how: str) -> None:
    room, [owner, member] = await with_members(people, "member")
    path = f"rooms/{room['id']}"
    async with sit(live, path, owner) as stays, sit(live, path, member) as seat, sit(live, path, member) as second_tab:
        started = clock.now()
        kind = await put_out(how, room, owner, member)
        if how != "close":
            assert (await owner.post(f"/chat/{room['id']}", json={"text": "At last"})).status_code == 201
        for tab in (seat, second_tab):
            assert await tab.closed() == 4403
            assert last_event(tab)["kind"] == kind
        assert clock.now() - started < 1
        if how == "close":
            assert await stays.closed() == 4403
        else:
            await stays.get("event", kind="message.created")
            assert last_event(stays)["kind"] == "message.created"
        if how in {"kick", "ban"}:
            assert last_event(seat)["data"]["reason"] == "Noise"


def last_event(seat: Seat) -> dict[str, Any]:
    return seat.events[-1]


async def test_who_was_put_out_elsewhere_hears_nothing_later(live: str, people: People) -> None:
    """A socket that resumes after its kick is refused, and gets nothing of what came meanwhile."""
    room, [owner, member] = await with_members(people, "member")
    async with sit(live, f"rooms/{room['id']}", member) as seat:
        last = seat.welcome["sequence"]
    await put_out("kick", room, owner, member)
    await owner.post(f"/chat/{room['id']}", json={"text": "Secret"})
    async with sit(live, f"rooms/{room['id']}", member, hello=False) as seat:
        await seat.say(type="hello", protocol=1, client="test/1", last_sequence=last)
        assert await seat.closed() == 4403
        assert "Secret" not in str(seat.frames)


async def test_who_comes_back_resumes_after_their_own_kick(live: str, people: People) -> None:
    room, [owner, member] = await with_members(people, "member")
    async with sit(live, f"rooms/{room['id']}", member) as seat:
        last = seat.welcome["sequence"]
    await put_out("kick", room, owner, member)
    await get_in(member, room)
    async with sit(live, f"rooms/{room['id']}", member, last=last) as seat:
        assert [event["kind"] for event in seat.events] == ["member.kicked", "member.joined"]
        await owner.post(f"/chat/{room['id']}", json={"text": "Welcome back"})
        await seat.get("event", kind="message.created")


async def test_who_is_muted_gets_a_problem(live: str, people: People) -> None:
    room, [owner, member] = await with_members(people, "member")
    async with sit(live, f"rooms/{room['id']}", member) as seat:
        await owner.put(f"/rooms/{room['id']}/members/{member.username}/mute", json={"minutes": 5})
        muted = await seat.get("event", kind="member.muted")
        assert muted["data"]["user_id"] == str(member.id)
        await seat.say(type="send", client_id="1", text="But")
        problem = await seat.get("problem", client_id="1")
        assert (problem["code"], problem["status"]) == ("muted", 403)
        await owner.delete(f"/rooms/{room['id']}/members/{member.username}/mute")
        await seat.say(type="send", client_id="2", text="Thanks")
        await seat.get("ack", client_id="2")


async def test_handing_over_is_told(live: str, people: People) -> None:
    room, [owner, member] = await with_members(people, "member")
    async with sit(live, f"rooms/{room['id']}", member) as seat:
        await owner.put(f"/rooms/{room['id']}/owner", json={"username": member.username})
        updated = await seat.get("event", kind="channel.updated")
        assert updated["data"]["owner"]["username"] == member.username
        roles = [event["data"] for event in seat.events if event["kind"] == "member.role"]
        assert roles == [
            {"user_id": str(owner.id), "role": "dj"},
            {"user_id": str(member.id), "role": "owner"},
        ]
        assert (await seat.get("event", kind="owner.changed"))["data"] == {"user_id": str(member.id)}


async def test_earlier_clients_may_make_a_mistake(live: str, people: People) -> None:
    room, [owner] = await with_members(people)
    path = f"chat/{room['id']}?token={owner.token}"
    async with sit(live, path, hello=False) as seat:
        for faulty in ("", "x" * 2001, None, 1):
            seat.frames.clear()
            await seat.say(text=faulty)
            problem = await seat.get("problem")
            assert (problem["code"], problem["errors"][0]["pointer"]) == ("invalid", "/text"), faulty
        await seat.say(text="Here I am")
        async with asyncio.timeout(5):
            while "Here I am" not in str(seat.frames):
                await asyncio.sleep(0.01)
        await seat.connection.send("no JSON")
        assert await seat.closed() == 4400
