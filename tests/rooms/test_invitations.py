"""Invitations to rooms, from person to person."""

import asyncio
from typing import Any
from uuid import UUID

from app.chat.log import hold
from app.core.infra import Infra
from app.core.job_runner import drain
from app.core.jobs import emit
from app.rooms.handlers import export_invitations
from app.users.events import AccountDeleted
from tests.groups.factories import codes
from tests.people import People, Person, queries
from tests.rooms.factories import get_in, open_room, with_members

Body = dict[str, Any]


async def invite(by: Person, room: Body, person: Person) -> Body:
    answer = await by.post(f"/rooms/{room['id']}/invitations", json={"username": person.username})
    assert answer.status_code == 201, answer.text
    body: Body = answer.json()
    return body


async def accept(person: Person, invitation: Body) -> Any:
    return await person.post(f"/rooms/invitations/{invitation['id']}/accept")


async def mine(person: Person) -> list[Body]:
    found: list[Body] = (await person.get("/rooms/invitations")).json()["items"]
    return found


async def test_an_invitation_is_accepted_or_declined(people: People) -> None:
    ana, bob, eve = [await people.make(name) for name in ("ana", "bob", "eve")]
    room = await open_room(ana, is_private=True)
    path = f"/rooms/{room['id']}/invitations"
    assert codes(await bob.get(f"/rooms/{room['id']}")) == [(404, "not_found")]
    made = await invite(ana, room, bob)
    assert (made["user"]["id"], made["invited_by"]["id"]) == (str(bob.id), str(ana.id))
    assert [item["id"] for item in (await ana.get(path)).json()["items"]] == [made["id"]]
    (got,) = await mine(bob)
    assert (got["id"], got["room"]["id"], got["room"]["owner"]["id"], got["invited_by"]["id"]) == (
        made["id"],
        room["id"],
        str(ana.id),
        str(ana.id),
    )
    assert (await bob.get(f"/rooms/{room['id']}")).json()["invitation_id"] == made["id"]
    assert codes(await bob.get(f"/rooms/{room['id']}/members")) == [(403, "not_a_member")]
    assert codes(await accept(eve, made)) == [(404, "not_found")]
    there = (await accept(bob, made)).json()
    assert (there["role"], there["member_count"], there["invitation_id"]) == ("member", 2, None)
    declined = await bob.post(f"/rooms/invitations/{made['id']}/decline")
    assert codes(await accept(bob, made), declined) == [(409, "invite_answered")] * 2
    assert await mine(bob) == []
    other = await invite(ana, room, eve)
    assert (await eve.post(f"/rooms/invitations/{other['id']}/decline")).status_code == 204
    assert codes(await eve.get(f"/rooms/{room['id']}")) == [(404, "not_found")]
    assert (await ana.get(path)).json()["items"] == []
    await invite(ana, room, eve)  # perhaps they have changed their mind


async def test_the_door_is_open_for_who_is_invited(people: People) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    room = await open_room(ana, is_private=True, password="blue in green")
    assert codes(await bob.post(f"/rooms/{room['id']}/join")) == [(401, "wrong_room_password")]
    made = await invite(ana, room, bob)
    await get_in(bob, room)
    assert await mine(bob) == []
    assert codes(await accept(bob, made)) == [(409, "invite_answered")]


