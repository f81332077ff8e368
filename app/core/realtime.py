"""The hub: wakes whoever waits for a topic, in every process. The database stays the truth.

A wake-up travels over Redis after the commit. What Redis loses, a look at the versions in the database finds within
a second, so a deaf broker delays a message but cannot lose one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from app.core.db import Reader, Writer
from app.core.tasks import end_tasks

__all__ = ["Hub", "Subscription", "push", "watch"]

TICK_SECONDS = 1.0
_CHANNEL = "wake"
log = structlog.get_logger()

Versions = Callable[[Reader, list[UUID]], Awaitable[dict[UUID, int]]]
_watched: dict[str, Versions] = {}


def watch(kind: str) -> Callable[[Versions], Versions]:
    """Registers the function that tells the newest version of each `kind:<id>` topic."""

    def register(function: Versions) -> Versions:
        _watched[kind] = function
        return function

    return register


def push(db: Writer, kind: str, key: UUID) -> None:
    """Wakes the subscribers of a topic once this transaction has committed."""
    db.wakes.append(f"{kind}:{key}")


class Subscription:
    """One waiting reader. `seen` is the last version that it has read."""

    __slots__ = ("_event", "counted", "key", "kind", "seen")

    def __init__(self, kind: str, key: UUID, seen: int, *, counted: bool = True) -> None:
        self.kind, self.key, self.seen, self.counted = kind, key, seen, counted
        self._event = asyncio.Event()

    def wake(self) -> None:
        """Ends the wait that is under way, or the next one."""
        self._event.set()

    async def wait(self, seconds: float) -> bool:
        """Waits until there may be something new, at most so many seconds; whether it was woken."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True


class Hub:
    """The subscriptions of this process and its one connection to the broker."""

    def __init__(self, redis: Redis, reader: Reader) -> None:
        self._redis = redis
        self._reader = reader
        self._topics: dict[str, set[Subscription]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Starts to listen."""
        self._tasks = [asyncio.create_task(self._listen(), name="hub"), asyncio.create_task(self._tick(), name="tick")]

    async def close(self) -> None:
        """Stops listening and wakes everybody, so that they see that it is over."""
        await end_tasks(self._tasks)
        self.wake_all()

    @property
    def size(self) -> int:
        """How many readers wait in this process; its own parts do not count."""
        return sum(subscription.counted for group in self._topics.values() for subscription in group)

    @contextmanager
    def subscribe(self, kind: str, key: UUID, *, seen: int = 0, counted: bool = True) -> Iterator[Subscription]:
        """A subscription for as long as the block runs."""
        topic, subscription = f"{kind}:{key}", Subscription(kind, key, seen, counted=counted)
        self._topics.setdefault(topic, set()).add(subscription)
        try:
            yield subscription
        finally:
            self._topics[topic].discard(subscription)
            if not self._topics[topic]:
                del self._topics[topic]

    async def publish(self, topics: list[str]) -> None:
        """Wakes the subscribers of the topics here at once and elsewhere by the broker."""
        topics = list(dict.fromkeys(topics))
        for topic in topics:
            self._wake(topic)
        try:
            await self._redis.publish(_CHANNEL, "\n".join(topics))
        except (RedisError, OSError) as error:
            log.warning("wake_not_sent", reason=str(error))  # other processes find it at their next tick

    def wake_all(self) -> None:
        """Wakes everybody: something concerns them all, such as the end of the process."""
        for topic in list(self._topics):
            self._wake(topic)

    def _wake(self, topic: str) -> None:
        for subscription in self._topics.get(topic, ()):
            subscription.wake()

    async def _listen(self) -> None:
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    await pubsub.subscribe(_CHANNEL)
                    await self._receive(pubsub)  # what was published before is found by the next tick
            except (RedisError, OSError) as error:
                log.warning("hub_disconnected", reason=str(error))
                await asyncio.sleep(0.5)

    async def _receive(self, pubsub: PubSub) -> None:
        while True:
            message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=5)
            if message is not None:
                for topic in message["data"].decode().split("\n"):
                    self._wake(topic)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            try:
                await self._compare_versions()
            except Exception as error:
                # the tick is what makes up for every other loss, so nothing may end it
                log.warning("tick_failed", reason=repr(error))

    async def _compare_versions(self) -> None:
        """Wakes the subscriptions that are behind the database. One statement for each kind of topic."""
        waiting: dict[str, list[Subscription]] = {}
        for group in self._topics.values():
            for subscription in group:
                waiting.setdefault(subscription.kind, []).append(subscription)
        for kind, subscriptions in waiting.items():
            versions = await _watched[kind](self._reader, list({s.key for s in subscriptions}))
            for subscription in subscriptions:
                if versions.get(subscription.key, 0) > subscription.seen:
                    subscription.wake()
