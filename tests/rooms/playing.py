"""Tracks that last for moments, and rooms that play them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

from soundscore_client.changes import CHANGES
from soundscore_client.state import begin

from app.catalog.models import Artist, Track
from app.core.ids import uuid7
from app.core.infra import Infra
from app.core.text import name_key
from tests.people import Person

__all__ = [
    "Json",
    "add",
    "eventually",
    "log_of",
    "make_tracks",
    "press",
    "problem",
    "queue_of",
    "queues_told",
    "show",
    "titles",
    "wait_for_people",
]

Json = dict[str, Any]
T = TypeVar("T")
PATIENCE = 10.0


async def make_tracks(infra: Infra, *durations: int | None, **fields: Any) -> list[UUID]:
    """Tracks of these lengths in milliseconds, of one artist, called A, B, C, ... in this order."""
    artist, ids = uuid7(), [uuid7() for _ in durations]
    async with infra.db.write() as db:
        db.add(Artist(id=artist, name="The Band", name_key=f"band {artist.hex}"))
        await db.flush()
        for number, (track_id, duration) in enumerate(zip(ids, durations, strict=True)):
            title = chr(ord("A") + number)
            values = {"title": title, "title_key": name_key(title), "artist_id": artist, "duration_ms": duration}
            db.add(Track(id=track_id, **values, **fields))
    return ids


async def add(person: Person, room: Json, *track_ids: UUID) -> list[Json]:
    """Adds tracks; the items."""
    items = []
    for track_id in track_ids:
        answer = await person.post(f"/rooms/{room['id']}/queue", json={"track_id": str(track_id)})
        assert answer.status_code == 201, answer.text
        items.append(answer.json())
    return items


async def press(person: Person, room: Json, action: str, **fields: Any) -> Json:
    """Presses a button; what plays then."""
    answer = await person.post(f"/rooms/{room['id']}/playback", json={"action": action, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def show(person: Person, room: Json) -> Json:
    """What plays."""
    return (await person.get(f"/rooms/{room['id']}/playback")).json()


async def queue_of(person: Person, room: Json) -> list[Json]:
    """What waits."""
    answer = await person.get(f"/rooms/{room['id']}/queue")
    assert answer.status_code == 200, answer.text
    return answer.json()


def titles(items: list[Json]) -> str:
    """What waits, or was played, as one word."""
    return "".join(item["track"]["title"] for item in items)


def problem(answer: Any) -> tuple[int, str]:
    """The status and code of a refusal."""
    return answer.status_code, answer.json()["code"]


async def eventually(look: Callable[[], Awaitable[T]], until: Callable[[T], bool], seconds: float = PATIENCE) -> T:
    """Looks until it is so."""
    async with asyncio.timeout(seconds):
        while not until(seen := await look()):
            await asyncio.sleep(0.02)
    return seen


async def wait_for_people(person: Person, room: Json, number: int) -> None:
    """Until so many are present."""

    async def present() -> int:
        return len((await person.get(f"/chat/{room['id']}/present")).json())

    await eventually(present, lambda people: people == number)


async def log_of(infra: Infra, room: Json, kind: str) -> list[Json]:
    """What the room was told of this kind."""
    sql = "SELECT data FROM channel_events WHERE channel_id = $1 AND kind = $2 ORDER BY sequence"
    return [row["data"] for row in await infra.db.reader.records(sql, [UUID(room["id"]), kind])]


async def queues_told(infra: Infra, room: Json) -> list[list[Json]]:
    """What clients knew of the queue after each event that changed it."""
    sql = "SELECT kind, data FROM channel_events WHERE channel_id = $1 AND kind LIKE 'queue.%' ORDER BY sequence"
    welcome: Any = {"sequence": 0, "you": dict.fromkeys(("id", "username", "display_name", "avatar_key"))}
    state, known = begin({**welcome, "snapshot": None, "present": []}), []
    for kind, data in await infra.db.reader.records(sql, [UUID(room["id"])]):
        event: Any = {"kind": kind, "data": data}
        state = CHANGES[kind](state, event)
        known.append([dict(item) for item in state.queue])
    return known
