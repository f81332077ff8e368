"""Durable work: events and their handlers, jobs and schedules, written in the transaction that causes them.

A job runs if and only if its transaction committed, at least once; the database effects of an event's handler happen
exactly once. Decorators only register.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from croniter import croniter  # type: ignore[import-untyped]
from pydantic import BaseModel

from app.core.db import Writer
from app.core.job_queue import (
    PRUNE,
    DeadLetter,
    JobReceipt,
    Order,
    bury_unknown,
    depth,
    drop_queue_schema,
    put,
    queue_schema,
    requeue,
    run,
)
from app.core.job_runner import Backoff, Worker, drain, outcomes
from app.core.job_work import Do, Event, Handler, Job, On, Schedule, Tick, register, registry, subscribers

__all__ = [
    "Backoff",
    "DeadLetter",
    "Event",
    "Job",
    "JobReceipt",
    "Worker",
    "depth",
    "drain",
    "drop_queue_schema",
    "emit",
    "enqueue",
    "every",
    "job",
    "on",
    "outcomes",
    "queue_schema",
    "requeue",
]

TRIES = 5
LONGEST_SECONDS = 300.0
UNKNOWN_AFTER = timedelta(minutes=10)

E = TypeVar("E", bound=Event)
P = TypeVar("P", bound=BaseModel)


async def emit(db: Writer, event: Event) -> None:
    """Tells an event's handlers: one durable job for each, in the caller's transaction."""
    payload = event.model_dump_json()
    await put(db, [Order(handler.name, payload) for handler in subscribers.get(type(event), [])])


async def enqueue(
    db: Writer, work: Job[P], payload: P, *, after: timedelta | None = None, key: str | None = None
) -> None:
    """Has `work` done, `after` some time, if the caller's transaction commits.

    At most one job with the same `key` waits to begin; a second one is dropped. Order keyed jobs last in a transaction:
    others with the key wait for its end.
    """
    full_key = f"{work.name}:{key}" if key is not None else None
    await put(db, [Order(work.name, payload.model_dump_json(), after or timedelta(), full_key)])


def on(event: type[E], *, tries: int = TRIES, seconds: float = LONGEST_SECONDS) -> Callable[[On[E]], On[E]]:
    """Subscribes `async def f(db: Writer, event)`: one transaction, no network."""

    def subscribe(function: On[E]) -> On[E]:
        handler = Handler(name=_name(function), tries=tries, seconds=seconds, event=event, function=function)
        register(handler)
        subscribers[event].append(handler)
        return function

    return subscribe


def job(*, tries: int = TRIES, seconds: float = LONGEST_SECONDS, at_most: int = 0) -> Callable[[Do[P]], Job[P]]:
    """Makes a job of `async def f(infra, payload)`, to be given to `enqueue`.

    `at_most` so many run at once in a process, and no other job waits for their end: for what takes long.
    """

    def make(function: Do[P]) -> Job[P]:
        made = Job(name=_name(function), tries=tries, seconds=seconds, at_most=at_most, function=function)
        register(made)
        return made

    return make


def every(cron: str = "", *, seconds: float = 0.0, tries: int = TRIES) -> Callable[[Tick], Tick]:
    """Runs `async def f(infra)` at each due time, once however many processes there are, and never beside itself."""
    if bool(cron) == bool(seconds) or (cron and not croniter.is_valid(cron)):
        raise ValueError("give a valid cron line or seconds")

    def schedule(function: Tick) -> Tick:
        register(
            Schedule(
                name=_name(function),
                tries=tries,
                seconds=LONGEST_SECONDS,
                expression=cron or seconds,
                function=function,
            )
        )
        return function

    return schedule


def _name(function: Callable[..., Any]) -> str:
    return f"{function.__module__.removeprefix('app.')}.{function.__name__}"


@every("17 * * * *")
async def prune(infra: Any) -> None:
    """Receipts and log entries are kept for longer than a job can come back."""
    for statement in PRUNE:
        async with infra.db.write() as db:
            await run(db, statement)


@every("*/5 * * * *")
async def bury_renamed(infra: Any) -> None:
    """A job of another release may belong to a process that is just starting, so it is given some minutes."""
    async with infra.db.write() as db:
        await bury_unknown(db, list(registry), UNKNOWN_AFTER)
