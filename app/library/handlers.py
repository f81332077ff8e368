"""What follows for listens when tracks become one and people leave, and what this module adds to an export."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Uuid, literal, select

from app.catalog.events import TrackHidden, TracksMerged
from app.catalog.hearing import heard_by
from app.catalog.models import Artist, Track
from app.core.db import Reader, Writer
from app.core.ids import MIN_UUID
from app.core.jobs import enqueue, job, on
from app.library import choosing
from app.library.merging import move_some_listens
from app.library.models import Listen
from app.library.now_playing import silence
from app.library.recording import Heard, record
from app.library.service import forget_some_listens, forget_some_tops
from app.rooms.events import TrackPlayed
from app.uploads.events import TrackStreamed
from app.users.events import AccountDeleted
from app.users.exports import every_row, exported

__all__ = ["choosing", "forget_listens", "move_listens", "record_room", "record_stream", "recount_tops"]


class Leaver(BaseModel):
    """Who left."""

    user_id: UUID


@on(TracksMerged)
async def begin_to_move(db: Writer, event: TracksMerged) -> None:
    """A track that everybody hears has more listens than one transaction should touch."""
    await enqueue(db, move_listens, event)


@job(seconds=900.0)
async def move_listens(infra: Any, merged: TracksMerged) -> None:
    """In many short transactions. A second run finds what the first has left."""
    more = True
    while more:
        async with infra.db.write() as db:
            more = await move_some_listens(db, merged.pairs)


@on(TrackPlayed)
async def record_room(db: Writer, event: TrackPlayed) -> None:
    """What a room has played is a listen of everybody who heard it and agreed to that."""
    heard = [
        Heard(user_id, event.track_id, event.started_at, "room", event.played_ms, event.room_id)
        for user_id in event.listener_ids
    ]
    await record(db, heard, source="room")


@on(TrackHidden)
async def begin_to_recount(db: Writer, event: TrackHidden) -> None:
    """What others are told that people heard most is kept for some minutes."""
    await enqueue(db, recount_tops, event)


@job()
async def recount_tops(infra: Any, hidden: TrackHidden) -> None:
    """Of everybody who heard the track, however many they are."""
    after: UUID | None = MIN_UUID
    while after is not None:
        async with infra.db.write() as db:
            after = await forget_some_tops(db, hidden.track_id, after)


@on(TrackStreamed)
async def record_stream(db: Writer, event: TrackStreamed) -> None:
    """What somebody has heard from the server is a listen of theirs, if the track is still for them."""
    apart = timedelta(milliseconds=event.needed_ms)
    heard = Heard(event.user_id, event.track_id, event.started_at, event.client, event.played_ms, apart=apart)
    await record(db, [heard], source="stream")


@on(AccountDeleted)
async def begin_to_forget(db: Writer, event: AccountDeleted) -> None:
    """What somebody heard is nobody else's business: it goes, whatever happens to what they wrote."""
    await enqueue(db, forget_listens, Leaver(user_id=event.user_id))


@job()
async def forget_listens(infra: Any, leaver: Leaver) -> None:
    """In many short transactions."""
    await silence(infra.redis, leaver.user_id)
    more = True
    while more:
        async with infra.db.write() as db:
            more = await forget_some_listens(db, leaver.user_id)


@exported("listens")
def export_listens(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """What the person heard, and how we know."""
    own = (Listen.id, Listen.listened_at, Listen.source, Listen.client, Listen.played_ms, Listen.room_id)
    track = (Listen.track_id, Track.title.label("track"), Artist.name.label("artist"))
    listens = select(*own, *track).join(Track, Track.id == Listen.track_id)
    listens = listens.join(Artist, Artist.id == Track.artist_id)
    listens = listens.where(Listen.user_id == user_id, heard_by(Track, literal(user_id, Uuid)))
    return every_row(db, listens, key=Listen.id)
