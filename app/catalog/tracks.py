"""Edits of tracks."""

from uuid import UUID

from sqlalchemy import delete, func, select

from app.catalog.albums import count_tracks
from app.catalog.external_ids import naming_owners
from app.catalog.inputs import TrackChanges, TrackInput
from app.catalog.locking import hold_albums_of, locked, referred, unless_in_use
from app.catalog.models import Album, Artist, Track
from app.catalog.schemas import TrackDetails
from app.catalog.search_index import index, unindex
from app.catalog.service import GENRES_KEY, get_track
from app.core.auth import Principal
from app.core.db import Writer
from app.core.errors import Conflict
from app.core.text import name_key

__all__ = ["TrackInUse", "change_track", "create_track", "delete_track"]


class TrackInUse(Conflict):
    code, title = "track_in_use", "People have heard this track"


async def create_track(db: Writer, actor: Principal | None, new: TrackInput) -> TrackDetails:
    """A new track. Raises ExternalIdTaken, Invalid for an unknown artist or album."""
    await referred(db, Album, {new.album_id: "/body/album_id"})
    await referred(db, Artist, {new.artist_id: "/body/artist_id"})
    values = new.model_dump()
    track = Track(title_key=name_key(new.title), **values)
    await _find_place(db, track)
    async with naming_owners(db, (Track, values)):
        db.add(track)
    return await _settle(db, actor, track, {new.album_id})


async def change_track(db: Writer, actor: Principal | None, track_id: UUID, changes: TrackChanges) -> TrackDetails:
    """Changes what is given. Raises NotFound, IsDuplicate, ExternalIdTaken, Invalid for an unknown artist or album."""
    values = changes.model_dump(exclude_unset=True)
    await hold_albums_of(db, [track_id], changes.album_id)
    if "artist_id" in values:
        await referred(db, Artist, {changes.artist_id: "/body/artist_id"})
    track = await locked(db, Track, track_id)
    albums = {track.album_id, values.get("album_id", track.album_id)}
    async with naming_owners(db, (Track, values)):
        for name, value in values.items():
            setattr(track, name, value)
        track.title_key = name_key(track.title)
        if len(albums) > 1 and "position" not in values:
            track.position = None
        await _find_place(db, track)
    return await _settle(db, actor, track, albums)


async def delete_track(db: Writer, track_id: UUID) -> None:
    """Deletes a track that nobody heard, and its duplicates. Raises NotFound, IsDuplicate, TrackInUse."""
    await hold_albums_of(db, [track_id])
    track = await locked(db, Track, track_id)
    async with unless_in_use(db, TrackInUse("People have heard it. Merge it into another track instead.")):
        await db.execute(delete(Track).where(Track.merged_into_id == track_id))
        await db.delete(track)
    await unindex(db, [track_id])
    await _count(db, {track.album_id})
    db.stale.append(GENRES_KEY)


async def _find_place(db: Writer, track: Track) -> None:
    """A track on an album has a position, one without has none."""
    if track.album_id is None:
        track.position = None
    elif track.position is None:
        with db.no_autoflush:
            disc = Track.album_id == track.album_id, Track.disc == track.disc
            track.position = await db.scalar(select(func.coalesce(func.max(Track.position), 0) + 1).where(*disc))


async def _settle(db: Writer, actor: Principal | None, track: Track, albums: set[UUID | None]) -> TrackDetails:
    await _count(db, albums)
    await index(db, Track, [track.id])
    db.stale.append(GENRES_KEY)
    return await get_track(db, actor, track.id)


async def _count(db: Writer, albums: set[UUID | None]) -> None:
    await db.flush()
    await count_tracks(db, [album_id for album_id in albums if album_id is not None])
