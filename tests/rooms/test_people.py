"""Roles, rights, kicks, mutes, handing over: who may do it to whom."""

import httpx
import pytest

from app.rooms.rights import DEFAULTS, PERMISSIONS
from tests.people import People
from tests.rooms.factories import get_in, with_members


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_roles_are_the_owners_to_give(people: People) -> None:
    room, [owner, dj, member] = await with_members(people, "dj", "member")
    address = f"/rooms/{room['id']}/members/{member.username.upper()}/role"
    assert problem(await dj.put(address, json={"role": "guest"})) == (403, "not_owner")
    assert (await owner.put(address, json={"role": "guest"})).json()["role"] == "guest"
    assert problem(await owner.put(address, json={"role": "owner"})) == (422, "invalid")
    mine = f"/rooms/{room['id']}/members/{owner.username}/role"
    assert problem(await owner.put(mine, json={"role": "dj"})) == (422, "invalid")
    nobody = await people.make("nobody")
    absent = f"/rooms/{room['id']}/members/{nobody.username}/role"
    assert problem(await owner.put(absent, json={"role": "dj"})) == (404, "not_found")
    assert problem(await nobody.put(address, json={"role": "dj"})) == (403, "not_a_member")


async def test_rights_are_the_owners_to_change(people: People) -> None:
    room, [owner, dj, member] = await with_members(people, "dj", "member")
    assert room["permissions"]["member"] == sorted(DEFAULTS["member"])
    address = f"/rooms/{room['id']}/permissions"
    wish = {"permissions": {"members.kick": True, "queue.add": False}}
    assert problem(await dj.patch(f"{address}/dj", json=wish)) == (403, "not_owner")
    changed = (await owner.patch(f"{address}/dj", json=wish)).json()["permissions"]
    assert "members.kick" in changed["dj"]
    assert "queue.add" not in changed["dj"]
    assert changed["member"] == sorted(DEFAULTS["member"])
    assert (await dj.delete(f"/rooms/{room['id']}/members/{member.username}")).status_code == 204
    back = (await owner.patch(f"{address}/dj", json={"permissions": {"queue.add": None}})).json()["permissions"]
    assert {"queue.add", "members.kick"} <= set(back["dj"])
    assert problem(await owner.patch(f"{address}/owner", json=wish)) == (422, "invalid")
    assert problem(await owner.patch(f"{address}/dj", json={"permissions": {"fly": True}})) == (422, "invalid")
    assert problem(await owner.patch(f"{address}/dj", json={"permissions": {}})) == (422, "invalid")


async def test_people_act_only_on_those_below_them(people: People) -> None:
    room, [owner, dj, other, member, guest] = await with_members(people, "dj", "dj", "member", "guest")
    everything = {"permissions": dict.fromkeys(sorted(PERMISSIONS), True)}
    for role in ("dj", "guest"):
        assert (await owner.patch(f"/rooms/{room['id']}/permissions/{role}", json=everything)).status_code == 200
    people_of = f"/rooms/{room['id']}/members"
    for above in (owner, other, dj):
        assert problem(await dj.delete(f"{people_of}/{above.username}")) == (403, "not_allowed")
        assert problem(await dj.put(f"{people_of}/{above.username}/mute", json={})) == (403, "not_allowed")
        ban = await dj.put(f"/rooms/{room['id']}/bans/{above.username}", json={})
        assert problem(ban) == (403, "not_allowed")
    assert problem(await guest.delete(f"{people_of}/{member.username}")) == (403, "not_allowed")
    assert (await dj.delete(f"{people_of}/{guest.username}")).status_code == 204
    assert (await get_in(guest, room))["role"] == "guest"
    assert (await dj.put(f"/rooms/{room['id']}/bans/{member.username}", json={})).status_code == 204


