"""Broadcast: what is logged in a channel reaches each of its sockets once and in order, in every process.

The log in the database is the truth. Redis carries new lines to other processes, encoded once; what it loses is read
from the log: a line with a gap before it sends the reader there, and so does a look at the newest numbers each second.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Protocol
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from app.core.db import Reader, Writer
from app.core.errors import Unavailable
from app.core.ids import uuid7

__all__ = ["EVERYBODY", "Broadcast", "Feed", "Line", "Listener", "Log", "encode", "log_of_channels", "tell"]

TICK_SECONDS = 1.0
PAGE = 200
_KEPT = 256
"""Lines that a process keeps of each channel, for those who come in while they pass."""
_TOPIC = "channel:"
_NOBODY = UUID(int=0)
EVERYBODY = UUID(int=2**128 - 1)
"""In `removes` of a line: nobody hears anything of the channel after it."""
_PREFIX = Struct("!q16s16sI")
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Line:
    """An entry of a channel's log as sockets get it. Number 0 is what is not logged, such as typing.

    One without a payload says that there is such an entry, to be read. `removes` is a person who hears nothing of the
    channel after this line.
    """

    sequence: int
    payload: bytes
    actor_id: UUID | None = None
    removes: UUID | None = None


class Listener(Protocol):
    """A socket of a channel. `picky`: it does not take every line as it is, so it looks at each."""

    @property
    def user_id(self) -> UUID: ...

    @property
    def picky(self) -> bool: ...

    def write(self, frames: bytes) -> None:
        """Sends ready frames."""

    def hear(self, lines: Sequence[Line]) -> None:
        """Sends lines, each as this listener wants it."""

    def remove(self) -> None:
        """They have no right to be here any more."""


@dataclass(frozen=True, slots=True)
class Log:
    """Where lines are read: after a number, at most so many; and the newest number of each channel."""

    load: Callable[[Reader, UUID, int, int], Awaitable[list[Line]]]
    heads: Callable[[Reader, list[UUID]], Awaitable[dict[UUID, int]]]


_logs: list[Log] = []


def log_of_channels(source: Log) -> None:
    """Registers the log that all channels have."""
    _logs[:] = [source]


def tell(db: Writer, channel_id: UUID, *lines: Line) -> None:
    """Gives lines to the channel's sockets once this transaction has committed."""
    db.told.setdefault(channel_id, []).extend(lines)


def encode(payload: bytes) -> bytes:
    """A text as the frame that a server sends (RFC 6455, 5.2): whole, and not masked."""
    size = len(payload)
    if size < 126:
        return b"\x81" + size.to_bytes(1, "big") + payload
    if size < 65536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


class Feed:
    """A channel in this process: how far its sockets have heard, and who they are."""

    def __init__(self, channel_id: UUID, reader: Reader) -> None:
        self.channel_id = channel_id
        self.delivered: int | None = None
        self._reader = reader
        self._known = 0
        self._reading = asyncio.Lock()
        self._catching: asyncio.Task[None] | None = None
        self._recent: deque[Line] = deque(maxlen=_KEPT)
        self._pending: list[Line] = []
        self._plain: dict[Listener, None] = {}
        self._picky: dict[Listener, None] = {}
        self.guests = 0

    @property
    def listeners(self) -> list[Listener]:
        """Everybody who hears the channel here."""
        return [*self._plain, *self._picky]

    def offer(self, lines: Iterable[Line]) -> None:
        """Takes lines in whatever order they come; what is known already is left out, and gaps are read."""
        for line in lines:
            if not line.sequence:
                self._send(line)
            elif self.delivered is not None and line.sequence == self.delivered + 1 and line.payload:
                self._take(line)
            self._known = max(self._known, line.sequence)
        self.catch_up(self._known)

    def catch_up(self, head: int) -> None:
        """Has what is missing up to this number read from the log."""
        self._known = max(self._known, head)
        if self.delivered is not None and self.delivered < self._known and self._catching is None:
            self._catching = asyncio.create_task(self._catch_up(), name="catch up")

    async def read_on(self) -> None:
        """Reads the log to its end. Raises Unavailable."""
        async with self._reading:
            full = True
            while full and self.delivered is not None:
                lines = await _logs[0].load(self._reader, self.channel_id, self.delivered, PAGE)
                full = len(lines) == PAGE
                for line in lines:
                    if line.sequence > self.delivered:
                        self._take(line)

    async def level(self, listener: Listener, position: int) -> None:
        """Lets a listener hear everything after `position`, to which it knows the channel. Raises Unavailable."""
        if self.delivered is None:
            self.delivered = position
            self.catch_up(position)
        while (missing := self._after(position)) is None:
            if self.delivered < position:
                await self.read_on()
                continue
            # longer ago than what is kept here
            lines = await _logs[0].load(self._reader, self.channel_id, position, PAGE)
            listener.hear(lines)
            position = lines[-1].sequence
        self._flush()
        (self._picky if listener.picky else self._plain)[listener] = None
        if missing:
            listener.hear(missing)
        if any(line.removes in {listener.user_id, EVERYBODY} for line in missing):
            self._remove(listener)

    def leave(self, listener: Listener) -> None:
        """Stops a listener from hearing anything more."""
        self._plain.pop(listener, None)
        self._picky.pop(listener, None)

    def sort(self, listener: Listener) -> None:
        """Has a listener treated as picky from now on, or no longer."""
        if listener in self._plain or listener in self._picky:
            self._flush()
            self.leave(listener)
            (self._picky if listener.picky else self._plain)[listener] = None

    def _after(self, position: int) -> list[Line] | None:
        """What was delivered after a position, if all of it is still here."""
        assert self.delivered is not None
        missing = [line for line in self._recent if line.sequence > position]
        return missing if len(missing) == self.delivered - position else None

    async def _catch_up(self) -> None:
        try:
            while self.delivered is not None and self.delivered < self._known:
                before = self.delivered
                await self.read_on()
                if self.delivered == before:
                    return  # it is not there: the next tick looks again
        except Unavailable as error:
            log.warning("channel_unread", channel_id=str(self.channel_id), reason=str(error))
        finally:
            self._catching = None

    def _take(self, line: Line) -> None:
        self.delivered = line.sequence
        self._recent.append(line)
        self._send(line)
        if line.removes is not None:
            self._flush()
            for listener in self.listeners:
                if line.removes in {listener.user_id, EVERYBODY}:
                    self._remove(listener)

    def _remove(self, listener: Listener) -> None:
        self.leave(listener)
        listener.remove()

    def _send(self, line: Line) -> None:
        if not self._pending:
            # whatever else comes in this turn of the event loop goes out in the same write
            asyncio.get_running_loop().call_soon(self._flush)
        self._pending.append(line)

    def _flush(self) -> None:
        lines, self._pending = self._pending, []
        if not lines:
            return
        frames = b"".join([encode(line.payload) for line in lines])
        for listener in list(self._plain):
            listener.write(frames)
        for listener in list(self._picky):
            listener.hear(lines)


