"""A snapshot with the events after it is a fresh snapshot, whatever happens in between."""

import asyncio
from dataclasses import replace
from itertools import pairwise
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from soundscore_client import begin
from soundscore_client.changes import CHANGES

from app.chat.commands import run_command
from app.core.auth import Principal
from app.core.errors import AppError
from app.core.ids import uuid7
from app.core.infra import Infra
from app.rooms.channel import Rooms
from app.rooms.playback import playing_snapshot
from tests.people import People, Person
from tests.rooms.factories import with_members
from tests.rooms.playing import Json, make_tracks
from tests.rooms.test_playback_sockets import seated

Action = tuple[str, int, int]
COMMANDS = sorted(name for name in Rooms.commands if name.partition(".")[0] in {"queue", "playback", "skip"})
PARTS = ("queue", "playback", "skip")
NOBODYS: Any = {"sequence": 0, "you": dict.fromkeys(("id", "username", "display_name", "avatar_key")), "present": []}
NOBODYS |= {"snapshot": None}
actions = st.lists(
    st.tuples(st.sampled_from([*COMMANDS, "queue.add", "mode", "wait"]), st.integers(0, 3), st.integers(0, 5)),
    min_size=5,
    max_size=25,
)


def event(kind: str, data: Json) -> Any:
    return {"kind": kind, "data": data}


class Play:
    """A room in which things happen."""

    def __init__(self, infra: Infra, room: Json, inside: list[Person], tracks: list[UUID]) -> None:
        self.infra, self.room, self.inside, self.tracks = infra, room, inside, tracks
        self.room_id = UUID(room["id"])

    async def snapshot(self) -> tuple[int, Json]:
        """The number of the last event, and the whole state."""
        async with self.infra.db.snapshot() as db:
            (row,) = await db.records("SELECT last_sequence FROM channels WHERE id = $1", [self.room_id])
            return row["last_sequence"], await playing_snapshot(db, self.room_id)

    async def follow(self, state: Json, after: int, until: int) -> Json:
        """The state with the events after a number, as a client makes it."""
        client = replace(begin(NOBODYS), **state)
        sql = """
            SELECT kind, data FROM channel_events WHERE channel_id = $1 AND sequence > $2 AND sequence <= $3
            ORDER BY sequence"""
        for kind, data in await self.infra.db.reader.records(sql, [self.room_id, after, until]):
            client = replace(CHANGES[kind](client, event(kind, data)), card=None)
        return {name: getattr(client, name) for name in PARTS}

    async def do(self, name: str, one: int, other: int) -> None:
        """An action of somebody; refusals are part of life."""
        if name == "wait":
            await asyncio.sleep(0.1 * one)
        elif name == "mode":
            mode = ("fifo", "votes", "fair")[other % 3]
            (await self.inside[0].patch(f"/rooms/{self.room_id}", json={"queue_mode": mode})).raise_for_status()
        else:
            actor = Principal(self.inside[(one + other) % 3].id, uuid7())
            await self.command(actor, name, one, other)

    async def command(self, actor: Principal, name: str, one: int, other: int) -> None:
        _, seen = await self.snapshot()
        queue, playing = seen["queue"], seen["playback"]["item"]
        item_id = queue[one % len(queue)]["id"] if queue else str(uuid7())
        bodies = {
            "queue.add": {"track_id": str(self.tracks[one])},
            "queue.remove": {"item_id": item_id},
            "queue.move": {"item_id": item_id, "index": other},
            "queue.vote": {"item_id": item_id, "active": other > 1},
            "playback.seek": {"position_ms": other * 100},
            "playback.ready": {"version": seen["playback"]["version"]},
            "skip.vote": {"item_id": playing["id"] if playing else str(uuid7())},
        }
        try:
            async with self.infra.db.write() as db:
                asked: Json = {"name": name, "body": bodies.get(name, {}), "client_id": uuid7().hex}
                await run_command(db, actor, self.room_id, **asked)
        except AppError:
            pass


# not made smaller when it fails: each try takes seconds
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(actions)
async def test_snapshot_and_events_are_a_fresh_snapshot(
    live: str, people: People, infra: Infra, happens: list[Action]
) -> None:
    room, inside = await with_members(people, "dj", "member")
    play = Play(infra, room, inside, await make_tracks(infra, 250, 400, 5000, None))
    async with seated(live, room, *inside[:2]):
        snapshots = [await play.snapshot()]
        for action in happens:
            await play.do(*action)
            snapshots.append(await play.snapshot())
    for (after, state), (until, fresh) in pairwise(snapshots):
        assert await play.follow(state, after, until) == fresh
    (after, state), (until, fresh) = snapshots[0], snapshots[-1]
    assert await play.follow(state, after, until) == fresh
