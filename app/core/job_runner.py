"""Runs jobs: pgqueuer takes them from the table and beats their hearts, this decides what becomes of failures."""

import asyncio
import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import structlog
from pgqueuer.core.executors import AbstractEntrypointExecutor, EntrypointExecutorParameters
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Context
from pgqueuer.domain.types import QueueEntrypoint, QueueManagerId
from pgqueuer.ports.repository import EntrypointExecutionParameter

from app.core.database_url import driver_dsn
from app.core.job_link import FairQueue, Link, Queue, Statements
from app.core.job_queue import (
    COUNT_PICKS,
    FORGET_KEY,
    HASTEN,
    NAMES,
    Delivery,
    bury,
    bury_unknown,
    identity,
)
from app.core.job_work import Work, registry, tick

__all__ = ["Backoff", "Worker", "drain", "outcomes"]

log = structlog.get_logger()

# how often each job was (name, "ran"), (name, "failed") and (name, "dead") in this process; for telemetry to read
outcomes: Counter[tuple[str, str]] = Counter()

MOST_LOSSES = 10
LAST_SECONDS = 2.0
LATE = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait after a failure: `first` seconds, then each time four times as long, a fifth more or less."""

    first: float = 1.0
    longest: float = 900.0

    def after(self, failures: int) -> timedelta:
        seconds = min(self.first * 4 ** (failures - 1), self.longest)
        return timedelta(seconds=seconds * random.uniform(0.8, 1.2))  # noqa: S311 - only spreads load


class WorkerLost(Exception):
    """The process died each time that it ran this job."""


class Executor(AbstractEntrypointExecutor):
    """Runs any job. It raises nothing but RetryRequested: after other ends pgqueuer deletes the job."""

    def __init__(self, infra: Any, backoff: Backoff) -> None:
        super().__init__(EntrypointExecutorParameters(concurrency_limit=0, func=_nothing, on_failure="hold"))
        self._infra, self._backoff = infra, backoff
        self._running: set[asyncio.Task[Any]] = set()
        self._closed = False

    async def execute(self, job: Delivery, context: Context) -> None:
        task = asyncio.current_task()
        assert task is not None
        if self._closed:
            raise RetryRequested
        self._running.add(task)
        try:
            await deliver(self._infra, job, self._backoff)
        except asyncio.CancelledError:
            task.uncancel()
            log.info("job interrupted", job=job.entrypoint, job_id=str(identity(job)))
            raise RetryRequested from None
        finally:
            self._running.discard(task)

    def interrupt(self) -> None:
        """Cancels what runs and starts nothing more; the jobs go back to the queue with their tries as they were."""
        self._closed = True
        for task in self._running:
            task.cancel()


async def _nothing(_: Delivery) -> None: ...


async def deliver(infra: Any, delivery: Delivery, backoff: Backoff) -> BaseException | None:
    """Runs a job once. Returns the error that made it a dead letter; after other failures raises RetryRequested."""
    work = registry[delivery.entrypoint]
    try:
        await _try(infra, work, delivery)
    except (Exception, asyncio.CancelledError) as error:
        if _interrupted(error):
            raise
        await _failed(infra, work, delivery, error, backoff)
        return error
    outcomes[work.name, "ran"] += 1
    return None


async def _try(infra: Any, work: Work, delivery: Delivery) -> None:
    await _check_losses(infra, delivery)
    if "key" in (delivery.headers or {}):
        # from now on there is something newer to see, so the key must not hold back another job
        await infra.db.fetch(FORGET_KEY, [delivery.id])
    async with asyncio.timeout(work.seconds):
        await work.run(infra, identity(delivery), delivery.payload or b"{}")


async def _check_losses(infra: Any, delivery: Delivery) -> None:
    """A job that kills its process leaves no failure behind, only picks."""
    if delivery.updated - delivery.created > LATE:
        picks = (await infra.db.fetch(COUNT_PICKS, [delivery.id]))[0][0]
        if picks - delivery.attempts > MOST_LOSSES:
            delivery.attempts = picks
            raise WorkerLost(f"taken {picks} times without an end")


def _interrupted(error: BaseException) -> bool:
    """Whether the job was cancelled from outside; one that lets out a CancelledError of its own has failed."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


async def _failed(infra: Any, work: Work, delivery: Delivery, error: BaseException, backoff: Backoff) -> None:
    delivery.attempts += 1
    dead = delivery.attempts >= work.tries
    outcomes[work.name, "dead" if dead else "failed"] += 1
    # the message may quote the payload; the dead letter keeps it for those who may see it
    log.warning(
        "job failed",
        job=work.name,
        job_id=str(identity(delivery)),
        tries=delivery.attempts,
        dead=dead,
        error=type(error).__name__,
    )
    if not dead:
        raise RetryRequested(backoff.after(delivery.attempts)) from error
    try:
        async with infra.db.write() as db:
            await bury(db, delivery, error)
    except Exception as trouble:
        raise RetryRequested(backoff.after(delivery.attempts)) from trouble


