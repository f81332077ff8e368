"""Sockets of groups: who gets in, what they hear, and that who is put out hears nothing later."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from app.core.config import Settings
from tests import clock
from tests.conftest import running, serving
from tests.groups.factories import add_group, join
from tests.people import People, Person
from tests.sockets import sit


@pytest.fixture(scope="module")
async def other_live(settings: Settings) -> AsyncIterator[str]:
    """A second server process on the same database and broker."""
    async with running(settings) as app, serving(app, settings) as address:
        yield address


async def refused(live: str, group_id: str, person: Person) -> int | None:
    async with sit(live, f"groups/{group_id}", person, hello=False) as seat:
        await seat.say(type="hello", protocol=1)
        return await seat.closed()


async def crew(people: People, count: int = 2, **fields: Any) -> tuple[dict[str, Any], list[Person]]:
    crowd = [await people.make("member") for _ in range(count)]
    group = await add_group(crowd[0], **fields)
    await join(group, *crowd[1:])
    return group, crowd


async def test_the_welcome_has_the_whole_state(live: str, people: People) -> None:
    group, (ana, bob) = await crew(people)
    async with sit(live, f"groups/{group['id']}", bob) as seat:
        snapshot = seat.welcome["snapshot"]
        assert seat.welcome["you"]["role"] == "member"
        assert (snapshot["group"]["id"], snapshot["group"]["member_count"]) == (group["id"], 2)
        assert [member["user"]["id"] for member in snapshot["members"]] == [str(ana.id), str(bob.id)]
        assert snapshot["messages"] == []
        await ana.patch(f"/groups/{group['id']}", json={"name": "Dawn"})
        updated = await seat.get("event", kind="channel.updated")
        assert (updated["data"]["name"], updated["actor"]["username"]) == ("Dawn", ana.username)


async def test_who_gets_in(live: str, people: People) -> None:
    group, (ana, bob) = await crew(people)
    hidden = await add_group(ana, is_private=True)
    stranger = await people.make("stranger")
    assert await refused(live, group["id"], stranger) == 4403
    assert await refused(live, hidden["id"], stranger) == 4404
    assert await refused(live, str(uuid4()), stranger) == 4404
    await ana.put(f"/groups/{group['id']}/bans/{bob.id}", json={})
    assert await refused(live, group["id"], bob) == 4403


@pytest.mark.parametrize("how", ["kick", "ban", "leave"])
async def test_who_is_put_out_hears_nothing_later(live: str, other_live: str, people: People, how: str) -> None:
    group, (ana, bob, eve) = await crew(people, 3)
    path, talk = f"groups/{group['id']}", f"/chat/{group['id']}/messages"
    async with sit(live, path, eve) as stays, sit(live, path, bob) as near, sit(other_live, path, bob) as far:
        await ana.post(talk, json={"text": "Before"})
        asked = {
            "kick": lambda: ana.delete(f"/{path}/members/{bob.id}"),
            "ban": lambda: ana.put(f"/{path}/bans/{bob.id}", json={"reason": "Spam"}),
            "leave": lambda: bob.post(f"/{path}/leave"),
        }
        began = clock.now()
        assert (await asked[how]()).status_code == 204
        later = [asyncio.create_task(ana.post(talk, json={"text": f"Later {number}"})) for number in range(5)]
        assert [await seat.closed() for seat in (near, far)] == [4403, 4403]
        assert clock.now() - began < 1
        await asyncio.gather(*later)
        kinds = {"kick": "member.kicked", "ban": "member.banned", "leave": "member.left"}
        await stays.reach(stays.welcome["sequence"] + 7)
        for seat in (near, far):
            assert [event["kind"] for event in seat.events] == ["message.created", kinds[how]]
            assert seat.events[-1]["data"]["user_id"] == str(bob.id)
        assert [event["kind"] for event in stays.events] == ["message.created", kinds[how], *["message.created"] * 5]
    assert await refused(other_live, group["id"], bob) == 4403


async def test_a_closed_group_sends_everybody_away(live: str, other_live: str, people: People) -> None:
    group, (ana, bob) = await crew(people)
    path = f"groups/{group['id']}"
    async with sit(live, path, ana) as near, sit(other_live, path, bob) as far:
        assert (await ana.delete(f"/{path}")).status_code == 204
        for seat in (near, far):
            assert await seat.closed() == 4403
            assert [event["kind"] for event in seat.events] == ["group.closed"]
    assert await refused(live, group["id"], ana) == 4404


async def test_orders_of_a_hidden_person_are_told_without_their_name(live: str, people: People) -> None:
    group, (ana, bob, eve) = await crew(people, 3)
    await bob.put(f"/users/{ana.username}/block")
    path = f"groups/{group['id']}"
    async with sit(live, path, bob) as seat:
        await ana.post(f"/chat/{group['id']}/messages", json={"text": "Hidden"})
        await ana.patch(f"/{path}", json={"name": "Dawn"})
        await ana.patch(f"/{path}/members/{eve.id}", json={"role": "moderator"})
        events = await seat.reach(seat.welcome["sequence"] + 3)
        assert [(event["kind"], event["actor"]) for event in events] == [
            ("hidden", None),
            ("channel.updated", None),
            ("member.role", None),
        ]
        assert "Hidden" not in str(events)


async def test_muted_people_are_told_on_their_socket(live: str, people: People) -> None:
    group, (ana, bob) = await crew(people)
    async with sit(live, f"groups/{group['id']}", bob) as seat:
        await ana.put(f"/groups/{group['id']}/members/{bob.id}/mute", json={"until": "2090-01-01T00:00:00Z"})
        await seat.get("event", kind="member.muted")
        await seat.say(type="send", client_id="1", text="Hello")
        assert (await seat.get("problem", client_id="1"))["code"] == "muted"
    async with sit(live, f"groups/{group['id']}", bob) as seat:
        assert seat.welcome["you"]["muted_until"].startswith("2090-01-01")
