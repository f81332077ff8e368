"""RabbitMQ: carries the names of work to processes that do nothing else. Where there is none, the job worker does it.

The database knows what is to be done; a message is only a word that it can be done now. So a message that is lost costs
time and nothing else, and one that comes twice finds the work taken.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import structlog

from app.core.health import Degraded
from app.core.infra import Infra, opened
from app.core.tasks import end_tasks

if TYPE_CHECKING:
    from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage, AbstractQueue

__all__ = ["BrokerDown", "QueueState", "Rabbit", "Unreadable", "broker"]

TIMEOUT_SECONDS = 5.0
DELIVERIES = 20
MOST_DEAD = 10_000
LONGEST_PAUSE_SECONDS = 30.0
WATCH_SECONDS = 15.0
log = structlog.get_logger()

Handle = Callable[[bytes], Awaitable[None]]


class BrokerDown(Exception):
    """RabbitMQ did not take all of it. What it did take may be handed over again."""


class Unreadable(Exception):
    """Raised by who handles a message that nobody will ever understand: it goes to the dead ones at once."""


class QueueState(NamedTuple):
    """How many messages wait, how many are dead, and how many processes take them."""

    waiting: int
    dead: int
    consumers: int


class Rabbit:
    """One queue that outlives every restart, and beside it `NAME.dead` for what was given back too often.

    Messages are confirmed when they are handed over, and acknowledged when they have been handled.
    """

    def __init__(self, url: str, queue: str) -> None:
        self._url, self._queue = url, queue
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._lock = asyncio.Lock()

    @property
    def address(self) -> str:
        """Where it is, without the password."""
        parts = urlsplit(self._url)
        return f"{parts.hostname}:{parts.port or (5671 if parts.scheme == 'amqps' else 5672)}"

    async def publish(self, messages: Iterable[bytes]) -> None:
        """Hands messages over; returns when they lie safely there. Raises BrokerDown."""
        from aio_pika import DeliveryMode, Message  # noqa: PLC0415 -- costs memory where there is no RabbitMQ

        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                exchange = (await self._publisher()).default_exchange
                sent = [Message(body, delivery_mode=DeliveryMode.PERSISTENT) for body in messages]
                await asyncio.gather(*(exchange.publish(message, self._queue) for message in sent))
        except Exception as error:  # whatever the client raises, nobody can say what has arrived
            await self.close()
            raise BrokerDown(f"{type(error).__name__}: {error}") from error

    async def state(self) -> QueueState:
        """What lies in the queues. Raises BrokerDown."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                channel = await self._publisher()
                found = [
                    (await channel.declare_queue(name, passive=True)).declaration_result
                    for name in (self._queue, f"{self._queue}.dead")
                ]
        except Exception as error:
            await self.close()
            raise BrokerDown(f"{type(error).__name__}: {error}") from error
        return QueueState(found[0].message_count or 0, found[1].message_count or 0, found[0].consumer_count or 0)

    async def close(self) -> None:
        """Ends the connection; the next use opens another."""
        connection, self._connection, self._channel = self._connection, None, None
        await _end(connection)

    async def consume(self, handle: Handle, stopping: asyncio.Event, *, at_once: int, last_seconds: float) -> None:
        """Gives each message to `handle` until `stopping` is set; whatever breaks, it begins again.

        What is being handled at the end gets `last_seconds`; the rest goes back to the queue.
        """
        pause = 0.1
        while not stopping.is_set():
            taking = _Taking(handle, stopping, last_seconds)
            try:
                await self._take(taking, at_once)
                pause = 0.1
            except Exception as error:
                log.warning("broker unreachable", error=type(error).__name__, retry_seconds=pause)
                await _wait(stopping, pause)
                pause = min(pause * 2, 3.0)
            finally:
                await taking.end(last_seconds)

    async def _take(self, taking: "_Taking", at_once: int) -> None:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            connection = await self._connect()
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                channel = await connection.channel()
                await channel.set_qos(prefetch_count=at_once)
                queue = await _declare(channel, self._queue)
                tag = await queue.consume(taking.begin)
            log.info("consuming", queue=self._queue, broker=self.address)
            while not taking.stopping.is_set():
                await _first(taking.stopping.wait(), channel.closed(), seconds=WATCH_SECONDS)
                await self._check(channel)
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await queue.cancel(tag)
            await taking.end(taking.last_seconds)
        finally:
            await _end(connection)

    async def _check(self, channel: "AbstractChannel") -> None:
        """Raises when the queue was deleted under us, or RabbitMQ hangs: of neither we would hear."""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            found = await channel.declare_queue(self._queue, passive=True)
        if not found.declaration_result.consumer_count:
            raise BrokerDown("nobody takes from the queue any more")

    async def _publisher(self) -> "AbstractChannel":
        async with self._lock:
            if self._channel is None or self._channel.is_closed:
                await self.close()
                self._connection = await self._connect()
                # without the second, a message that fits no queue would be confirmed and gone
                self._channel = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
                await _declare(self._channel, self._queue)
            return self._channel

    async def _connect(self) -> "AbstractConnection":
        from aio_pika import connect  # noqa: PLC0415 -- costs memory where there is no RabbitMQ

        return await connect(self._url, timeout=TIMEOUT_SECONDS, client_properties={"connection_name": "soundscore"})


