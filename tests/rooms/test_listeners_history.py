"""Who has heard what: those who were there for 30 seconds, or for half of a short track."""

import asyncio
import time
from uuid import UUID

from app.core.infra import Infra
from app.rooms.played import HEARD_MS, count_listeners
from tests.people import People, queries
from tests.rooms.factories import with_members
from tests.rooms.playing import Json, add, eventually, make_tracks, press, show, wait_for_people
from tests.rooms.test_playback_sockets import command, seated
from tests.sockets import sit


async def heard_by(infra: Infra, room: Json) -> list[set[UUID]]:
    """Who heard each play, the first play first."""
    sql = """
        SELECT array_agg(l.user_id) FILTER (WHERE l.user_id IS NOT NULL) AS who FROM room_plays p
        LEFT JOIN room_play_listeners l ON l.play_id = p.id WHERE p.room_id = $1 GROUP BY p.id ORDER BY p.id"""
    return [set(row["who"] or ()) for row in await infra.db.reader.records(sql, [UUID(room["id"])])]


async def test_those_present_for_half_of_a_track_have_heard_it(live: str, people: People, infra: Infra) -> None:
    room, [owner, member, late] = await with_members(people, "member", "member")
    await add(owner, room, *await make_tracks(infra, 1200, 60_000))
    async with seated(live, room, owner, member) as seats:
        version = (await command(seats[0], "playback.play", "1"))["playback"]["version"]
        for seat in seats:
            await command(seat, "playback.ready", "2", version=version)
        start = (await show(owner, room))["at_ms"] / 1000
        await asyncio.sleep(start - time.time() + 0.8)
        async with sit(live, f"rooms/{room['id']}", late):
            await eventually(lambda: show(owner, room), lambda playback: playback["version"] > version)
            assert await heard_by(infra, room) == [{owner.id, member.id}, set()]


async def test_who_leaves_before_the_end_is_known_too(live: str, people: People, infra: Infra) -> None:
    room, [owner, member] = await with_members(people, "member")
    await add(owner, room, *await make_tracks(infra, 200_000))
    async with seated(live, room, owner, member):
        await press(owner, room, "play")
        await press(owner, room, "play")
        await count_listeners(infra)
        assert await heard_by(infra, room) == [set()]
        async with infra.db.write() as db:  # as if it had begun a while ago
            past = "UPDATE playbacks SET at_ms = at_ms - $2 WHERE room_id = $1"
            await db.records(past, [UUID(room["id"]), HEARD_MS + 1000.0])
            past = "UPDATE room_plays SET started_at = started_at - interval '31 seconds' WHERE room_id = $1"
            await db.records(past, [UUID(room["id"])])
            await db.records(
                "UPDATE presences SET since = since - interval '30 seconds' WHERE user_id = $1", [member.id]
            )
        await count_listeners(infra)
        assert await heard_by(infra, room) == [{member.id}]  # the owner has come just now
    await press(owner, room, "skip")
    assert await heard_by(infra, room) == [{member.id}]


async def test_silence_is_not_heard(live: str, people: People, infra: Infra) -> None:
    room, [owner, late] = await with_members(people, "member")
    await add(owner, room, *await make_tracks(infra, 200_000))
    async with seated(live, room, owner):
        await press(owner, room, "play")
        await press(owner, room, "pause")
        async with sit(live, f"rooms/{room['id']}", late):
            await wait_for_people(owner, room, 2)
            async with infra.db.write() as db:  # as if it had played for 40 s, and been silent for a minute since
                of_room = [UUID(room["id"])]
                past = "UPDATE playbacks SET at_ms = at_ms - 60000, position_ms = 40000, heard_ms = 40000"
                await db.records(f"{past} WHERE room_id = $1", of_room)
                past = "UPDATE room_plays SET started_at = started_at - interval '100 seconds' WHERE room_id = $1"
                await db.records(past, of_room)
                for person, seconds in ((owner, 120), (late, 50)):
                    past = "UPDATE presences SET since = since - make_interval(secs => $2) WHERE user_id = $1"
                    await db.records(past, [person.id, seconds])
            await press(owner, room, "skip")
    assert await heard_by(infra, room) == [{owner.id}]


async def test_a_track_skipped_at_once_was_heard_by_nobody(live: str, people: People, infra: Infra) -> None:
    room, [owner] = await with_members(people)
    await add(owner, room, *await make_tracks(infra, 60_000, 60_000))
    async with seated(live, room, owner):
        await press(owner, room, "play")
        await press(owner, room, "skip")
        assert await heard_by(infra, room) == [set(), set()]


async def test_a_page_of_history_is_one_statement_more_than_the_right_to_it(people: People, infra: Infra) -> None:
    room, [owner] = await with_members(people)
    counts = []
    for _ in range(3):  # sockets of the tests before may still be on their way out
        async with queries(infra) as ran:
            assert (await owner.get(f"/rooms/{room['id']}/history")).status_code == 200
        counts += ran
    assert min(counts) == 2
