"""pgqueuer's way to the database: its statements, on a connection that is made again when it is lost."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Self

import asyncpg
import structlog
from pgqueuer.adapters.drivers.asyncpg import Relay
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.tm import TaskManager
from pgqueuer.domain.models import TracebackRecord
from pgqueuer.domain.types import JobId, QueueEntrypoint, QueueManagerId
from pgqueuer.ports.driver import Driver, NotifyCallback
from pgqueuer.ports.repository import EntrypointExecutionParameter

from app.core.job_queue import NAMES, RELEASE, Delivery

__all__ = ["FairQueue", "Link", "Queue", "Statements"]

log = structlog.get_logger()

CONNECTION_LOST = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    # raised for a statement that meets the server's farewell: "another operation is in progress"
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
)


class Statements(Driver):
    """pgqueuer's driver on a function that runs one statement."""

    def __init__(self, run: Callable[[str, Sequence[Any]], Awaitable[list[asyncpg.Record]]]) -> None:
        self._run = run
        self._shutdown = asyncio.Event()

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        return [dict(row) for row in await self._run(query, args)]

    async def execute(self, query: str, *args: object) -> str:
        await self._run(query, args)
        return ""

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        raise NotImplementedError("statements alone hear nothing")

    async def notify(self, channel: str, payload: str) -> None:
        await self._run("SELECT pg_notify($1, $2)", [channel, payload])

    @property
    def shutdown(self) -> asyncio.Event:
        return self._shutdown

    @property
    def tm(self) -> TaskManager:
        return TaskManager()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...


class Link(Statements):
    """A connection of the worker's own. When it is lost, statements wait for a new one: running jobs notice nothing."""

    def __init__(self, dsn: str, timeout: float, renewed: Callable[[], None]) -> None:
        super().__init__(self._patiently)
        self._dsn, self._timeout, self._renewed = dsn, timeout, renewed
        self._connection: asyncpg.Connection | None = None
        self._listeners: list[tuple[str, NotifyCallback]] = []
        self._lock = asyncio.Lock()
        self.closing = False

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        async with self._lock:
            self._listeners.append((channel, callback))
            if self._connection is not None:
                await self._connection.add_listener(channel, Relay(callback))

    async def close(self) -> None:
        """Gives the connection back."""
        self.closing = True
        if self._connection is not None:
            with suppress(*CONNECTION_LOST):
                await self._connection.close(timeout=1)

    async def _patiently(self, query: str, arguments: Sequence[Any]) -> list[asyncpg.Record]:
        pause = 0.1
        async with self._lock:
            while True:
                try:
                    return await (await self._connected()).fetch(query, *arguments)
                except CONNECTION_LOST as error:
                    self._drop()
                    if self.closing:
                        raise
                    log.warning("job queue unreachable", error=type(error).__name__, retry_seconds=pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 3.0)

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(
                self._dsn,
                timeout=self._timeout,
                command_timeout=self._timeout,
                server_settings={"application_name": "soundscore jobs"},
            )
            for channel, callback in self._listeners:
                await self._connection.add_listener(channel, Relay(callback))
            self._renewed()
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


class Queue(Queries):
    """pgqueuer's statements, with a retry that is ours: only the holder of a job releases it, and sets its tries."""

    def __init__(self, driver: Driver) -> None:
        super().__init__(driver, QueryBuilderEnvironment(NAMES), QueryQueueBuilder(NAMES), QuerySchedulerBuilder(NAMES))

    async def retry_job(self, job: Delivery, delay: timedelta, traceback_record: TracebackRecord | None) -> None:
        await self.driver.execute(RELEASE, job.id, job.queue_manager_id, delay, job.attempts)


class FairQueue(Queue):
    """Jobs of which only some may run at once have places of their own, so that no other job waits for theirs.

    Not pgqueuer's limit of an entrypoint: that counts the jobs of all processes, so that more of them do no more.
    """

    running: Container[JobId] = ()
    """What the process has at work, to be given by whoever runs it."""

    def __init__(self, driver: Driver, limits: Mapping[str, int]) -> None:
        super().__init__(driver)
        self._limits = limits
        self._taken: dict[JobId, str] = {}

    async def dequeue(
        self,
        batch_size: int,
        entrypoints: dict[QueueEntrypoint, EntrypointExecutionParameter],
        queue_manager_id: QueueManagerId,
        global_concurrency_limit: int | None,
        heartbeat_timeout: timedelta,
    ) -> list[Delivery]:
        """One of those that have a free place of their own, and others for the places of all."""
        limited = {name: entrypoints[name] for name in self._open(list(entrypoints)) if name in self._limits}
        others = {name: it for name, it in entrypoints.items() if name not in self._limits}
        jobs = await super().dequeue(1, limited, queue_manager_id, None, heartbeat_timeout) if limited else []
        self._taken |= {job.id: job.entrypoint for job in jobs}
        places = global_concurrency_limit and global_concurrency_limit + len(self._taken)
        return jobs + await super().dequeue(batch_size, others, queue_manager_id, places, heartbeat_timeout)

    async def queued_work(self, entrypoints: list[QueueEntrypoint]) -> int:
        return await super().queued_work(self._open(entrypoints))

    async def eligible_queued_work(self, entrypoints: list[QueueEntrypoint]) -> int:
        return await super().eligible_queued_work(self._open(entrypoints))

    def _open(self, names: list[QueueEntrypoint]) -> list[QueueEntrypoint]:
        """Those that may begin: looking at once for the others again would be looking all the time."""
        self._taken = {job_id: name for job_id, name in self._taken.items() if job_id in self.running}
        busy = Counter(self._taken.values())
        return [name for name in names if name not in self._limits or busy[name] < self._limits[name]]
