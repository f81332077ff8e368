"""A snapshot and the events after it give what a fresh snapshot says: of the room, and of who is in it.

What a client makes of them is what both reference clients make of them.
"""

from dataclasses import asdict
from typing import Any

import pytest
from soundscore_client import begin, take

from tests.clients.answers import as_json
from tests.clients.node import ask_node
from tests.people import People
from tests.rooms.factories import get_in, with_members
from tests.sockets import Seat, sit

KINDS = {"member.joined", "member.left", "member.kicked", "member.banned", "member.role", "member.muted"}
KINDS |= {"owner.changed", "channel.updated"}


def known(state: Any) -> dict[str, Any]:
    """What a client knows of the room and its people."""
    return {name: state[name] for name in ("sequence", "card", "members", "queue", "playback", "skip")}


async def learned(seat: Seat, head: int) -> list[dict[str, Any]]:
    """What both clients know after what they heard up to this number."""
    await seat.reach(head)
    frames = [frame for frame in seat.events if frame["sequence"] <= head]
    state: Any = begin(seat.welcome)  # type: ignore[arg-type]
    for frame in frames:
        state = take(state, frame)
    case = {"given": {"welcome": seat.welcome, "frames": frames}}
    (other,) = (await ask_node("reducer", {"cases": [case]}))["cases"]
    return [known(as_json(asdict(state))), known(other)]


@pytest.mark.parametrize("blocks", [False, True])
async def test_events_lead_to_the_next_snapshot(live: str, people: People, blocks: bool) -> None:
    room, [owner, dj, member, pest] = await with_members(people, "dj", "member", "member")
    place = f"/rooms/{room['id']}"
    late, noisy, calm = [await people.make(name) for name in ("late", "noisy", "calm")]
    for person in (pest, noisy, late) if blocks else ():
        assert (await dj.put(f"/users/{person.username}/block")).status_code == 204
    async with sit(live, f"rooms/{room['id']}", dj) as seat:
        for person in (late, noisy, calm):
            await get_in(person, room)
        for method, path, body in (
            ("PATCH", "", {"description": "Late", "auto_dj": True, "genres": ["soul"]}),
            ("PATCH", "/permissions/guest", {"permissions": {"queue.add": True}}),
            ("PUT", f"/members/{member.username}/role", {"role": "guest"}),
            ("PUT", f"/members/{member.username}/mute", {"minutes": None}),
            ("PUT", f"/members/{late.username}/mute", {"minutes": 5}),
            ("DELETE", f"/members/{late.username}/mute", None),
            ("PUT", f"/members/{pest.username}/role", {"role": "guest"}),
            ("PUT", f"/bans/{noisy.username}", {"reason": "Noise"}),
            ("DELETE", f"/members/{late.username}", None),
            ("PUT", "/owner", {"username": pest.username}),
        ):
            assert (await owner.request(method, place + path, json=body)).status_code < 300, path
        assert (await member.post(f"{place}/leave")).status_code == 204
        await get_in(late, room)  # the last thing: nothing later mends the number of members
        async with sit(live, f"rooms/{room['id']}", dj) as fresh:
            told = known(as_json(asdict(begin(fresh.welcome))))  # type: ignore[arg-type]
            assert await learned(seat, fresh.welcome["sequence"]) == [told, told]
        shown = {one["user"]["id"] for one in (await dj.get(f"{place}/members")).json()["items"]}
        assert told["members"].keys() == shown
        assert ({str(pest.id), str(late.id)} & shown == set()) is blocks
        assert {event["kind"] for event in seat.events} == KINDS | ({"hidden"} if blocks else set())
