"""What rooms do by themselves: end a wait, go on from a track that is over, skip when enough voters remain, begin again
when somebody comes to where nobody listened any more.

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
from app.core.realtime import Subscription, watch
from app.rooms.auto_dj import MOST_UNHEARD
from app.rooms.playback import do_what_is_due, wake_up
from app.rooms.quorum import changed_rooms
from app.rooms.stage import ALIVE, SCHEDULE, SOON_MS, clock_ms
from app.rooms.votes import count_votes

__all__ = ["DUE", "Scheduler", "scheduler"]

AT_ONCE = 4
"""So many rooms go on at a time, and half as many that are waited for: each takes a connection."""
PAGE = 200
PATIENCE_MS = 250
"""A room that is busy is left to whoever has it, and asked again; one that is late for so long is waited for."""
BUSY_SECONDS, FAULT_SECONDS = 0.02, 1.0
"""How long a room is left alone that is in other hands, or that cannot go on."""
Work = Callable[[Writer, UUID], Awaitable[None]]
log = structlog.get_logger()

DUE = "SELECT room_id, due_ms FROM playbacks WHERE due_ms IS NOT NULL ORDER BY due_ms LIMIT $1"
ASLEEP = f"""
    SELECT b.room_id FROM playbacks b JOIN rooms r ON r.id = b.room_id
    WHERE b.dry AND b.unheard > 0 AND b.unheard >= {MOST_UNHEARD} AND r.auto_dj AND EXISTS (
        SELECT FROM presences p JOIN heartbeats h USING (process_id) WHERE p.channel_id = b.room_id AND {ALIVE})
    LIMIT $1"""  # noqa: S608 -- constants only
"""Rooms that stopped because nobody listened, and where somebody is again."""
_CLAIM = "SELECT 1 FROM channels WHERE id = $1 FOR NO KEY UPDATE SKIP LOCKED"


class _Uncounted:
    """Reads that belong to no request."""

    def __init__(self, infra: Infra) -> None:
        self._db, self._settings = infra.db, infra.settings

    @property
    def secret(self) -> bytes:
        return self._settings.secret

    async def records(self, sql: str, arguments: Sequence[Any]) -> list[Any]:
        return await self._db.fetch(sql, arguments, counted=False)


class Scheduler:
    """This process's look at the schedule."""

    def __init__(self, infra: Infra, news: Subscription) -> None:
        self._infra, self._news = infra, news
        self._at_work: dict[UUID, asyncio.Task[None]] = {}
        self._quick, self._patient = asyncio.Semaphore(AT_ONCE), asyncio.Semaphore(AT_ONCE // 2)

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                seconds = await self.look()
            except Exception as error:
                # whatever happened, rooms must go on: the next look finds what this one left
                log.warning("schedule_unread", reason=repr(error))
                seconds = SOON_MS / 1000
            await self._news.wait(seconds)

    async def look(self) -> float:
        """Begins what is due; the seconds until there may be more."""
        due = await self._infra.db.fetch(DUE, [PAGE], counted=False)
        recounts = await changed_rooms(_Uncounted(self._infra))
        asleep = await self._infra.db.fetch(ASLEEP, [PAGE], counted=False)
        now_ms = clock_ms()
        for room_id, due_ms in due:
            if due_ms <= now_ms:
                self._begin(room_id, do_what_is_due, patient=now_ms - due_ms > PATIENCE_MS)
        for room_id in recounts:
            self._begin(room_id, count_votes, patient=False)
        for (room_id,) in asleep:
            self._begin(room_id, wake_up, patient=False)
        wait_ms: float = min([SOON_MS, *(due_ms - now_ms for _, due_ms in due if due_ms > now_ms)])
        return wait_ms / 1000

    async def close(self) -> None:
        """What is under way is not finished: another process does it."""
        for task in self._at_work.values():
            task.cancel()
        await asyncio.gather(*self._at_work.values(), return_exceptions=True)

    def _begin(self, room_id: UUID, work: Work, *, patient: bool) -> None:
        if room_id not in self._at_work:
            task = self._at_work[room_id] = asyncio.create_task(self._do(room_id, work, patient=patient))
            task.add_done_callback(lambda _: self._done(room_id))

    def _done(self, room_id: UUID) -> None:
        del self._at_work[room_id]
        self._news.wake()  # perhaps it is due again, or was not done

    async def _do(self, room_id: UUID, work: Work, *, patient: bool) -> None:
        rest = 0.0
        async with self._patient if patient else self._quick:
            try:
                async with self._infra.db.write(counted=False) as db:
                    if patient:
                        await hold(db, room_id)
                    if patient or await db.records(_CLAIM, [room_id]):
                        await work(db, room_id)
                    else:
                        rest = BUSY_SECONDS
            except NotFound:
                pass  # it was closed meanwhile
            except Exception as error:
                log.warning("room_stands_still", room_id=str(room_id), reason=repr(error))
                rest = FAULT_SECONDS
        await asyncio.sleep(rest)


@watch("schedule")
async def _nothing_newer(db: Reader, keys: list[UUID]) -> dict[UUID, int]:
    """The schedule is looked at more often than that."""
    return {}


@opened
@asynccontextmanager
async def scheduler(infra: Infra) -> AsyncIterator[Scheduler]:
    """`infra.part(scheduler)`."""
    with infra.hub.subscribe("schedule", SCHEDULE, counted=False) as news:
        here = Scheduler(infra, news)
        task = asyncio.create_task(here.run(), name="schedule of rooms")
        try:
            yield here
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await here.close()
