"""Who is there: one row for each open socket, alive for as long as its process is.

Changes are gathered for a moment, so that a thousand people who come at once are one statement and one frame.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import structlog
from pydantic_core import to_json

from app.core.feeds import Line
from app.core.ids import uuid7
from app.core.infra import Infra, opened
from app.core.query import Runs
from app.core.tasks import end_tasks
from app.users.schemas import PersonCard

__all__ = ["Attendance", "attendance", "presence_line", "present_counts", "present_people"]

GATHER_SECONDS = 0.1
BEAT_SECONDS = 1.0
LIFE_SECONDS = 8
log = structlog.get_logger()

_BEAT = """
    INSERT INTO heartbeats (process_id, seen_at) VALUES ($1, clock_timestamp())
    ON CONFLICT (process_id) DO UPDATE SET seen_at = excluded.seen_at RETURNING xmax = 0 AS is_new"""
_REAP = """
    WITH dead AS (SELECT process_id FROM heartbeats WHERE seen_at < clock_timestamp() - make_interval(secs => $1)
                  FOR UPDATE SKIP LOCKED),
    gone AS (DELETE FROM presences WHERE process_id IN (SELECT process_id FROM dead) RETURNING channel_id, user_id),
    buried AS (DELETE FROM heartbeats WHERE process_id IN (SELECT process_id FROM dead))
    SELECT channel_id, user_id FROM gone"""
_COME = """
    INSERT INTO presences (connection_id, process_id, channel_id, user_id)
    SELECT came.connection_id, $1, came.channel_id, came.user_id
    FROM unnest($2::uuid[], $3::uuid[], $4::uuid[]) AS came (connection_id, channel_id, user_id)
    JOIN channels ON channels.id = came.channel_id JOIN users ON users.id = came.user_id
    ON CONFLICT DO NOTHING"""
_GO = "DELETE FROM presences WHERE connection_id = ANY($1)"
_ALIVE = f"""
    FROM presences p JOIN heartbeats h USING (process_id)
    WHERE h.seen_at > clock_timestamp() - make_interval(secs => {LIFE_SECONDS}) AND p.channel_id = ANY($1)"""
_PRESENT = f"SELECT DISTINCT p.channel_id, p.user_id {_ALIVE}"
_COUNTS = f"SELECT p.channel_id, count(DISTINCT p.user_id) AS people {_ALIVE} GROUP BY p.channel_id"
_PEOPLE = f"""SELECT u.id, u.username, u.display_name, u.avatar_key FROM users u
    WHERE u.id IN (SELECT p.user_id {_ALIVE}) AND u.id <> ALL($2)
    ORDER BY u.username LIMIT 1000"""  # noqa: S608 -- constants only


async def present_counts(db: Runs, channel_ids: Collection[UUID]) -> dict[UUID, int]:
    """How many people are in each channel; those without anybody are left out."""
    return {row["channel_id"]: row["people"] for row in await db.records(_COUNTS, [list(channel_ids)])}


async def present_people(db: Runs, channel_id: UUID, *, hidden: Collection[UUID] = ()) -> list[PersonCard]:
    """Who is in the channel, at most 1,000 of them."""
    return [PersonCard(**dict(row)) for row in await db.records(_PEOPLE, [[channel_id], list(hidden)])]


@dataclass(frozen=True, slots=True)
class _Seat:
    channel_id: UUID
    person: PersonCard


class Attendance:
    """The open sockets of this process, written down together."""

    def __init__(self, infra: Infra) -> None:
        self._infra = infra
        self._process_id = uuid7()
        self._seats: dict[UUID, _Seat] = {}
        self._came: dict[UUID, _Seat] = {}
        self._went: set[UUID] = set()
        self._moved: defaultdict[UUID, dict[UUID, PersonCard | None]] = defaultdict(dict)
        self._stirred = asyncio.Event()

    def come(self, connection_id: UUID, channel_id: UUID, person: PersonCard) -> None:
        """A socket has opened."""
        seat = self._seats[connection_id] = self._came[connection_id] = _Seat(channel_id, person)
        self._moved[channel_id][person.id] = seat.person
        self._stirred.set()

    def go(self, connection_id: UUID) -> None:
        """A socket has closed."""
        seat = self._seats.pop(connection_id, None)
        if seat is not None:
            if self._came.pop(connection_id, None) is None:
                self._went.add(connection_id)
            self._moved[seat.channel_id].setdefault(seat.person.id, seat.person)
            self._stirred.set()

    async def gather(self) -> None:
        """Writes down who came and went, and tells the channels."""
        came, went, moved = self._came, self._went, self._moved
        self._came, self._went, self._moved = {}, set(), defaultdict(dict)
        try:
            is_new = await self._write_down(came, went)
            await self._tell(moved)
        except Exception:
            # once more later; who has left meanwhile must not be written down after that
            self._came = {seat_id: seat for seat_id, seat in came.items() if seat_id in self._seats} | self._came
            self._went |= went
            for channel_id, people in moved.items():
                self._moved[channel_id] = people | self._moved[channel_id]
            raise
        if is_new and self._seats.keys() - came.keys():
            self._come_again()

    async def _write_down(self, came: Mapping[UUID, _Seat], went: Collection[UUID]) -> bool:
        """Whether this process was not known to live."""
        is_new = False
        async with self._infra.db.write(counted=False) as db:
            if went:
                await db.records(_GO, [list(went)])
            if came:
                is_new = (await db.records(_BEAT, [self._process_id]))[0]["is_new"]
                channels = [seat.channel_id for seat in came.values()]
                people = [seat.person.id for seat in came.values()]
                await db.records(_COME, [self._process_id, list(came), channels, people])
        return is_new

    def _come_again(self) -> None:
        """We were silent for so long that we were taken for dead: everybody here is written down and told anew."""
        self._came = {**self._seats, **self._came}
        for seat in self._seats.values():
            self._moved[seat.channel_id][seat.person.id] = seat.person
        self._stirred.set()

    async def beat(self) -> None:
        """Says that this process lives, and clears away after those that do not any more."""
        async with self._infra.db.write(counted=False) as db:
            is_new = (await db.records(_BEAT, [self._process_id]))[0]["is_new"]
            gone = await db.records(_REAP, [LIFE_SECONDS])
        for channel_id, user_id in gone:
            self._moved[channel_id].setdefault(user_id, None)
            self._stirred.set()
        if is_new and self._seats:
            self._come_again()

    async def leave(self) -> None:
        """The process ends."""
        await self.gather()
        async with self._infra.db.write(counted=False) as db:
            await db.records("DELETE FROM heartbeats WHERE process_id = $1", [self._process_id])

    async def _tell(self, moved: Mapping[UUID, Mapping[UUID, PersonCard | None]]) -> None:
        if not moved:
            return
        present: defaultdict[UUID, set[UUID]] = defaultdict(set)
        for channel_id, user_id in await self._infra.db.reader.records(_PRESENT, [list(moved)]):
            present[channel_id].add(user_id)
        lines = {channel_id: [_news(people, present[channel_id])] for channel_id, people in moved.items() if people}
        await self._infra.broadcast.publish(lines)

    async def run(self) -> None:
        """Gathers and beats until it is cancelled."""
        loop = asyncio.get_running_loop()
        next_beat = loop.time()
        while True:
            try:
                if self._seats and loop.time() >= next_beat:
                    next_beat = loop.time() + BEAT_SECONDS
                    await self.beat()
                if self._stirred.is_set():
                    self._stirred.clear()
                    await self.gather()
            except Exception as error:
                log.warning("presence_not_written", reason=repr(error))
                self._stirred.set()
            await asyncio.sleep(GATHER_SECONDS)


def _news(people: Mapping[UUID, PersonCard | None], present: Collection[UUID]) -> Line:
    joined = [card for user_id, card in people.items() if card and user_id in present]
    left = [user_id for user_id in people if user_id not in present]
    return presence_line(len(present), joined=joined, left=left)


def presence_line(count: int, *, joined: Sequence[PersonCard] = (), left: Sequence[UUID] = ()) -> Line:
    """Who came and went, and how many are there."""
    return Line(0, to_json({"type": "presence", "present_count": count, "joined": joined, "left": left}))


@opened
@asynccontextmanager
async def attendance(infra: Infra) -> AsyncIterator[Attendance]:
    """Who is there; `infra.part(attendance)`."""
    here = Attendance(infra)
    task = asyncio.create_task(here.run(), name="presence")
    try:
        yield here
    finally:
        await end_tasks([task])
        try:
            await here.leave()
        except Exception as error:
            log.warning("presence_not_written", reason=repr(error))