@pytest.mark.parametrize("how", ["kick", "ban", "mute"])
async def test_members_discipline_nobody(people: People, how: str) -> None:
    room, [_, member, guest] = await with_members(people, "member", "guest")
    members, bans = f"/rooms/{room['id']}/members", f"/rooms/{room['id']}/bans"
    answer = {
        "kick": lambda: member.delete(f"{members}/{guest.username}"),
        "mute": lambda: member.put(f"{members}/{guest.username}/mute", json={}),
        "ban": lambda: member.put(f"{bans}/{guest.username}", json={}),
    }[how]
    assert problem(await answer()) == (403, "not_allowed")
    assert problem(await member.get(bans)) == (403, "not_allowed")
    assert problem(await member.post(f"/rooms/{room['id']}/invites", json={})) == (403, "not_allowed")


async def test_somebody_is_banned_before_they_come(people: People) -> None:
    room, [owner] = await with_members(people)
    noisy = await people.make("noisy")
    assert (await owner.put(f"/rooms/{room['id']}/bans/{noisy.username}", json={})).status_code == 204
    assert problem(await noisy.post(f"/rooms/{room['id']}/join")) == (403, "banned_from_room")
    assert problem(await owner.put(f"/rooms/{room['id']}/bans/nobody_at_all", json={})) == (404, "not_found")


async def test_an_owner_who_is_away_cannot_be_banned(people: People) -> None:
    room, [owner, member] = await with_members(people, "member", is_permanent=True)
    rights = {"permissions": {"members.ban": True}}
    assert (await owner.patch(f"/rooms/{room['id']}/permissions/member", json=rights)).status_code == 200
    for person in (member, owner):
        assert (await person.post(f"/rooms/{room['id']}/leave")).status_code == 204
    await get_in(member, room)
    assert problem(await member.put(f"/rooms/{room['id']}/bans/{owner.username}", json={})) == (403, "not_allowed")
    assert (await get_in(owner, room))["role"] == "owner"


async def test_a_room_is_handed_over(people: People) -> None:
    room, [owner, member] = await with_members(people, "member")
    address = f"/rooms/{room['id']}/owner"
    assert problem(await member.put(address, json={"username": member.username})) == (403, "not_owner")
    assert problem(await owner.put(address, json={"username": owner.username})) == (422, "invalid")
    assert problem(await owner.put(address, json={"username": "nobody_at_all"})) == (404, "not_found")
    given = (await owner.put(address, json={"username": member.username})).json()
    assert (given["owner"]["username"], given["role"]) == (member.username, "dj")
    assert problem(await owner.put(address, json={"username": owner.username})) == (403, "not_owner")
    assert (await member.get(f"/rooms/{room['id']}")).json()["role"] == "owner"


async def test_who_is_muted_cannot_post(people: People) -> None:
    room, [owner, member] = await with_members(people, "member")
    address, chat = f"/rooms/{room['id']}/members/{member.username}/mute", f"/chat/{room['id']}"
    for minutes in (10, None):
        muted = (await owner.put(address, json={"minutes": minutes})).json()
        assert muted["muted_until"] is not None
        assert problem(await member.post(chat, json={"text": "But"})) == (403, "muted")
        assert (await member.get(f"{chat}/messages")).status_code == 200
    assert (await owner.delete(address)).json()["muted_until"] is None
    assert (await member.post(chat, json={"text": "Thanks"})).status_code == 201


async def test_a_role_may_lose_its_voice(people: People) -> None:
    room, [owner, guest] = await with_members(people, "guest")
    address = f"/rooms/{room['id']}/permissions/guest"
    await owner.patch(address, json={"permissions": {"chat.post": False}})
    assert problem(await guest.post(f"/chat/{room['id']}", json={"text": "But"})) == (403, "not_allowed")
    await owner.patch(address, json={"permissions": {"chat.post": None}})
    assert (await guest.post(f"/chat/{room['id']}", json={"text": "Thanks"})).status_code == 201


async def test_who_moderates_deletes_what_others_said(people: People) -> None:
    room, [owner, dj, member] = await with_members(people, "dj", "member")
    said = (await owner.post(f"/chat/{room['id']}/messages", json={"text": f"Hi @{member.username}"})).json()
    assert said["mentions"] == [str(member.id)]
    message = f"/chat/{room['id']}/messages/{said['id']}"
    assert (await member.delete(message)).status_code == 403
    assert (await dj.delete(message)).status_code == 204
