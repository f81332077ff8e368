"""Rooms go on by themselves: with nobody connected, over several processes, whichever of them lives."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import pairwise
from uuid import UUID

import pytest
from fastapi import FastAPI

from app.chat.log import hold
from app.core.infra import Infra
from app.rooms.scheduler import DUE, scheduler
from tests.conftest import running
from tests.people import People, Person, queries
from tests.rooms.factories import open_room
from tests.rooms.playing import Json, add, eventually, log_of, make_tracks, press, show

LENGTHS = [300, 450, 800, 350, 600, 500, 400, 700]


class Two:
    """Two processes' worth of application on one database."""

    def __init__(self, one: FastAPI, other: FastAPI, stack: AsyncExitStack) -> None:
        self.one, self.other, self.stop_other = one, other, stack.aclose

    @property
    def infra(self) -> Infra:
        infra: Infra = self.one.state.infra
        return infra


@pytest.fixture
async def two(fresh: FastAPI) -> AsyncIterator[Two]:
    async with AsyncExitStack() as stack:
        other = await stack.enter_async_context(running(fresh.state.infra.settings))
        yield Two(fresh, other, stack)


async def begin(people: People, infra: Infra, *lengths: int) -> tuple[Person, Json]:
    owner = await people.make("owner")
    room = await open_room(owner)
    await add(owner, room, *await make_tracks(infra, *lengths))
    await press(owner, room, "play")
    return owner, room


async def silence(owner: Person, room: Json) -> Json:
    """Waits for the end of the last track."""
    return await eventually(lambda: show(owner, room), lambda playback: playback["item"] is None, seconds=20)


async def plays_of(infra: Infra, room: Json) -> list[tuple[str, float, int]]:
    """What was played: the title, when by the server's clock, and for how long."""
    sql = """
        SELECT t.title, extract(epoch FROM p.started_at)::float8 * 1000, p.played_ms FROM room_plays p
        JOIN tracks t ON t.id = p.track_id WHERE p.room_id = $1 AND p.ended_at IS NOT NULL ORDER BY p.id"""
    return [tuple(row) for row in await infra.db.reader.records(sql, [UUID(room["id"])])]


async def assert_played_once(infra: Infra, room: Json, lengths: list[int]) -> None:
    plays = await plays_of(infra, room)
    assert [(title, ms) for title, _, ms in plays] == [(chr(65 + n), ms) for n, ms in enumerate(lengths)]
    told = [data["playback"] for data in await log_of(infra, room, "playback.changed")]
    assert [playback["version"] for playback in told] == list(range(1, len(lengths) + 2))
    starts = [playback["at_ms"] for playback in told]
    assert [round(b - a) for a, b in pairwise(starts[:-1])] == lengths[:-1]  # one begins where the other ends


async def test_every_track_starts_once_over_two_processes(two: Two) -> None:
    async with People(two.one) as people:
        rooms = [await begin(people, two.infra, *LENGTHS) for _ in range(4)]
        for owner, room in rooms:
            await silence(owner, room)
            await assert_played_once(two.infra, room, LENGTHS)


async def test_a_process_that_ends_changes_nothing(two: Two) -> None:
    async with People(two.other) as people, People(two.one) as left:
        _, room = await begin(people, two.infra, *LENGTHS[:5])
        reader = await left.make("reader")
        await eventually(lambda: show(reader, room), lambda playback: playback["version"] == 3)
        await two.stop_other()
        await silence(reader, room)
        await assert_played_once(two.infra, room, LENGTHS[:5])


async def test_rooms_go_on_when_the_database_is_back(fresh: FastAPI) -> None:
    infra: Infra = fresh.state.infra
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> $1"
    async with People(fresh) as people:
        owner, room = await begin(people, infra, *LENGTHS[:4])
        for _ in range(3):
            await asyncio.sleep(0.5)
            async with infra.db.write() as db:
                (own,) = await db.records("SELECT pg_backend_pid()", [])
                await db.records(cut, [own[0]])

        async def silent() -> bool:
            try:
                return (await show(owner, room)).get("item", "?") is None
            except (KeyError, ValueError):
                return False

        await eventually(silent, bool, seconds=20)
        assert [(title, ms) for title, _, ms in await plays_of(infra, room)] == [
            (chr(65 + n), ms) for n, ms in enumerate(LENGTHS[:4])
        ]


async def test_a_busy_room_is_waited_for_and_holds_no_other_up(people: People, infra: Infra) -> None:
    busy_owner, busy = await begin(people, infra, 100, 60_000)
    async with infra.db.write() as db:
        await hold(db, UUID(busy["id"]))
        await asyncio.sleep(0.8)  # by now it is waited for
        owner, room = await begin(people, infra, 100, 60_000)
        now = await eventually(lambda: show(owner, room), lambda playback: playback["version"] == 2, seconds=2)
        assert now["item"]["track"]["title"] == "B"
        assert (await show(busy_owner, busy))["version"] == 1
    await eventually(lambda: show(busy_owner, busy), lambda playback: playback["version"] == 2)


async def test_a_look_costs_little_and_nothing_that_counts(people: People, infra: Infra) -> None:
    await begin(people, infra, 60_000)
    assert 0 <= await infra.part(scheduler).look() <= 0.5
    counts = []
    for _ in range(3):  # sockets of the tests before may still be on their way out
        async with queries(infra) as ran:
            await infra.part(scheduler).look()
        counts += ran
    assert min(counts) == 0


async def test_the_schedule_is_read_from_an_index(infra: Infra) -> None:
    async with infra.db.write() as db:
        await db.records("SET LOCAL enable_seqscan = off", [])
        plan = await db.records(f"EXPLAIN {DUE}", [200])
    assert "ix_playbacks_due_ms" in str(plan)
