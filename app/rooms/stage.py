"""A room as it plays: its playback with what of the room's settings matters to it, and its queue. Read, kept, told.

All of it happens while the channel is held, but for reading.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic_core import to_json, to_jsonable_python

from app.catalog.media import media_url
from app.chat.log import append
from app.chat.presence import LIFE_SECONDS
from app.core.db import Writer
from app.core.errors import Conflict, NotFound
from app.core.query import Runs
from app.core.realtime import push
from app.rooms.deck import State, Waiting, due
from app.rooms.modes import Person, QueueMode, in_order
from app.rooms.queue_edits import news

__all__ = [
    "ALIVE",
    "MOST_ITEMS",
    "SCHEDULE",
    "SHARED",
    "SOON_MS",
    "Item",
    "QueueFull",
    "Stage",
    "announce_queue",
    "check_place",
    "clock_ms",
    "item_data",
    "keep",
    "load_item",
    "load_queue",
    "load_stage",
    "load_waiting",
    "playback_data",
    "present_ids",
    "show_playback",
    "write_down",
]

MOST_ITEMS = 500
MOST_NAMED = 20
"""Of those who are ready, so many are named: in a full room nobody wants to hear of each."""
SOON_MS = 500
"""Whoever looks at the schedule so often finds the rest without being woken."""
SCHEDULE = UUID(int=0)

ALIVE = f"h.seen_at > clock_timestamp() - make_interval(secs => {LIFE_SECONDS})"
"""That a presence `p` with its heartbeat `h` is of a process that lives."""
_PRESENT = f"""
    SELECT DISTINCT p.user_id FROM presences p JOIN heartbeats h USING (process_id)
    WHERE p.channel_id = $1 AND {ALIVE}"""  # noqa: S608 -- constants only
SHARED = "(t.visibility = 'public' OR t.owner_id = {})"
"""That a room may play the track `t` which a person added: everybody may hear it, or it is for its owner to share."""
_STAGE = f"""
    SELECT r.queue_mode, r.items_per_person, r.auto_dj, r.genres, p.version, p.item_id, p.item, p.track_id,
           p.duration_ms, p.playing, p.position_ms, p.at_ms, p.heard_ms, p.gate_until_ms, p.ready, p.play_id, p.back_to,
           p.served, p.dry, p.unheard, p.skip_votes, p.skip_needed,
           CASE WHEN t.audio_type IS NOT NULL AND {SHARED.format("(p.item->>'added_by')::uuid")} THEN t.visibility END
           AS audience
    FROM rooms r LEFT JOIN playbacks p ON p.room_id = r.id LEFT JOIN tracks t ON t.id = p.track_id
    WHERE r.id = $1"""  # noqa: S608 -- constants only
_KEEP = """
    INSERT INTO playbacks AS p (room_id, version, item_id, item, track_id, duration_ms, playing, position_ms, at_ms,
        heard_ms, gate_until_ms, ready, due_ms, play_id, back_to, served, dry, unheard, skip_votes, skip_needed)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
    ON CONFLICT (room_id) DO UPDATE SET version = excluded.version, item_id = excluded.item_id, item = excluded.item,
        track_id = excluded.track_id, duration_ms = excluded.duration_ms, playing = excluded.playing,
        position_ms = excluded.position_ms, at_ms = excluded.at_ms, heard_ms = excluded.heard_ms,
        gate_until_ms = excluded.gate_until_ms, ready = excluded.ready, due_ms = excluded.due_ms,
        play_id = excluded.play_id, back_to = excluded.back_to, served = excluded.served, dry = excluded.dry,
        unheard = excluded.unheard, skip_votes = excluded.skip_votes, skip_needed = excluded.skip_needed"""
_TRACK = """
    t.id AS track_id, t.title, a.name AS artist, t.artist_id, t.album_id, al.title AS album, t.duration_ms,
    al.cover_key, CASE WHEN t.audio_type IS NOT NULL THEN t.visibility END AS audience
    FROM tracks t JOIN artists a ON a.id = t.artist_id LEFT JOIN albums al ON al.id = t.album_id"""
_ITEM = "SELECT $1::uuid AS id, $2::uuid AS added_by_id, 0 AS vote_count, 0::bigint AS place, clock_timestamp() AS "
_NEW = f"{_ITEM} created_at, {_TRACK} WHERE t.id = $3 AND {SHARED.format('$2')}"
_WAITING = f"""
    SELECT q.id, q.added_by_id, q.vote_count, q.place, q.created_at, {_TRACK}
    JOIN queue_items q ON q.track_id = t.id
    WHERE q.room_id = $1 AND q.removed_at IS NULL AND {SHARED.format("q.added_by_id")}"""

_TOLD = """
    WITH before AS (SELECT item_ids, votes FROM told_queues WHERE room_id = $1), now AS (
        INSERT INTO told_queues (room_id, item_ids, votes) VALUES ($1, $2, $3)
        ON CONFLICT (room_id) DO UPDATE SET item_ids = excluded.item_ids, votes = excluded.votes)
    SELECT item_ids, votes FROM before"""


class QueueFull(Conflict):
    code, title = "queue_full", "The queue is full"


@dataclass(frozen=True, slots=True)
class Item:
    """A track that waits, as clients get to know it and with its age."""

    id: UUID
    track: dict[str, Any]
    added_by: Person
    votes: int
    added_at: datetime
    place: int


@dataclass(slots=True)
class Stage:
    """What a room plays, and what it needs to go on. `state` is changed by the functions of the deck."""

    room_id: UUID
    mode: QueueMode
    items_per_person: int
    auto_dj: bool
    genres: Sequence[str]
    state: State = field(default_factory=State)
    item: dict[str, Any] | None = None
    track_id: UUID | None = None
    play_id: UUID | None = None
    back_to: UUID | None = None
    served: list[Person] = field(default_factory=list)
    dry: bool = False
    unheard: int = 0
    skip_votes: int = 0
    skip_needed: int = 1


def check_place(waiting: int, more: int = 1) -> None:
    """Raises QueueFull."""
    if waiting + more > MOST_ITEMS:
        raise QueueFull(f"A queue has at most {MOST_ITEMS} tracks.")


def clock_ms() -> float:
    """The server's time, in Unix milliseconds."""
    return time.time() * 1000