async def test_whom_one_may_invite(people: People) -> None:
    room, (ana, dj, bob) = await with_members(people, "dj", "member")
    eve, kim, lou = [await people.make(name) for name in ("eve", "kim", "lou")]
    path = f"/rooms/{room['id']}/invitations"
    made = await invite(dj, room, eve)
    again = await ana.post(path, json={"username": eve.username.upper()})
    assert codes(again) == [(409, "already_invited")]
    assert again.json()["existing_id"] == made["id"]
    await kim.put(f"/users/{dj.username}/block")
    await ana.put(f"/users/{lou.username}/block")
    assert (await ana.put(f"/rooms/{room['id']}/bans/{eve.username}", json={})).status_code == 204
    hidden = await people.make("hidden", profile_visibility="me")
    asked = [dj.post(path, json={"username": who.username}) for who in (bob, kim, lou, eve, hidden)]
    asked += [ana.post(path, json={"username": "nobody_at_all"}), kim.post(path, json={"username": bob.username})]
    asked += [bob.post(path, json={"username": kim.username}), bob.get(path)]
    assert codes(*[await one for one in asked]) == [
        (409, "person_in_room"),
        (404, "not_found"),
        (404, "not_found"),
        (409, "person_banned"),
        (404, "not_found"),
        (404, "not_found"),
        (403, "not_a_member"),
        (403, "not_allowed"),
        (403, "not_allowed"),
    ]
    # the ban took the invitation with it
    assert codes(await accept(eve, made)) == [(404, "not_found")]
    changed = await ana.patch(f"/rooms/{room['id']}/permissions/member", json={"permissions": {"members.invite": True}})
    assert changed.status_code == 200
    await invite(bob, room, kim)


async def test_who_comes_between_ends_it(people: People) -> None:
    ana, bob, eve = [await people.make(name) for name in ("ana", "bob", "eve")]
    room = await open_room(ana, is_private=True)
    path = f"/rooms/{room['id']}/invitations"
    made = await invite(ana, room, bob)
    stranger = await people.make("stranger")
    assert codes(await stranger.delete(f"{path}/{made['id']}")) == [(404, "not_found")]
    assert (await ana.delete(f"{path}/{made['id']}")).status_code == 204
    assert codes(await accept(bob, made), await ana.delete(f"{path}/{made['id']}")) == [(404, "not_found")] * 2
    made = await invite(ana, room, eve)
    await eve.put(f"/users/{ana.username}/block")
    assert await mine(eve) == (await ana.get(path)).json()["items"] == []
    refused = await eve.post(f"/rooms/invitations/{made['id']}/decline")
    seen = await eve.get(f"/rooms/{room['id']}")
    assert codes(await accept(eve, made), refused, seen) == [(404, "not_found")] * 3


async def test_the_owner_s_block_counts_whoever_invited(people: People) -> None:
    room, (ana, dj) = await with_members(people, "dj", is_private=False)
    eve = await people.make("eve")
    made = await invite(dj, room, eve)
    await ana.put(f"/users/{eve.username}/block")
    assert await mine(eve) == []
    assert codes(await accept(eve, made)) == [(404, "not_found")]


async def test_invitations_grow_old(people: People, infra: Infra) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    room = await open_room(ana, is_private=True, password="blue in green")
    made = await invite(ana, room, bob)
    await infra.db.fetch("UPDATE room_invitations SET expires_at = now() WHERE id = $1", [made["id"]])
    declined = await bob.post(f"/rooms/invitations/{made['id']}/decline")
    assert codes(await accept(bob, made), declined) == [(410, "invite_expired")] * 2
    assert await mine(bob) == (await ana.get(f"/rooms/{room['id']}/invitations")).json()["items"] == []
    assert codes(await bob.post(f"/rooms/{room['id']}/join")) == [(401, "wrong_room_password")]
    await invite(ana, room, bob)


async def test_bans_and_walls_stand(people: People, infra: Infra) -> None:
    ana, bob, eve = [await people.make(name) for name in ("ana", "bob", "eve")]
    room = await open_room(ana, capacity=2)
    one, two = await invite(ana, room, bob), await invite(ana, room, eve)
    answers = await asyncio.gather(accept(bob, one), accept(eve, two))
    assert sorted(answer.status_code for answer in answers) == [200, 403]
    (late,) = [answer for answer in answers if answer.status_code == 403]
    assert late.json()["code"] == "room_full"
    loser = eve if late is answers[1] else bob
    assert len(await mine(loser)) == 1, "it still waits"
    ban = "INSERT INTO room_bans (room_id, user_id) VALUES ($1, $2)"
    await infra.db.fetch(ban, [UUID(room["id"]), loser.id])
    assert codes(await accept(loser, two if loser is eve else one)) == [(403, "banned_from_room")]