class _Taking:
    """The messages that are being handled, each in a task of its own."""

    def __init__(self, handle: Handle, stopping: asyncio.Event, last_seconds: float) -> None:
        self.stopping, self.last_seconds = stopping, last_seconds
        self._handle = handle
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self, message: "AbstractIncomingMessage") -> None:
        """Begins with a message, and does not wait for its end."""
        task = asyncio.create_task(self._finish(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def end(self, seconds: float) -> None:
        """Waits for what is being handled, then cancels it."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        await end_tasks(self._tasks)

    async def _finish(self, message: "AbstractIncomingMessage") -> None:
        """Acknowledges what was done. On a connection that is gone nothing can be said: the message comes again."""
        try:
            await self._handle(message.body)
        except Unreadable as error:
            log.warning("message unreadable", reason=str(error))
            answer = message.reject(requeue=False)
        except Exception as error:
            log.warning("message not handled", error=type(error).__name__)
            await _wait(self.stopping, _pause(message))
            answer = message.nack(requeue=True)
        else:
            answer = message.ack()
        with suppress(Exception):
            await answer


def _pause(message: "AbstractIncomingMessage") -> float:
    """The longer, the more often it was given back: a database may be away for minutes, and deliveries are counted."""
    returned = message.headers.get("x-delivery-count", 0)
    return min(0.5 * 2.0 ** int(str(returned)), LONGEST_PAUSE_SECONDS)


async def _declare(channel: "AbstractChannel", name: str) -> "AbstractQueue":
    """Both queues are kept by a majority of the cluster, on disk. What is there already stays as it is."""
    dead = f"{name}.dead"
    await channel.declare_queue(dead, durable=True, arguments={"x-queue-type": "quorum", "x-max-length": MOST_DEAD})
    return await channel.declare_queue(
        name,
        durable=True,
        arguments={
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERIES,
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": dead,
        },
    )


async def _first(*waits: Awaitable[object], seconds: float) -> None:
    """Returns when one of them is done, or after so many seconds."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    await end_tasks(tasks)


async def _wait(stopping: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)


async def _end(connection: "AbstractConnection | None") -> None:
    if connection is not None:
        with suppress(Exception):
            async with asyncio.timeout(1):
                await connection.close()


@opened
@asynccontextmanager
async def broker(infra: Infra) -> AsyncIterator[Rabbit | None]:
    """The broker that the settings name, connected at its first use; None where the job worker does the work."""
    url = infra.settings.rabbitmq_url
    if not url:
        yield None
        return
    rabbit = Rabbit(url, infra.settings.rabbitmq_queue)
    infra.checks["broker"] = lambda: _look(rabbit)
    try:
        yield rabbit
    finally:
        await rabbit.close()


async def _look(rabbit: Rabbit) -> str:
    """Nothing is lost when something is wrong, but what waits goes on waiting. Raises Degraded."""
    try:
        state = await rabbit.state()
    except BrokerDown as error:
        raise Degraded(f"RabbitMQ does not answer at {rabbit.address}: exports wait in the database") from error
    if not state.consumers:
        raise Degraded(f"nobody runs `python -m app consumer`: {state.waiting} exports wait in RabbitMQ")
    if state.dead:
        raise Degraded(f"{state.dead} messages are dead")
    return rabbit.address
