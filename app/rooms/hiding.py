"""Rooms let go of a track that its owner no longer shows to everybody, unless they shared it there themselves."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel

from app.catalog.events import TrackHidden
from app.chat.log import hold
from app.core.db import Writer
from app.core.errors import NotFound
from app.core.jobs import enqueue, job, on
from app.rooms.playback import go_on
from app.rooms.stage import SHARED, Stage, announce_queue, load_stage, load_waiting

__all__ = ["find_rooms", "let_go"]

_WHERE = """
    SELECT room_id FROM queue_items WHERE track_id = $1
    UNION SELECT room_id FROM playbacks WHERE track_id = $1 OR item -> 'track' ->> 'id' = $1::text"""
_REMOVE = f"""
    DELETE FROM queue_items q USING tracks t
    WHERE q.room_id = $1 AND q.track_id = $2 AND t.id = q.track_id AND NOT {SHARED.format("q.added_by_id")}"""  # noqa: S608
_STILL = f"SELECT FROM tracks t WHERE t.id = $1 AND {SHARED.format('$2::uuid')}"


class Hidden(BaseModel):
    """A track, and a room that may show it."""

    room_id: UUID
    track_id: UUID


@on(TrackHidden)
async def find_rooms(db: Writer, event: TrackHidden) -> None:
    """One job for each: rooms are held one at a time."""
    for row in await db.records(_WHERE, [event.track_id]):
        await enqueue(db, let_go, Hidden(room_id=row["room_id"], track_id=event.track_id))


@job()
async def let_go(infra: Any, hidden: Hidden) -> None:
    """The track waits no longer, and does not play on."""
    async with infra.db.write() as db:
        try:
            await hold(db, hidden.room_id)
            stage = await load_stage(db, hidden.room_id)
        except NotFound:
            return  # it was closed meanwhile
        await db.records(_REMOVE, [hidden.room_id, hidden.track_id])
        await announce_queue(db, stage, await load_waiting(db, hidden.room_id), actor_id=None)
        if not await _may_play_on(db, stage, hidden.track_id):
            await go_on(db, stage, actor_id=None)


async def _may_play_on(db: Writer, stage: Stage, track_id: UUID) -> bool:
    if stage.item is None or stage.item["track"]["id"] != str(track_id):
        return True
    added_by = stage.item["added_by"]
    return bool(await db.records(_STILL, [track_id, UUID(added_by) if added_by else None]))
