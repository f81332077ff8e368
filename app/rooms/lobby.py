"""The live list of rooms: one look a second in each process that has readers, and what it changed to each of them."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from app.chat.queries import hidden_from
from app.core.auth import Principal
from app.core.db import Reader
from app.core.infra import Infra, opened
from app.core.realtime import watch
from app.core.streams import EventStream, News, StreamEvent
from app.rooms.queries import LIVE
from app.rooms.schemas import LiveRoom, LiveRooms

__all__ = ["EXAMPLE", "Lobby", "lobby", "open_lobby_stream"]

LOOK_SECONDS = 1.0
SLACK_SECONDS = 0.2
"""Ticks come about a second after each other: one that is a little early is not to wait for the next."""
_TOPIC = UUID(int=1)
EXAMPLE = """retry: 1000

event: rooms
data: {"rooms":[{"id":"0199a7c2-6c1e-7b3a-9d52-4f1f0e6f2a10","name":"Late night jazz","owner_id":null,"member_count":4,\
"present_count":3,"now_playing":null}],"gone":[]}

event: reconnect
data: {}
"""


class Lobby:
    """What the readers of this process know of the rooms that live."""

    def __init__(self, db: Reader) -> None:
        self._db = db
        self._looking = asyncio.Lock()
        self._next = 0.0
        self.rooms: Mapping[UUID, LiveRoom] = {}

    async def look(self) -> Mapping[UUID, LiveRoom]:
        """Rooms with somebody in them, or with music, at most a second old. The same object while nothing changes."""
        async with self._looking:
            if time.monotonic() >= self._next:
                rooms = {room.id: room for room in await LIVE.all(self._db)}
                if rooms != self.rooms:
                    self.rooms = rooms
                self._next = time.monotonic() + LOOK_SECONDS
        return self.rooms


@opened
@asynccontextmanager
async def lobby(infra: Infra) -> AsyncIterator[Lobby]:
    """The process's lobby; `infra.part(lobby)`."""
    yield Lobby(infra.db.reader)


@watch("lobby")
async def _versions(_reader: Reader, keys: list[UUID]) -> dict[UUID, int]:
    """Each tick is news: who listens then looks, all of them at once."""
    return dict.fromkeys(keys, int(time.time()))


def open_lobby_stream(infra: Infra, actor: Principal, every: int) -> EventStream:
    """A stream of the whole list, then of its changes, at most once in so many seconds."""
    return EventStream(infra, actor, ("lobby", _TOPIC), _LobbyReader(infra, actor.user_id, every))


@dataclass(slots=True)
class _LobbyReader:
    """What one reader was told, without the rooms of people whom they block or who block them."""

    infra: Infra
    user_id: UUID
    every: int
    next_at: float = 0.0
    told: Mapping[UUID, LiveRoom] | None = None
    seen: Mapping[UUID, LiveRoom] = field(default_factory=dict)

    async def __call__(self) -> News:
        version = int(time.time())
        if time.monotonic() < self.next_at:
            return News([], version)
        rooms = await self.infra.part(lobby).look()
        if self.told is not None and rooms is self.seen:
            return News([], version)
        hidden = set(await hidden_from(self.infra.db.reader, self.user_id))
        shown = {room.id: room for room in rooms.values() if room.owner_id not in hidden}
        events = _changes(self.told, shown)
        self.told, self.seen = shown, rooms
        if events:
            self.next_at = time.monotonic() + self.every - SLACK_SECONDS
        return News(events, version)


def _changes(before: Mapping[UUID, LiveRoom] | None, after: Mapping[UUID, LiveRoom]) -> list[StreamEvent]:
    known = before or {}
    rooms = [room for room in after.values() if known.get(room.id) != room]
    gone = [room_id for room_id in known if room_id not in after]
    if before is not None and not rooms and not gone:
        return []
    return [StreamEvent("rooms", LiveRooms(rooms=rooms, gone=gone).model_dump_json())]