class Worker:
    """Runs jobs until it is stopped. `lost_seconds`: a job whose worker has not been heard for so long is run again."""

    def __init__(
        self,
        infra: Any,
        concurrency: int = 10,
        *,
        backoff: Backoff | None = None,
        lost_seconds: float = 30.0,
        poll_seconds: float = 5.0,
    ) -> None:
        self._infra = infra
        self._concurrency = max(concurrency, 2)
        self._lost = timedelta(seconds=lost_seconds)
        self._poll = timedelta(seconds=poll_seconds)
        self._executor = Executor(infra, backoff or Backoff())
        self._link: Link | None = None
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()
        self._ended.set()

    async def run(self) -> None:
        """Takes jobs until `stop()`; whatever breaks, it goes on."""
        self._ended.clear()
        clock = asyncio.create_task(self._keep_time())
        try:
            while not self._stopping.is_set():
                try:
                    await self._take_jobs()
                except Exception as error:
                    log.error("job worker failed", exc_info=error)
                    await self._pause(1.0)
        finally:
            clock.cancel()
            self._ended.set()

    async def stop(self, seconds: float = 10.0) -> None:
        """Takes no more jobs. Those running get so many seconds to end, then they are cancelled and left to others."""
        self._stopping.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), seconds)
        self._executor.interrupt()
        if self._link is not None:
            self._link.closing = True
        with suppress(TimeoutError):
            # what does not heed its cancelling is run again elsewhere when its heart has stopped
            await asyncio.wait_for(self._ended.wait(), LAST_SECONDS)

    async def _take_jobs(self) -> None:
        settings = self._infra.settings
        self._link = Link(driver_dsn(settings.database_url), settings.database_timeout_seconds, self._renew)
        queue = FairQueue(self._link, {name: work.at_most for name, work in registry.items() if work.at_most})
        self._manager = QueueManager(queue, channel=NAMES.channel)
        queue.running = self._manager.job_context
        self._manager.shutdown = self._stopping
        for name in registry:
            self._manager.register_executor(name, self._executor)
        taking = asyncio.create_task(
            self._manager.run(
                dequeue_timeout=self._poll,
                batch_size=max(self._concurrency // 2, 1),
                max_concurrent_tasks=self._concurrency,
                heartbeat_timeout=self._lost,
                log_aggregation_interval=timedelta(),
            )
        )
        try:
            # unlike await, wait leaves the task alone when this one is cancelled
            await asyncio.wait({taking})
            await taking
        except asyncio.CancelledError:
            self._stopping.set()
            self._executor.interrupt()
            await asyncio.wait({taking}, timeout=LAST_SECONDS)
            raise
        finally:
            await self._link.close()

    def _renew(self) -> None:
        """Jobs whose taking was done but not answered would count as ours and fill the quota for ever."""
        self._manager.queue_manager_id = QueueManagerId(uuid4())

    async def _keep_time(self) -> None:
        while not self._stopping.is_set():
            pause = 5.0
            try:
                pause = min(await tick(self._infra), 60.0)
            except Exception as error:
                log.warning("schedules not read", exc_info=error)
            await self._pause(pause)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


async def drain(
    infra: Any, *, raise_errors: bool = True, ahead: timedelta = timedelta(), backoff: Backoff | None = None
) -> int:
    """Runs all jobs that are due, and those they enqueue, one after another in their order; returns how many it ran.

    For tests. Failed jobs stay as a worker would leave them; the first error is raised at the end. `ahead` also runs
    what is due within that time.
    """
    queue = Queue(Statements(infra.db.fetch))
    errors: list[BaseException] = []
    ran = 0
    while job := await _next(infra, queue, ahead):
        ran += 1
        try:
            error = await deliver(infra, job, backoff or Backoff())
            await queue.log_jobs([(job, "successful", None)])
        except RetryRequested as retry:
            error = retry.__cause__
            await queue.retry_job(job, retry.delay, None)
        errors += [error] if error else []
    async with infra.db.write() as db:
        errors += [LookupError(f"no job is called {name}") for name in await bury_unknown(db, [*registry], -ahead)]
    if errors and raise_errors:
        raise errors[0]
    return ran


async def _next(infra: Any, queue: Queue, ahead: timedelta) -> Delivery | None:
    if ahead:
        await infra.db.fetch(HASTEN, [ahead])
    names = {QueueEntrypoint(name): EntrypointExecutionParameter(0) for name in registry}
    jobs = await queue.dequeue(1, names, QueueManagerId(uuid4()), None, timedelta(seconds=30))
    return jobs[0] if jobs else None