async def test_an_invitation_is_answered_once(people: People) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    room = await open_room(ana, is_private=True)
    made = await invite(ana, room, bob)
    answers = await asyncio.gather(*[accept(bob, made) for _ in range(4)])
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert (await ana.get(f"/rooms/{room['id']}")).json()["member_count"] == 2


async def test_what_is_taken_back_meanwhile_lets_nobody_in(people: People, infra: Infra) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    room = await open_room(ana, is_private=True)
    made = await invite(ana, room, bob)
    waits = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with infra.db.write() as db:
        await hold(db, UUID(room["id"]), kind="room")
        coming = asyncio.create_task(accept(bob, made))
        while not coming.done() and not await infra.db.fetch(waits, []):
            await asyncio.sleep(0.01)
        await db.records("DELETE FROM room_invitations WHERE id = $1", [UUID(made["id"])])
    assert codes(await coming) == [(404, "not_found")]


async def test_who_is_invited_is_told(people: People, infra: Infra) -> None:
    ana, bob, eve = [await people.make(name) for name in ("ana", "bob", "eve")]
    room = await open_room(ana, is_private=True)
    made, other = await invite(ana, room, bob), await invite(ana, room, eve)
    assert (await ana.delete(f"/rooms/{room['id']}/invitations/{other['id']}")).status_code == 204
    await drain(infra)
    assert (await eve.get("/notifications")).json()["items"] == []
    (told,) = (await bob.get("/notifications")).json()["items"]
    assert (told["kind"], told["actor"]["id"], told["group_invite"]) == ("room_invite", str(ana.id), None)
    assert told["room_invite"] == {
        "id": made["id"],
        "status": "pending",
        "expires_at": made["expires_at"],
        "room": {"id": room["id"], "name": room["name"]},
    }
    assert (await accept(bob, made)).status_code == 200
    (told,) = (await bob.get("/notifications")).json()["items"]
    assert told["room_invite"]["status"] == "accepted"
    assert "room_invite" in {kind["kind"] for kind in (await bob.get("/notifications/preferences")).json()["items"]}
    # it goes with the room
    assert (await ana.delete(f"/rooms/{room['id']}")).status_code == 204
    assert (await bob.get("/notifications")).json()["items"] == []


async def test_lists_cost_one_statement(people: People, infra: Infra) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    rooms = [await open_room(ana, is_private=True) for _ in range(3)]
    made = [await invite(ana, room, bob) for room in rooms]
    async with queries(infra) as ran:
        page = (await bob.get("/rooms/invitations?limit=2")).json()
    assert ran == [1]
    assert [item["id"] for item in page["items"]] == [made[2]["id"], made[1]["id"]]
    rest = (await bob.get(f"/rooms/invitations?limit=2&cursor={page['next_cursor']}")).json()
    assert [item["id"] for item in rest["items"]] == [made[0]["id"]]
    async with queries(infra) as ran:
        assert len((await ana.get(f"/rooms/{rooms[0]['id']}/invitations")).json()["items"]) == 1
    assert ran == [2]


async def test_who_leaves_takes_invitations_along(people: People, infra: Infra) -> None:
    ana, bob, eve = [await people.make(name) for name in ("ana", "bob", "eve")]
    room, other = await open_room(ana), await open_room(bob)
    await invite(ana, room, bob)
    await invite(bob, other, ana)
    await invite(ana, room, eve)
    told = [row async for row in export_invitations(infra.db.reader, bob.id)]
    assert [(row["user_id"], row["invited_by_id"]) for row in told] == [(bob.id, ana.id), (ana.id, bob.id)]
    async with infra.db.write() as db:
        await emit(db, AccountDeleted(user_id=bob.id, keep_content=True))
    await drain(infra)
    assert await mine(ana) == []
    listed = (await ana.get(f"/rooms/{room['id']}/invitations")).json()["items"]
    assert [item["user"]["id"] for item in listed] == [str(eve.id)]
