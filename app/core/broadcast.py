"""Broadcast: what is logged in a channel reaches each of its sockets once and in order, in every process.

The log in the database is the truth. Redis carries new lines to other processes, encoded once; what it loses is read
from the log: a line with a gap before it sends the reader there, and so does a look at the newest numbers each second.
"""

import asyncio
from collections.abc import Sequence
from struct import Struct
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from app.core.db import Reader, Writer
from app.core.errors import Unavailable
from app.core.feeds import Feed, Line, logs
from app.core.ids import uuid7
from app.core.tasks import end_tasks

__all__ = ["Broadcast", "tell"]

TICK_SECONDS = 1.0
_TOPIC = "channel:"
_NOBODY = UUID(int=0)
_PREFIX = Struct("!q16s16sI")
log = structlog.get_logger()


def tell(db: Writer, channel_id: UUID, *lines: Line) -> None:
    """Gives lines to the channel's sockets once this transaction has committed."""
    db.told.setdefault(channel_id, []).extend(lines)


class Broadcast:
    """The feeds of this process, and its one subscription to the broker for each."""

    def __init__(self, redis: Redis, reader: Reader) -> None:
        self._redis, self._reader = redis, reader
        self._me = uuid7().bytes
        self._feeds: dict[UUID, Feed] = {}
        self._pubsub: PubSub | None = None
        self._unsent = False
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Starts to listen."""
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._tick())]

    async def close(self) -> None:
        """Stops listening."""
        await end_tasks(self._tasks)

    @property
    def size(self) -> int:
        """How many sockets hear something here."""
        return sum(len(feed.listeners) for feed in self._feeds.values())

    @property
    def feeds(self) -> list[Feed]:
        return list(self._feeds.values())

    async def enter(self, channel_id: UUID) -> Feed:
        """The channel's feed, kept for who is about to listen. To be followed by `left`."""
        is_new = channel_id not in self._feeds
        feed = self._feeds.setdefault(channel_id, Feed(channel_id, self._reader))
        feed.guests += 1  # before the wait, in which somebody else may leave
        if is_new:
            await self._follow(channel_id)
        return feed

    async def left(self, feed: Feed) -> None:
        """Whoever entered has gone; a feed that nobody needs is given up."""
        feed.guests -= 1
        if not feed.guests:
            del self._feeds[feed.channel_id]
            await self._follow(feed.channel_id)

    async def publish(self, told: dict[UUID, list[Line]]) -> None:
        """Gives lines that were committed to the sockets of all processes."""
        for channel_id, lines in told.items():
            self._hear(channel_id, lines)
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                for channel_id, lines in told.items():
                    pipe.execute_command("SPUBLISH", f"{_TOPIC}{channel_id}", self._me + _pack(lines))
                await pipe.execute()
            self._unsent = False
        except (RedisError, OSError) as error:
            if not self._unsent:  # once for each outage; other processes find the lines at their next tick
                log.warning("lines_not_sent", reason=str(error))
            self._unsent = True

    def _hear(self, channel_id: UUID, lines: list[Line]) -> None:
        feed = self._feeds.get(channel_id)
        if feed:
            feed.offer(lines)

    async def _follow(self, channel_id: UUID) -> None:
        """Subscribes to a channel that has a feed, and to no other.

        Without a broker the tick finds what is new; when it is back, everything is subscribed anew.
        """
        done: bool | None = None
        while self._pubsub is not None and done is not (wanted := channel_id in self._feeds):
            order = self._pubsub.ssubscribe if wanted else self._pubsub.sunsubscribe
            try:
                await order(f"{_TOPIC}{channel_id}")
            except (RedisError, OSError) as error:
                log.warning("broker_lost", reason=str(error))
                return
            done = wanted

    async def _listen(self) -> None:
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    known = set(self._feeds)
                    await pubsub.ssubscribe(_TOPIC, *(f"{_TOPIC}{channel_id}" for channel_id in known))
                    self._pubsub = pubsub
                    for channel_id in self._feeds.keys() ^ known:
                        await self._follow(channel_id)
                    await self._compare_heads()
                    await self._receive(pubsub)
            except (RedisError, OSError, Unavailable) as error:
                log.warning("broadcast_disconnected", reason=str(error))
                await asyncio.sleep(0.2)
            finally:
                self._pubsub = None

    async def _receive(self, pubsub: PubSub) -> None:
        while True:
            message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=5)
            if message is None or message["data"][:16] == self._me:
                continue
            channel_id = UUID(message["channel"].decode().removeprefix(_TOPIC))
            self._hear(channel_id, _unpack(message["data"]))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            try:
                await self._compare_heads()
            except Exception as error:
                # the tick is what makes up for every other loss, so nothing may end it
                log.warning("tick_failed", reason=repr(error))

    async def _compare_heads(self) -> None:
        if self._feeds and logs:
            for channel_id, head in (await logs[0].heads(self._reader, list(self._feeds))).items():
                if feed := self._feeds.get(channel_id):
                    feed.catch_up(head)


def _pack(lines: Sequence[Line]) -> bytes:
    parts: list[bytes] = []
    for line in lines:
        actor, removes = line.actor_id or _NOBODY, line.removes or _NOBODY
        parts += [_PREFIX.pack(line.sequence, actor.bytes, removes.bytes, len(line.payload)), line.payload]
    return b"".join(parts)


def _unpack(data: bytes) -> list[Line]:
    lines: list[Line] = []
    place = 16
    while place < len(data):
        sequence, actor, removes, size = _PREFIX.unpack_from(data, place)
        place += _PREFIX.size
        people = (UUID(bytes=who) if any(who) else None for who in (actor, removes))
        lines.append(Line(sequence, data[place : place + size], *people))
        place += size
    return lines