class Broadcast:
    """The feeds of this process, and its one subscription to the broker for each."""

    def __init__(self, redis: Redis, reader: Reader) -> None:
        self._redis, self._reader = redis, reader
        self._me = uuid7().bytes
        self._feeds: dict[UUID, Feed] = {}
        self._pubsub: PubSub | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Starts to listen."""
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._tick())]

    async def close(self) -> None:
        """Stops listening."""
        running = set(self._tasks)
        while running:
            for task in running:
                task.cancel()
            # again and again: the Redis client swallows a cancellation that comes while it connects
            _, running = await asyncio.wait(running, timeout=0.1)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def size(self) -> int:
        """How many sockets hear something here."""
        return sum(len(feed.listeners) for feed in self._feeds.values())

    @property
    def feeds(self) -> list[Feed]:
        return list(self._feeds.values())

    async def enter(self, channel_id: UUID) -> Feed:
        """The channel's feed, kept for who is about to listen. To be followed by `left`."""
        feed = self._feeds.get(channel_id)
        if feed is None:
            feed = self._feeds[channel_id] = Feed(channel_id, self._reader)
            await self._order("ssubscribe", channel_id)
        feed.guests += 1
        return feed

    async def left(self, feed: Feed) -> None:
        """Whoever entered has gone; a feed that nobody needs is given up."""
        feed.guests -= 1
        if not feed.guests:
            del self._feeds[feed.channel_id]
            await self._order("sunsubscribe", feed.channel_id)

    async def publish(self, told: dict[UUID, list[Line]]) -> None:
        """Gives lines that were committed to the sockets of all processes."""
        for channel_id, lines in told.items():
            self._hear(channel_id, lines)
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                for channel_id, lines in told.items():
                    pipe.execute_command("SPUBLISH", f"{_TOPIC}{channel_id}", self._me + _pack(lines))
                await pipe.execute()
        except (RedisError, OSError) as error:
            log.warning("lines_not_sent", reason=str(error))  # other processes find them at their next tick

    def _hear(self, channel_id: UUID, lines: list[Line]) -> None:
        feed = self._feeds.get(channel_id)
        if feed:
            feed.offer(lines)

    async def _order(self, command: str, channel_id: UUID) -> None:
        """Without a broker the tick finds what is new; when it is back, everything is subscribed anew."""
        if self._pubsub is not None:
            try:
                await getattr(self._pubsub, command)(f"{_TOPIC}{channel_id}")
            except (RedisError, OSError) as error:
                log.warning("broker_lost", reason=str(error))

    async def _listen(self) -> None:
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    await pubsub.ssubscribe(_TOPIC, *(f"{_TOPIC}{channel_id}" for channel_id in self._feeds))
                    self._pubsub = pubsub
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
        if self._feeds and _logs:
            for channel_id, head in (await _logs[0].heads(self._reader, list(self._feeds))).items():
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
