"""A snapshot and the events after it give what a fresh snapshot says: of the room, and of who is in it."""

from typing import Any

from tests.people import People
from tests.rooms.factories import get_in, with_members
from tests.sockets import sit

GONE = {"member.left", "member.kicked", "member.banned"}
KINDS = {"member.joined", "member.role", "member.muted", "owner.changed", "channel.updated"} | GONE


def apply(state: dict[str, Any], kind: str, data: dict[str, Any]) -> None:
    """What a client does with an event of a room's people."""
    room, members = state["room"], {one["user"]["id"]: one for one in state["members"]}
    if kind == "channel.updated":
        state["room"] = data
    elif kind == "owner.changed":
        room["owner_id"], room["owner"] = data["user_id"], members[data["user_id"]]["user"]
    elif kind == "member.role":
        members[data["user_id"]]["role"] = data["role"]
    elif kind == "member.muted":
        members[data["user_id"]]["muted_until"] = data["until"]
    else:
        room["member_count"] = data["member_count"]
        if kind == "member.joined":
            members[data["user"]["id"]] = {"user": data["user"], "role": data["role"], "muted_until": None}
        else:
            del members[data["user_id"]]
        state["members"] = list(members.values())


async def test_events_lead_to_the_next_snapshot(live: str, people: People) -> None:
    room, [owner, dj, member] = await with_members(people, "dj", "member")
    place = f"/rooms/{room['id']}"
    late, noisy = await people.make("late"), await people.make("noisy")
    async with sit(live, f"rooms/{room['id']}", dj) as seat:
        state = {name: seat.welcome["snapshot"][name] for name in ("room", "members")}
        for person in (late, noisy):
            await get_in(person, room)
        for method, path, body in (
            ("PATCH", "", {"description": "Late", "auto_dj": True, "genres": ["soul"]}),
            ("PATCH", "/permissions/guest", {"permissions": {"queue.add": True}}),
            ("PUT", f"/members/{member.username}/role", {"role": "guest"}),
            ("PUT", f"/members/{member.username}/mute", {"minutes": None}),
            ("PUT", f"/members/{late.username}/mute", {"minutes": 5}),
            ("DELETE", f"/members/{late.username}/mute", None),
            ("PUT", f"/bans/{noisy.username}", {"reason": "Noise"}),
            ("DELETE", f"/members/{late.username}", None),
            ("PUT", "/owner", {"username": member.username}),
        ):
            assert (await owner.request(method, place + path, json=body)).status_code < 300, path
        await get_in(late, room)
        assert (await member.post(f"{place}/leave")).status_code == 204
        async with sit(live, f"rooms/{room['id']}", dj) as fresh:
            head = fresh.welcome["sequence"]
            await seat.reach(head)
            for event in seat.events:
                if event["sequence"] <= head:
                    apply(state, event["kind"], event["data"])
            assert state == {name: fresh.welcome["snapshot"][name] for name in ("room", "members")}
        assert {event["kind"] for event in seat.events} == KINDS
