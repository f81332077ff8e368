"""A channel in one process: every line reaches each of its sockets once and in order."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol
from uuid import UUID

import structlog

from app.core.db import Reader
from app.core.errors import Unavailable
from app.core.wires import encode

__all__ = [
    "EVERYBODY",
    "MOUTHFUL",
    "PAGE",
    "Feed",
    "Line",
    "Listener",
    "Log",
    "log_of_channels",
    "logs",
    "mouthful",
]

PAGE = 200
MOUTHFUL = 64 * 1024
"""Bytes that are read at once, or given at once to somebody who comes in; a line that is longer goes alone."""
_KEPT, _KEPT_BYTES = 256, 256 * 1024
"""What a process keeps of each channel, for those who come in while it passes: lines, and bytes of them."""
EVERYBODY = UUID(int=2**128 - 1)
"""In `removes` of a line: nobody hears anything of the channel after it."""
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

    async def keep_up(self) -> None:
        """Waits until most of what was sent is read. Raises what ends a listener who does not read."""


@dataclass(frozen=True, slots=True)
class Log:
    """Where lines are read: some after a number, a mouthful at most; and the newest number of each channel."""

    load: Callable[[Reader, UUID, int], Awaitable[list[Line]]]
    heads: Callable[[Reader, list[UUID]], Awaitable[dict[UUID, int]]]


logs: list[Log] = []
"""The one log, once it is registered."""


def log_of_channels(source: Log) -> None:
    """Registers the log that all channels have."""
    logs[:] = [source]


class Tail:
    """The last lines of many, no more than are worth their memory."""

    def __init__(self) -> None:
        self._lines: deque[Line] = deque()
        self._bytes = 0

    def append(self, line: Line) -> None:
        """Keeps a line, and lets go of the oldest."""
        self._lines.append(line)
        self._bytes += len(line.payload)
        while len(self._lines) > _KEPT or self._bytes > _KEPT_BYTES:
            self._bytes -= len(self._lines.popleft().payload)

    def after(self, position: int) -> list[Line]:
        """Those with a larger number."""
        return [line for line in self._lines if line.sequence > position]

    def last(self, count: int) -> list[Line]:
        """The last so many, if they are still here."""
        return list(self._lines)[max(0, len(self._lines) - count) :]


class Feed:
    """A channel in this process: how far its sockets have heard, and who they are."""

    def __init__(self, channel_id: UUID, reader: Reader) -> None:
        self.channel_id = channel_id
        self.delivered: int | None = None
        self._reader = reader
        self._known = 0
        self._reading = asyncio.Lock()
        self._catching: asyncio.Task[None] | None = None
        self._recent, self._passing = Tail(), Tail()
        self.passed = 0
        self._pending: list[Line] = []
        self._plain: dict[Listener, int] = {}
        self._picky: dict[Listener, int] = {}
        self.guests = 0

    @property
    def listeners(self) -> list[Listener]:
        """Everybody who hears the channel here."""
        return [*self._plain, *self._picky]

    def offer(self, lines: Iterable[Line]) -> None:
        """Takes lines in whatever order they come; what is known already is left out, and gaps are read."""
        for line in lines:
            if not line.sequence:
                self._passing.append(line)
                self.passed += 1
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
        """Reads a mouthful of the log. Raises Unavailable."""
        async with self._reading:
            if self.delivered is not None:
                for line in await logs[0].load(self._reader, self.channel_id, self.delivered):
                    if line.sequence > self.delivered:
                        self._take(line)

    async def level(self, listener: Listener, position: int, *, head: int = 0, passed: int | None = None) -> None:
        """Lets a listener hear everything after `position`, to which it knows the channel. Raises Unavailable.

        What has no number it hears too, from when so many had `passed`. The channel is known to have reached `head`
        when the listener was let in, so no line up to there puts it out: whoever left before has come back.
        """
        if self.delivered is None:
            self.delivered = max(position, head)
            self.catch_up(self.delivered)
        while (missing := self._after(position)) is None or _size(missing) > MOUTHFUL:
            if self.delivered < position:
                await self.read_on()
                continue
            # longer ago than what is kept here, or too much to be sent at once
            lines = mouthful(missing or await logs[0].load(self._reader, self.channel_id, position))
            if not self._tell(listener, lines, head):
                return
            await listener.keep_up()
            position = lines[-1].sequence if lines else self.delivered
        self._flush()
        gone_by = self.passed - (self.passed if passed is None else passed)
        if self._tell(listener, [*missing, *self._passing.last(gone_by)], head):
            (self._picky if listener.picky else self._plain)[listener] = head

    def leave(self, listener: Listener) -> None:
        """Stops a listener from hearing anything more."""
        self._plain.pop(listener, None)
        self._picky.pop(listener, None)

    def sort(self, listener: Listener) -> None:
        """Has a listener treated as picky from now on, or no longer."""
        head = self._plain.get(listener, self._picky.get(listener))
        if head is not None:
            self._flush()
            self.leave(listener)
            (self._picky if listener.picky else self._plain)[listener] = head

    def _after(self, position: int) -> list[Line] | None:
        """What was delivered after a position, if all of it is still here."""
        assert self.delivered is not None
        missing = self._recent.after(position)
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
            for listener, head in {**self._plain, **self._picky}.items():
                if _removes(line, listener, head):
                    self._remove(listener)

    def _tell(self, listener: Listener, lines: Sequence[Line], head: int) -> bool:
        """Has somebody who comes in hear lines up to the one that removes them; whether they may hear more."""
        last = next((number for number, line in enumerate(lines, 1) if _removes(line, listener, head)), None)
        if lines:
            listener.hear(lines[:last])
        if last is not None:
            self._remove(listener)
        return last is None

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


def _removes(line: Line, listener: Listener, head: int) -> bool:
    """Whether a line puts out who was let in when the channel had reached `head`."""
    return line.sequence > head and line.removes in {listener.user_id, EVERYBODY}


def _size(lines: Sequence[Line]) -> int:
    return sum(len(line.payload) for line in lines)


def mouthful(lines: Sequence[Line]) -> Sequence[Line]:
    """The first of the lines, so many that they are not too much at once."""
    sizes = accumulate(len(line.payload) for line in lines)
    return lines[: max(1, sum(size <= MOUTHFUL for size in sizes))]
