"""Edits of albums, alone and with their tracks."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, delete, func, literal, select, update

from app.catalog.artists import count_albums
from app.catalog.external_ids import naming_owners
from app.catalog.inputs import AlbumChanges, AlbumInput, AlbumTrackInput, TrackOrder
from app.catalog.likes import likes_key
from app.catalog.locking import locked, referred, unless_in_use
from app.catalog.models import Album, Artist, Track
from app.catalog.schemas import AlbumDetails, AlbumTracks
from app.catalog.search_index import index, unindex
from app.catalog.service import GENRES_KEY, get_album, list_album_tracks
from app.core.auth import Principal
from app.core.db import Writer
from app.core.errors import Conflict, Invalid
from app.core.text import name_key

__all__ = ["AlbumInUse", "change_album", "count_tracks", "create_album", "delete_album", "order_tracks"]


class AlbumInUse(Conflict):
    code, title = "album_in_use", "The album has reviews"


async def create_album(db: Writer, actor: Principal | None, new: AlbumInput) -> AlbumDetails:
    """A new album and its tracks. Raises ExternalIdTaken, Invalid for an unknown artist."""
    of_tracks: dict[UUID | None, str] = {track.artist_id: "/body/tracks" for track in new.tracks}
    await referred(db, Artist, of_tracks | {new.artist_id: "/body/artist_id"})
    values = new.model_dump(exclude={"tracks"})
    values["year"] = new.year or (new.release_date.year if new.release_date else None)
    album = Album(title_key=name_key(new.title), **values)
    async with naming_owners(db, (Album, values), *((Track, track.model_dump()) for track in new.tracks)):
        db.add(album)
        await db.flush()
        tracks = _place(new.tracks, album)
        db.add_all(tracks)
    await count_albums(db, [new.artist_id])
    await count_tracks(db, [album.id])
    await index(db, Album, [album.id])
    await index(db, Track, [track.id for track in tracks])
    db.stale.append(GENRES_KEY)
    return await get_album(db, actor, album.id)


async def change_album(db: Writer, actor: Principal | None, album_id: UUID, changes: AlbumChanges) -> AlbumDetails:
    """Changes what is given. Raises NotFound, IsDuplicate, ExternalIdTaken, Invalid for an unknown artist."""
    values = changes.model_dump(exclude_unset=True)
    album = await locked(db, Album, album_id)
    artists = {album.artist_id, values.get("artist_id", album.artist_id)}
    await referred(db, Artist, dict.fromkeys(artists, "/body/artist_id"))
    async with naming_owners(db, (Album, values)):
        for name, value in values.items():
            setattr(album, name, value)
        album.title_key = name_key(album.title)
    if len(artists) > 1:
        await count_albums(db, artists)
    await index(db, Album, [album_id])
    db.stale.append(GENRES_KEY)
    return await get_album(db, actor, album_id)


async def delete_album(db: Writer, album_id: UUID) -> None:
    """Deletes an album that nobody reviewed or heard, and its tracks. Raises NotFound, IsDuplicate, AlbumInUse."""
    album = await locked(db, Album, album_id)
    if album.review_count:
        raise AlbumInUse("People have reviewed it. Merge it into another album instead.", count=album.review_count)
    await referred(db, Artist, {album.artist_id: ""})
    tracks = await db.all(select(Track.id).where(Track.album_id == album_id))
    async with unless_in_use(db, AlbumInUse("People have reviewed or heard it. Merge it into another album instead.")):
        duplicates = delete(Album).where(Album.merged_into_id == album_id).returning(Album.id)
        db.stale += map(likes_key, [album_id, *await db.scalars(duplicates)])
        await db.delete(album)
    await count_albums(db, [album.artist_id])
    await unindex(db, [album_id, *tracks])
    db.stale.append(GENRES_KEY)


async def order_tracks(db: Writer, actor: Principal, album_id: UUID, order: TrackOrder) -> AlbumTracks:
    """Puts the tracks into a new order. Raises NotFound, IsDuplicate, Invalid unless each is named once."""
    await locked(db, Album, album_id)
    mine = select(Track).where(Track.album_id == album_id, Track.merged_into_id.is_(None))
    tracks = {track.id: track for track in await db.all(mine.order_by(Track.id).with_for_update())}
    if len(order.tracks) != len(tracks) or {place.id for place in order.tracks} != tracks.keys():
        raise Invalid.field("/body/tracks", f"Name each of the album's {len(tracks)} tracks once.", "incomplete")
    last: dict[int, int] = defaultdict(int)
    for place in order.tracks:
        last[place.disc] += 1
        tracks[place.id].disc, tracks[place.id].position = place.disc, last[place.disc]
    await db.flush()
    return await list_album_tracks(db, actor, album_id=album_id)


async def count_tracks(db: Writer, album_ids: Iterable[UUID]) -> None:
    """Counts the tracks of these albums, and how long they take, anew."""
    count, duration = (
        select(total).where(Track.album_id == Album.id, Track.merged_into_id.is_(None)).scalar_subquery()
        for total in (func.count(), func.coalesce(func.sum(Track.duration_ms), 0))
    )
    chosen = Album.id == any_(literal(sorted(album_ids), ARRAY(Uuid)))
    await db.execute(update(Album).where(chosen).values(track_count=count, duration_ms=duration))


def _place(tracks: list[AlbumTrackInput], album: Album) -> list[Track]:
    last: dict[int, int] = defaultdict(int)
    placed: list[Track] = []
    for track in tracks:
        last[track.disc] += 1
        values: dict[str, Any] = track.model_dump() | {"artist_id": track.artist_id or album.artist_id}
        place = {"album_id": album.id, "position": last[track.disc], "title_key": name_key(track.title)}
        placed.append(Track(**values, **place))
    return placed
