"""Tracks straight in the database, and people who hear them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from app.catalog.models import Album, Artist, Track
from app.core.ids import uuid7
from app.core.infra import Infra
from app.library.models import Listen, Listener
from app.library.recording import Heard, record
from app.library.schemas import Source
from tests.people import Person

Pairs = list[tuple[UUID, UUID]]
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
LENGTH = 200_000


async def make_track(
    infra: Infra, title: str = "So What", *, like: UUID | None = None, duration_ms: int | None = LENGTH, **fields: Any
) -> UUID:
    """A track on an album of its own, or beside another one."""
    track_id, album_id, artist_id = uuid7(), uuid7(), uuid7()
    async with infra.db.write() as db:
        if like:
            place = select(Track.album_id, Track.artist_id).where(Track.id == like)
            album_id, artist_id = (await db.rows(place))[0]
        else:
            db.add(Artist(id=artist_id, name=f"Artist of {title}", name_key="artist"))
            await db.flush()
            db.add(Album(id=album_id, title=f"Album of {title}", title_key="album", artist_id=artist_id, year=1959))
            await db.flush()
        place = {"album_id": album_id, "artist_id": artist_id, "position": 1}
        db.add(Track(id=track_id, title=title, title_key=title.lower(), duration_ms=duration_ms, **place, **fields))
    return track_id


async def hear(
    infra: Infra, person: Person, track_id: UUID, *seconds: float, source: Source = "lastfm", **fields: Any
) -> Pairs:
    """The person hears the track from these seconds after yesterday's noon on. What was new."""
    moments = [NOON + timedelta(seconds=second) for second in seconds or (0,)]
    heard = [Heard(user_id=person.id, track_id=track_id, listened_at=moment, **fields) for moment in moments]
    async with infra.db.write() as db:
        return await record(db, heard, source=source)


async def listened(infra: Infra, person: Person) -> list[tuple[UUID, float, str]]:
    """Track, seconds after noon and source of a person's listens, in their order; the counter tells the truth."""
    mine = select(Listen.track_id, Listen.listened_at, Listen.source).where(Listen.user_id == person.id)
    rows = await infra.db.reader.rows(mine.order_by(Listen.id))
    kept = await infra.db.reader.one(select(Listener.listen_count).where(Listener.user_id == person.id))
    assert (kept or 0) == len(rows)
    assert await infra.db.reader.one(select(func.count()).where(Listen.user_id == person.id)) == len(rows)
    return [(track_id, (moment - NOON).total_seconds(), source) for track_id, moment, source in rows]
