"""Jobs: run if and only if committed, effects once, poison set aside, nothing lost by a crash."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel, SecretStr
from sqlalchemy import select, text
from structlog.testing import capture_logs

from app.core.config import Settings
from app.core.db import Database, Writer
from app.core.ids import uuid7
from app.core.job_work import Schedule, registry, tick
from app.core.jobs import (
    Backoff,
    DeadLetter,
    Event,
    Worker,
    depth,
    drain,
    emit,
    enqueue,
    every,
    job,
    on,
    outcomes,
    requeue,
)


@pytest.fixture
async def database(settings: Settings, worker_number: int) -> str:
    """A migrated database of this test alone."""
    # imported here because the child processes, which import this file, need no application
    from tests.conftest import create_database  # noqa: PLC0415

    return await create_database(settings.database_url, f"soundscore_jobs_{worker_number}")


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    """What other modules do by the clock has nothing here to do it with."""
    mine = ("core.", __name__)
    others = {name: it for name, it in registry.items() if isinstance(it, Schedule) and not name.startswith(mine)}
    for name in others:
        del registry[name]
    yield
    registry.update(others)


@dataclass
class Infra:
    db: Database
    settings: Settings
    broken: bool = False
    running: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Infra]:
    settings = Settings(database_url=url, environment="test", secret_key=SecretStr("x" * 32))
    infra = Infra(Database(settings), settings)
    await infra.db.open()
    try:
        yield infra
    finally:
        await infra.db.close()


@pytest.fixture
async def infra(database: str) -> AsyncIterator[Infra]:
    async with opened(database) as infra:
        await infra.db.fetch("CREATE TABLE effects (id bigserial, name text, number int)", [])
        yield infra


class TrackPlayed(Event):
    track_id: UUID
    played_at: datetime


class NumberCounted(Event):
    number: int


class HandlerBroke(Event):
    why: str


class Number(BaseModel):
    number: int = 0


async def effect(db: Writer, name: str, number: int = 0) -> None:
    await db.execute(
        text("INSERT INTO effects (name, number) VALUES (:name, :number)"), {"name": name, "number": number}
    )


async def effects(infra: Infra) -> list[tuple[str, int]]:
    rows = await infra.db.fetch("SELECT name, number FROM effects ORDER BY id", [])
    return [(row["name"], row["number"]) for row in rows]


@on(TrackPlayed)
async def count_play(db: Writer, event: TrackPlayed) -> None:
    assert isinstance(event.track_id, UUID)
    await effect(db, "count")


@on(TrackPlayed)
async def note_play(db: Writer, event: TrackPlayed) -> None:
    await effect(db, "note", event.played_at.year)


@on(NumberCounted)
async def keep_number(db: Writer, event: NumberCounted) -> None:
    await effect(db, "number", event.number)
    await asyncio.sleep(0.01)


@on(HandlerBroke, tries=2)
async def write_and_break(db: Writer, event: HandlerBroke) -> None:
    await effect(db, "half done")
    raise ValueError(event.why)


@job(tries=3)
async def do_number(infra: Infra, payload: Number) -> None:
    async with infra.db.write() as db:
        await effect(db, "job", payload.number)


@job(tries=3)
async def break_while_broken(infra: Infra, payload: Number) -> None:
    if infra.broken:
        raise ConnectionError(f"refused {payload.number} \0 \udc80")
    await do_number(infra, payload)


@job()
async def count_down(infra: Infra, payload: Number) -> None:
    async with infra.db.write() as db:
        await effect(db, "down", payload.number)
        if payload.number:
            await enqueue(db, count_down, Number(number=payload.number - 1), key="down")


@job()
async def take_long(infra: Infra, payload: Number) -> None:
    infra.running.set()
    await asyncio.sleep(payload.number / 1000)
    await do_number(infra, payload)


@job(at_most=2)
async def take_turns(infra: Infra, payload: Number) -> None:
    async with infra.db.write() as db:
        await effect(db, "begun", payload.number)
    await infra.released.wait()
    await do_number(infra, payload)


@job(seconds=0.05, tries=1)
async def hang(infra: Infra, payload: Number) -> None:
    await asyncio.Event().wait()


@job(tries=1)
async def cancel_itself(infra: Infra, payload: Number) -> None:
    raise asyncio.CancelledError


async def emit_numbers(infra: Infra, numbers: range) -> None:
    async with infra.db.write() as db:
        for number in numbers:
            await emit(db, NumberCounted(number=number))


async def order(infra: Infra, work: Any, number: int = 0, **options: Any) -> None:
    async with infra.db.write() as db:
        await enqueue(db, work, Number(number=number), **options)


@asynccontextmanager
async def working(infra: Infra, **options: Any) -> AsyncIterator[Worker]:
    options = {"backoff": Backoff(0.01), "lost_seconds": 1.0, "poll_seconds": 0.5, **options}
    worker = Worker(infra, **options)
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        await worker.stop(5)
        await asyncio.wait_for(task, 2)


async def until(met: Callable[[], Awaitable[bool]], seconds: float = 15.0) -> None:
    async with asyncio.timeout(seconds):
        while not await met():
            await asyncio.sleep(0.02)


async def is_idle(infra: Infra) -> bool:
    counts = await depth(infra.db.reader)
    return counts["due"] + counts["delayed"] + counts["running"] == 0


# --- committed or not ---


async def test_each_handler_of_an_event_runs_once_after_the_commit(infra: Infra) -> None:
    async with infra.db.write() as db:
        await emit(db, TrackPlayed(track_id=uuid7(), played_at=datetime(2024, 5, 1, tzinfo=UTC)))
        assert await drain(infra) == 0
    assert await drain(infra) == 2
    assert await effects(infra) == [("count", 0), ("note", 2024)]
    assert await drain(infra) == 0


async def test_a_rolled_back_transaction_leaves_no_job(infra: Infra) -> None:
    with suppress(RuntimeError):
        async with infra.db.write() as db:
            await emit(db, NumberCounted(number=1))
            await enqueue(db, do_number, Number())
            raise RuntimeError
    assert await drain(infra) == 0
    assert await effects(infra) == []


async def test_an_event_without_handlers_is_nothing(infra: Infra) -> None:
    class NobodyCared(Event):
        pass

    async with infra.db.write() as db:
        await emit(db, NobodyCared())
    assert await is_idle(infra)


async def test_a_worker_wakes_at_the_commit(infra: Infra) -> None:
    async with working(infra, poll_seconds=60):
        await asyncio.sleep(0.3)
        started = asyncio.get_running_loop().time()
        await emit_numbers(infra, range(1))

        async def done() -> bool:
            return await effects(infra) != []

        await until(done)
        assert asyncio.get_running_loop().time() - started < 1


# --- keys, delays, schedules ---


async def test_a_key_waits_only_once(infra: Infra) -> None:
    for number in range(3):
        await order(infra, do_number, number, key="same")
    await order(infra, do_number, 9, key="other")
    await order(infra, break_while_broken, 8, key="same")
    assert await drain(infra) == 3
    assert await effects(infra) == [("job", 0), ("job", 9), ("job", 8)]
    await order(infra, do_number, 7, key="same")
    assert await drain(infra) == 1


async def test_a_key_is_free_when_its_job_begins(infra: Infra) -> None:
    await order(infra, count_down, 2, key="down")
    assert await drain(infra) == 3


async def test_a_keyed_job_does_not_begin_before_the_dropped_one_committed(infra: Infra) -> None:
    await order(infra, do_number, key="same")
    async with infra.db.write() as db:
        await enqueue(db, do_number, Number(), key="same")
        assert await drain(infra) == 0
    assert await drain(infra) == 1


async def test_a_delayed_job_waits(infra: Infra) -> None:
    await order(infra, do_number, after=timedelta(hours=1))
    await order(infra, do_number, 1, after=timedelta(seconds=0.3))
    assert await drain(infra) == 0
    assert (await depth(infra.db.reader))["delayed"] == 2
    async with working(infra, poll_seconds=60):

        async def done() -> bool:
            return await effects(infra) == [("job", 1)]

        await until(done, 2)
    assert await drain(infra, ahead=timedelta(hours=2)) == 1


@pytest.fixture
def clock() -> Iterator[None]:
    @every(seconds=1)
    async def tick_tock(infra: Infra) -> None:
        async with infra.db.write() as db:
            await effect(db, "tick", int(datetime.now(UTC).timestamp()))

    @every(seconds=1_000_000)
    async def strike(infra: Infra) -> None:
        async with infra.db.write() as db:
            await effect(db, "strike")

    yield
    for name in ("tick_tock", "strike"):
        del registry[f"{__name__}.{name}"]


@pytest.mark.usefixtures("clock")
async def test_what_is_due_runs_once_over_several_workers(infra: Infra) -> None:
    async with working(infra), working(infra), working(infra):
        await asyncio.sleep(3.5)
    seconds = [number for name, number in await effects(infra) if name == "tick"]
    assert len(seconds) == len(set(seconds))
    assert len(seconds) in {3, 4}


@pytest.mark.usefixtures("clock")
async def test_what_came_due_while_nobody_looked_runs_once(infra: Infra) -> None:
    await tick(infra)
    await drain(infra, raise_errors=False)
    assert ("strike", 0) not in await effects(infra)
    missed = "UPDATE pgqueuer_schedules SET last_run = last_run - interval '1000 days' WHERE entrypoint = $1"
    await infra.db.fetch(missed, [f"{__name__}.strike"])
    for _ in range(2):
        await asyncio.gather(*[tick(infra) for _ in range(5)])
        await drain(infra, raise_errors=False)
    assert (await effects(infra)).count(("strike", 0)) == 1


def test_due_times() -> None:
    now = datetime(2024, 5, 1, 12, 5, tzinfo=UTC)
    schedule: Any = registry["core.jobs.bury_renamed"]
    assert (schedule.before(now), schedule.after(now)) == (now, now + timedelta(minutes=5))
    assert schedule.before(now - timedelta(seconds=1)) == now - timedelta(minutes=5)
    with pytest.raises(ValueError, match="cron"):
        every("* * *")


def test_names_are_stable_and_unique() -> None:
    assert do_number.name == f"{__name__}.do_number"
    assert "core.jobs.prune" in registry
    with pytest.raises(ValueError, match="two jobs"):
        job()(do_number.function)


# --- places ---


async def begun(infra: Infra) -> int:
    return [name for name, _ in await effects(infra)].count("begun")


async def test_a_job_with_places_of_its_own_keeps_nobody_waiting(infra: Infra) -> None:
    for number in range(30):
        await order(infra, take_turns, number)
    await emit_numbers(infra, range(100))

    async def others_are_done() -> bool:
        return [name for name, _ in await effects(infra)].count("number") == 100

    async with working(infra, concurrency=2, poll_seconds=60):
        await until(others_are_done)
        assert await begun(infra) == 2
        assert (await depth(infra.db.reader))["running"] == 2
        infra.released.set()
        await until(lambda: is_idle(infra))
    assert sorted(number for name, number in await effects(infra) if name == "job") == list(range(30))


async def test_more_processes_have_more_places(infra: Infra) -> None:
    for number in range(30):
        await order(infra, take_turns, number)
    async with working(infra), working(infra):

        async def all_places_are_taken() -> bool:
            return await begun(infra) == 4

        await until(all_places_are_taken)
        await emit_numbers(infra, range(1))
        await until(lambda: is_in(infra, ("number", 0)))
        assert await begun(infra) == 4
        infra.released.set()
        await until(lambda: is_idle(infra))
    assert await begun(infra) == 30


async def is_in(infra: Infra, one: tuple[str, int]) -> bool:
    return one in await effects(infra)


# --- failures ---


async def test_a_failing_handler_leaves_no_effect_and_becomes_a_dead_letter(infra: Infra) -> None:
    async with infra.db.write() as db:
        await emit(db, HandlerBroke(why="token=abc"))
    with capture_logs() as logs:
        with pytest.raises(ValueError, match="abc"):
            await drain(infra, backoff=Backoff(0.0))
        assert await drain(infra, raise_errors=False, backoff=Backoff(0.0)) == 0
    assert await effects(infra) == []
    (letter,) = await infra.db.reader.all(dead_letters())
    assert (letter.job, letter.error_type, letter.tries) == (f"{__name__}.write_and_break", "ValueError", 2)
    assert letter.payload == '{"why":"token=abc"}'
    assert "write_and_break" in letter.error
    assert [entry["dead"] for entry in logs] == [False, True]
    assert "abc" not in str(logs)


async def test_retries_wait_longer_each_time() -> None:
    waits = [Backoff().after(failures).total_seconds() for failures in range(1, 9)]
    assert all(0.8 * 4**power <= wait <= 1.2 * 4**power for power, wait in enumerate(waits[:5]))
    assert max(waits) <= 900 * 1.2


async def test_poison_does_not_hold_back_the_thousand_behind_it(infra: Infra) -> None:
    infra.broken = True
    outcomes.clear()
    await order(infra, break_while_broken, 5)
    await emit_numbers(infra, range(1000))
    async with working(infra):
        await until(lambda: is_idle(infra), seconds=60)
    assert sorted(number for _, number in await effects(infra)) == list(range(1000))
    assert (await depth(infra.db.reader))["dead"] == 1
    (letter,) = await infra.db.reader.all(dead_letters())
    assert (letter.tries, letter.error_type) == (3, "ConnectionError")
    name = break_while_broken.name
    assert (outcomes[name, "failed"], outcomes[name, "dead"], outcomes[keep_number_name(), "ran"]) == (2, 1, 1000)


async def test_a_requeued_dead_letter_runs_again_once(infra: Infra) -> None:
    infra.broken = True
    await order(infra, break_while_broken, 5)
    assert await drain(infra, raise_errors=False, ahead=timedelta(hours=1)) == 3
    (letter,) = await infra.db.reader.all(dead_letters())
    infra.broken = False
    async with infra.db.write() as db:
        assert await requeue(db, letter.id)
        assert not await requeue(db, letter.id)
        assert not await requeue(db, uuid7())
    assert await drain(infra) == 1
    assert await effects(infra) == [("job", 5)]
    assert (await depth(infra.db.reader))["dead"] == 0


async def test_a_job_of_an_unknown_name_becomes_a_dead_letter(infra: Infra) -> None:
    await order(infra, do_number)
    await infra.db.fetch("UPDATE pgqueuer SET entrypoint = 'core.gone'", [])
    with pytest.raises(LookupError, match=r"core\.gone"):
        await drain(infra)
    (letter,) = await infra.db.reader.all(dead_letters())
    assert (letter.job, letter.error_type) == ("core.gone", "LookupError")


@pytest.mark.parametrize(("work", "error"), [(hang, "TimeoutError"), (cancel_itself, "CancelledError")])
async def test_a_job_that_hangs_or_gives_up_has_failed(infra: Infra, work: Any, error: str) -> None:
    await order(infra, work)
    async with working(infra):
        await until(lambda: is_idle(infra))
    (letter,) = await infra.db.reader.all(dead_letters())
    assert letter.error_type == error


async def test_a_job_that_kills_its_worker_each_time_becomes_a_dead_letter(infra: Infra) -> None:
    await order(infra, do_number)
    await infra.db.fetch("UPDATE pgqueuer SET created = now() - interval '10 min'", [])
    await infra.db.fetch(
        "INSERT INTO pgqueuer_log (job_id, status, priority, entrypoint)"
        " SELECT id, 'picked', 0, entrypoint FROM pgqueuer, generate_series(1, 12)",
        [],
    )
    assert await drain(infra, raise_errors=False) == 1
    (letter,) = await infra.db.reader.all(dead_letters())
    assert (letter.error_type, await effects(infra)) == ("WorkerLost", [])


# --- crashes ---


async def test_a_finished_job_is_not_run_again(infra: Infra) -> None:
    await order(infra, do_number)
    await emit_numbers(infra, range(1))
    rows = await infra.db.fetch("SELECT * FROM pgqueuer", [])
    assert await drain(infra) == 2
    # as if the worker had died between the effects and the removal from the queue
    for row in rows:
        columns = ", ".join(row.keys())
        marks = ", ".join(f"${place}" for place in range(1, len(row) + 1))
        await infra.db.fetch(f"INSERT INTO pgqueuer ({columns}) VALUES ({marks})", list(row.values()))
    assert await drain(infra) == 2
    assert await effects(infra) == [("job", 0), ("number", 0)]


CHILD = """
import asyncio, importlib, sys
sys.path.insert(0, sys.argv[3])
asyncio.run(importlib.import_module(sys.argv[1]).work_alone(sys.argv[2]))
"""


async def work_alone(url: str) -> None:
    async with opened(url) as infra:
        await Worker(infra, backoff=Backoff(0.01), lost_seconds=1.0).run()


async def start_child(url: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, __name__, url, str(Path(__file__).parents[2]), stdout=subprocess.DEVNULL
    )


@pytest.mark.parametrize(("jobs", "killed"), [(600, 5), pytest.param(4_000, 20, marks=pytest.mark.slow)])
async def test_effects_happen_once_under_kill_9(infra: Infra, database: str, jobs: int, killed: int) -> None:
    await emit_numbers(infra, range(jobs))
    with suppress(RuntimeError):
        async with infra.db.write() as db:
            await emit(db, NumberCounted(number=-1))
            raise RuntimeError
    kills = 0
    for share in range(jobs // 10, jobs * 8 // 10, jobs * 7 // 10 // killed)[:killed]:
        child = await start_child(database)

        async def enough(share: int = share) -> bool:
            return len(await effects(infra)) >= share

        await until(enough)
        child.send_signal(signal.SIGKILL)
        kills += 1
        await child.wait()
    assert kills == killed
    assert not await is_idle(infra)
    async with working(infra):
        await until(lambda: is_idle(infra), seconds=60)
    assert sorted(number for _, number in await effects(infra)) == list(range(jobs))
    assert (await depth(infra.db.reader))["dead"] == 0


async def test_a_worker_goes_on_after_its_connections_are_cut(infra: Infra) -> None:
    cut = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'soundscore jobs' AND datname = current_database()"""

    async def is_cut() -> bool:
        return await infra.db.fetch(cut, []) != []

    await emit_numbers(infra, range(200))
    await order(infra, take_long, 700)
    with capture_logs() as logs:
        async with working(infra):
            for _ in range(3):
                await until(is_cut)
                await asyncio.sleep(0.1)
            await until(lambda: is_idle(infra))
            await emit_numbers(infra, range(200, 210))
            await until(lambda: is_idle(infra))
    assert {entry["event"] for entry in logs} == {"job queue unreachable"}
    done = await effects(infra)
    assert sorted(number for name, number in done if name == "number") == list(range(210))
    assert done.count(("job", 700)) == 1


async def test_a_stopped_worker_lets_its_jobs_end(infra: Infra) -> None:
    await order(infra, take_long, 300)
    async with working(infra) as worker:
        await infra.running.wait()
        await worker.stop(5)
    assert await effects(infra) == [("job", 300)]
    assert await is_idle(infra)


async def test_a_job_cancelled_by_the_stop_is_run_later_with_all_its_tries(infra: Infra) -> None:
    await order(infra, take_long, 60_000)
    async with working(infra) as worker:
        await infra.running.wait()
        await asyncio.wait_for(worker.stop(0.1), 2)
    assert await effects(infra) == []
    (row,) = await infra.db.fetch("SELECT status::text, attempts FROM pgqueuer", [])
    assert (row["status"], row["attempts"]) == ("queued", 0)


async def test_a_cancelled_worker_loses_no_job(infra: Infra) -> None:
    await order(infra, take_long, 60_000)
    task = asyncio.create_task(Worker(infra).run())
    await infra.running.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.wait_for(task, 2)
    assert (await depth(infra.db.reader))["due"] == 1


def dead_letters() -> Any:
    return select(DeadLetter)


def keep_number_name() -> str:
    return f"{__name__}.keep_number"