async def load_stage(db: Runs, room_id: UUID) -> Stage:
    """A room as it plays. Raises NotFound."""
    rows = await db.records(_STAGE, [room_id])
    if not rows:
        raise NotFound("There is no such room.")
    row = rows[0]
    stage = Stage(room_id, row["queue_mode"], row["items_per_person"], row["auto_dj"], row["genres"])
    if row["version"] is None:
        return stage
    gate = row["gate_until_ms"]
    stage.state = State(
        version=row["version"],
        item=row["item_id"],
        playing=row["playing"],
        position_ms=row["position_ms"],
        at_ms=row["at_ms"],
        duration_ms=row["duration_ms"],
        waiting=None if gate is None else Waiting(gate, tuple(row["ready"])),
        heard_ms=row["heard_ms"],
    )
    for name in ("item", "track_id", "play_id", "back_to", "served", "dry", "unheard", "skip_votes", "skip_needed"):
        setattr(stage, name, row[name])
    if stage.item is not None:
        stage.item["track"]["media_url"] = _media_url(db, row)
    return stage


async def keep(db: Writer, stage: Stage, *, actor_id: UUID | None) -> None:
    """Writes the playback down and tells the room."""
    await write_down(db, stage)
    data = {"playback": playback_data(stage)}
    await append(db, stage.room_id, kind="playback.changed", actor_id=actor_id, data=data)


