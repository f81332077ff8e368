"""What can be run: handlers of events, jobs and schedules, registered by name."""

import inspect
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar, get_type_hints
from uuid import UUID

from croniter import croniter  # type: ignore[import-untyped]
from pydantic import BaseModel, ConfigDict

from app.core.db import Writer
from app.core.job_queue import ADVANCE, Order, put, run, sign, signed

__all__ = [
    "Do",
    "Event",
    "Handler",
    "Job",
    "On",
    "Schedule",
    "Tick",
    "Work",
    "register",
    "registry",
    "subscribers",
    "tick",
]


class Event(BaseModel):
    """Something that happened, named in the past tense: `class ReviewPublished(Event): review_id: UUID`."""

    model_config = ConfigDict(frozen=True)


E = TypeVar("E", bound=Event)
P = TypeVar("P", bound=BaseModel)
On = Callable[[Writer, E], Awaitable[None]]
Do = Callable[[Any, P], Awaitable[None]]
Tick = Callable[[Any], Awaitable[None]]


@dataclass(frozen=True, eq=False, kw_only=True)
class Work(ABC):
    """What can be run by name: how often it is tried, how many seconds a try may take, how many a process runs at once.

    `at_most` 0: as many as there are places for all.
    """

    name: str
    tries: int
    seconds: float
    at_most: int = 0

    @abstractmethod
    async def run(self, infra: Any, job_id: UUID, payload: bytes) -> None:
        """Runs it unless its receipt says that it was done."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Handler(Work):
    """A subscriber of an event, run in one transaction with its receipt."""

    event: type[Event]
    function: On[Any]

    async def run(self, infra: Any, job_id: UUID, payload: bytes) -> None:
        event = self.event.model_validate_json(payload)
        async with infra.db.write() as db:
            if await sign(db, job_id, self.name):
                await self.function(db, event)


@dataclass(frozen=True, eq=False, kw_only=True)
class Job(Work, Generic[P]):
    """Work that may talk to the network and opens its own transactions; its receipt follows its success."""

    function: Do[P]

    async def __call__(self, infra: Any, payload: P) -> None:
        await self.function(infra, payload)

    @property
    def model(self) -> type[P]:
        """The payload's class, as annotated."""
        _, second = inspect.signature(self.function).parameters
        return get_type_hints(self.function)[second]  # type: ignore[no-any-return]

    async def run(self, infra: Any, job_id: UUID, payload: bytes) -> None:
        if not await signed(infra.db, job_id):
            await self.function(infra, self.model.model_validate_json(payload))
            async with infra.db.write() as db:
                await sign(db, job_id, self.name)


@dataclass(frozen=True, eq=False, kw_only=True)
class Schedule(Work):
    """Work that recurs by a cron line in UTC, or each so many seconds since 1970."""

    expression: str | float
    function: Tick

    def before(self, now: datetime) -> datetime:
        """The last due time."""
        if isinstance(self.expression, str):
            # croniter's previous time is before its start, and a due time itself is due
            return croniter(self.expression, now + timedelta(microseconds=1)).get_prev(datetime)  # type: ignore[no-any-return]
        return datetime.fromtimestamp(now.timestamp() // self.expression * self.expression, UTC)

    def after(self, now: datetime) -> datetime:
        """The next due time."""
        if isinstance(self.expression, str):
            return croniter(self.expression, now).get_next(datetime)  # type: ignore[no-any-return]
        return self.before(now) + timedelta(seconds=self.expression)

    async def run(self, infra: Any, job_id: UUID, payload: bytes) -> None:
        if not await signed(infra.db, job_id):
            await self.function(infra)
            async with infra.db.write() as db:
                await sign(db, job_id, self.name)


registry: dict[str, Work] = {}
subscribers: defaultdict[type[Event], list[Handler]] = defaultdict(list)


def register(work: Work) -> None:
    """Makes work known by its name."""
    if work.name in registry:
        raise ValueError(f"there are two jobs called {work.name}")
    registry[work.name] = work


async def tick(infra: Any) -> float:
    """Enqueues the schedules that came due since anybody last did; returns the seconds until the next due time.

    Not pgqueuer's scheduler: that runs the function itself, without retries, and reckons by the clock of each process,
    so that two processes may both run what is due once.
    """
    now = (await infra.db.fetch("SELECT now()", []))[0][0]
    schedules = sorted((work for work in registry.values() if isinstance(work, Schedule)), key=lambda work: work.name)
    rows = [(it.name, str(it.expression), it.after(now), it.before(now)) for it in schedules]
    if not rows:
        return 60.0
    async with infra.db.write() as db:
        moved = await run(db, ADVANCE, *(list(column) for column in zip(*rows, strict=True)))
        due = [row.entrypoint for row in moved if not row.is_new]
        await put(db, [Order(name, "{}", key=name, sticky=True) for name in due])
    wait: timedelta = min(row[2] for row in rows) - now
    return max(wait.total_seconds(), 0.0) + 0.01
