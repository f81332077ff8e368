"""What rooms do by themselves: end a wait, go on from a track that is over, skip when enough voters remain.

Every process looks at the schedule in the database, so it does not matter which of them live or who is connected. A
room is held while it goes on, and what is due is looked at again then: so it happens once.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import structlog

from app.chat.log import hold
from app.core.db import Reader, Writer
from app.core.errors import NotFound
from app.core.infra import Infra, opened
from app.core.realtime import watch
from app.rooms.playback import do_what_is_due
from app.rooms.quorum import changed_rooms
from app.rooms.stage import SCHEDULE, SOON_MS, clock_ms
from app.rooms.votes import count_votes

__all__ = ["DUE", "Scheduler", "scheduler"]

AT_ONCE = 4
"""So many connections it takes at most."""
PAGE = 200
PATIENCE_MS = 250
"""A room that is busy is left to whoever has it, and asked again; one that is late for so long is waited for."""
log = structlog.get_logger()

DUE = "SELECT room_id, due_ms FROM playbacks WHERE due_ms IS NOT NULL ORDER BY due_ms LIMIT $1"
_CLAIM = "SELECT 1 FROM channels WHERE id = $1 FOR UPDATE SKIP LOCKED"


class _Uncounted:
    """Reads that belong to no request."""

    def __init__(self, infra: Infra) -> None:
        self._db = infra.db

    async def records(self, sql: str, arguments: Sequence[Any]) -> list[Any]:
        return await self._db.fetch(sql, arguments, counted=False)


class Scheduler:
    """This process's look at the schedule."""

    def __init__(self, infra: Infra) -> None:
        self._infra = infra
        self._few = asyncio.Semaphore(AT_ONCE)

    async def run(self) -> None:
        """Until it is cancelled."""
        with self._infra.hub.subscribe("schedule", SCHEDULE) as news:
            while True:
                try:
                    seconds = await self.look()
                except Exception as error:
                    # whatever happened, rooms must go on: the next look finds what this one left
                    log.warning("schedule_unread", reason=repr(error))
                    seconds = SOON_MS / 1000
                await news.wait(seconds)

    async def look(self) -> float:
        """Does what is due; the seconds until there may be more."""
        due = await self._infra.db.fetch(DUE, [PAGE], counted=False)
        now_ms = clock_ms()
        ready = [(row["room_id"], now_ms - row["due_ms"]) for row in due if row["due_ms"] <= now_ms]
        recounts = await changed_rooms(_Uncounted(self._infra))
        votes = [self._do(room_id, count_votes, patient=False) for room_id in recounts]
        dues = [self._do(room_id, do_what_is_due, patient=late > PATIENCE_MS) for room_id, late in ready]
        done = await asyncio.gather(*votes, *dues)
        if ready:
            return 0 if all(done) else 0.02
        wait_ms: float = min([SOON_MS, *(row["due_ms"] - now_ms for row in due[:1])])
        return wait_ms / 1000

    async def _do(self, room_id: UUID, work: Callable[[Writer, UUID], Awaitable[None]], *, patient: bool) -> bool:
        """Whether it was done here; if not, the room is in other hands, or its fault is told."""
        async with self._few:
            try:
                async with self._infra.db.write(counted=False) as db:
                    if patient:
                        await hold(db, room_id)
                    elif not await db.records(_CLAIM, [room_id]):
                        return False
                    await work(db, room_id)
            except NotFound:
                return True  # it was closed meanwhile
            except Exception as error:
                log.warning("room_stands_still", room_id=str(room_id), reason=repr(error))
                return False
        return True


@watch("schedule")
async def _nothing_newer(db: Reader, keys: list[UUID]) -> dict[UUID, int]:
    """The schedule is looked at more often than that."""
    return {}


@opened
@asynccontextmanager
async def scheduler(infra: Infra) -> AsyncIterator[Scheduler]:
    """`infra.part(scheduler)`."""
    here = Scheduler(infra)
    task = asyncio.create_task(here.run(), name="schedule of rooms")
    try:
        yield here
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
