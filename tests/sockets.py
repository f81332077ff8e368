"""Socket clients for tests: frames as they come, nothing remembered, nothing repaired."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self
from uuid import UUID

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from app.core.feeds import Line
from tests.people import Person

__all__ = ["Ear", "Seat", "sit"]

PATIENCE = 10.0


class Seat:
    """An open socket. `closed` is its close code once it has ended."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.welcome: dict[str, Any] = {}
        self.frames: list[dict[str, Any]] = []
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            async for text in self.connection:
                self.frames.append(json.loads(text))
                self._news.set()
        except ConnectionClosed:
            pass
        self._news.set()

    async def say(self, **frame: Any) -> None:
        """Sends a frame."""
        await self.connection.send(json.dumps(frame))

    async def hello(self, last_sequence: int | None = None) -> dict[str, Any]:
        """Says hello; the welcome."""
        await self.say(type="hello", protocol=1, client="test/1", last_sequence=last_sequence)
        self.welcome = await self.get("welcome")
        return self.welcome

    async def get(self, type_: str, **values: Any) -> dict[str, Any]:
        """Waits for the first frame of this type with these values."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for frame in self.frames:
                    if frame["type"] == type_ and values.items() <= frame.items():
                        return frame
                self._news.clear()
                if self._task.done():
                    raise AssertionError(f"closed with {self.connection.close_code} before {type_} {values} came")
                await self._news.wait()

    async def reach(self, sequence: int) -> list[dict[str, Any]]:
        """Waits for the event of this number; all events so far."""
        await self.get("event", sequence=sequence)
        return self.events

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events that came, those in the welcome first."""
        return [*self.welcome.get("events", []), *(frame for frame in self.frames if frame["type"] == "event")]

    @property
    def sequences(self) -> list[int]:
        return [event["sequence"] for event in self.events]

    async def closed(self) -> int | None:
        """Waits for the end; the close code."""
        async with asyncio.timeout(PATIENCE):
            await asyncio.wait({self._task})
            await self.connection.wait_closed()
        return self.connection.close_code

    async def close(self) -> None:
        """Hangs up."""
        await self.connection.close()
        await asyncio.wait({self._task})

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class Ear:
    """A listener that notes what it hears."""

    picky = True

    def __init__(self, user_id: UUID) -> None:
        self.user_id = user_id
        self.lines: list[Line] = []
        self.removed = 0

    @property
    def heard(self) -> list[int]:
        return [line.sequence for line in self.lines]

    def write(self, frames: bytes) -> None:
        raise AssertionError("it wants to look at each line")

    def hear(self, lines: Sequence[Line]) -> None:
        self.lines += lines

    def remove(self) -> None:
        self.removed += 1

    async def keep_up(self) -> None:
        pass


@asynccontextmanager
async def sit(
    live: str, path: str, person: Person | None = None, *, hello: bool = True, last: int | None = None, **options: Any
) -> AsyncIterator[Seat]:
    """A socket at `/ws/...`, by the person's token in a header."""
    headers = {"Authorization": f"Bearer {person.token}"} if person else {}
    address = f"{live.replace('http', 'ws', 1)}/ws/{path}"
    options = {"max_size": None, "compression": None, "additional_headers": headers} | options
    async with connect(address, **options) as connection, Seat(connection) as seat:
        if hello:
            await seat.hello(last)
        yield seat