async def write_down(db: Writer, stage: Stage) -> None:
    """Writes the playback down; wakes the schedulers if something is due too soon for them to find it themselves."""
    state, waiting, due_ms = stage.state, stage.state.waiting, due(stage.state)
    item = None if stage.item is None else to_json(stage.item).decode()
    deck = [state.duration_ms, state.playing, state.position_ms, state.at_ms, state.heard_ms]
    gate = [waiting.until_ms if waiting else None, waiting.ready if waiting else [], due_ms]
    rest = [stage.play_id, stage.back_to, stage.served, stage.dry, stage.unheard, stage.skip_votes, stage.skip_needed]
    head = [stage.room_id, state.version, state.item, item, stage.track_id]
    await db.records(_KEEP, [*head, *deck, *gate, *rest])
    if due_ms is not None and due_ms < clock_ms() + 2 * SOON_MS:
        push(db, "schedule", SCHEDULE)


def playback_data(stage: Stage) -> dict[str, Any]:
    """The playback as clients get to know it, in JSON values."""
    state = asdict(stage.state)
    data = {name: state[name] for name in ("version", "playing", "position_ms", "at_ms", "duration_ms")}
    waiting = stage.state.waiting
    told = {"until_ms": waiting.until_ms, "ready": waiting.ready[:MOST_NAMED]} if waiting else None
    shown: dict[str, Any] = to_jsonable_python({**data, "item": stage.item, "waiting": told})
    return shown


async def show_playback(db: Runs, room_id: UUID) -> dict[str, Any]:
    """What the room plays. Raises NotFound."""
    return playback_data(await load_stage(db, room_id))


async def load_waiting(db: Runs, room_id: UUID) -> list[Item]:
    """What waits, in no order."""
    return [_item(db, row) for row in await db.records(_WAITING, [room_id])]


async def load_item(db: Runs, *, item_id: UUID, track_id: UUID, added_by: Person) -> Item:
    """A track as a new item. Raises NotFound."""
    rows = await db.records(_NEW, [item_id, added_by, track_id])
    if not rows:
        raise NotFound("There is no such track.")
    return _item(db, rows[0])


async def load_queue(db: Runs, stage: Stage) -> list[Item]:
    """What waits, in the order in which it will be played."""
    return in_order(stage.mode, await load_waiting(db, stage.room_id), stage.served)


async def announce_queue(db: Writer, stage: Stage, items: Sequence[Item], *, actor_id: UUID | None) -> list[Item]:
    """Tells the room what has changed now that these items wait, in whatever order they are given; in their order."""
    queue = in_order(stage.mode, items, stage.served)
    now = {item.id: item.votes for item in queue}
    rows = await db.records(_TOLD, [stage.room_id, list(now), list(now.values())])
    told = dict(zip(rows[0]["item_ids"], rows[0]["votes"], strict=True)) if rows else None
    for kind, data in news(told, queue, item_data):
        await append(db, stage.room_id, kind=kind, actor_id=actor_id, data=data)
    return queue


def item_data(item: Item) -> dict[str, Any]:
    """An item as clients get to know it, in JSON values."""
    data = {"id": item.id, "track": item.track, "added_by": item.added_by}
    shown: dict[str, Any] = to_jsonable_python({**data, "votes": item.votes, "added_at": item.added_at})
    return shown


async def present_ids(db: Runs, room_id: UUID) -> set[UUID]:
    """Who has an open socket in the room."""
    return {row["user_id"] for row in await db.records(_PRESENT, [room_id])}


def _item(db: Runs, row: Any) -> Item:
    names = ("title", "artist", "artist_id", "album_id", "album", "duration_ms", "cover_key")
    track = {"id": row["track_id"]} | {name: row[name] for name in names} | {"media_url": _media_url(db, row)}
    return Item(row["id"], track, row["added_by_id"], row["vote_count"], row["created_at"], row["place"])


def _media_url(db: Runs, row: Any) -> str | None:
    """Where everybody in the room hears the track: the same for all, and new with each reading."""
    return media_url(db.secret, row["track_id"], row["audience"]) if row["audience"] else None
