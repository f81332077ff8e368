"""Where a recording has its place: a track, with an artist and an album of its owner's.

An artist or an album of theirs is found by its name, or made. It is listed while something public is of it, and goes
with its last track. So nobody's upload changes what belongs to the catalogue, and nothing private shows through it.
Whoever may edit the catalogue has their tracks with its artists.

Albums are locked before artists and artists before tracks, as everywhere; `hold_uploads` has a person's uploads placed
one after the other.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, exists, func, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from app.catalog.albums import count_tracks
from app.catalog.artists import count_albums
from app.catalog.likes import likes_key
from app.catalog.locking import MERGE
from app.catalog.models import Album, Artist, Track
from app.catalog.search_index import index, unindex
from app.catalog.service import GENRES_KEY
from app.core.db import Writer
from app.core.holds import hold
from app.core.ids import uuid7
from app.core.text import name_key

__all__ = ["Place", "find_place", "hold_uploads", "lock_places", "place_track", "settle"]

Place = tuple[UUID, UUID | None]
"""An artist, and an album if there is one."""
_SQL_ONLY = {"synchronize_session": False}

# what nobody's track is on any more and nobody has written of; with the duplicates that lead there
_EMPTY_ALBUMS = """
    WITH empty AS (
        SELECT a.id FROM albums a WHERE a.id = ANY ($1::uuid[]) AND a.owner_id IS NOT NULL
          AND NOT EXISTS (SELECT FROM tracks t WHERE t.album_id = a.id)
          AND NOT EXISTS (
              SELECT FROM reviews r JOIN albums d ON d.id = r.album_id WHERE a.id IN (d.id, d.merged_into_id)))
    DELETE FROM albums a USING empty WHERE empty.id IN (a.id, a.merged_into_id) RETURNING a.id"""
_EMPTY_ARTISTS = """
    DELETE FROM artists a WHERE a.id = ANY ($1::uuid[]) AND a.owner_id IS NOT NULL
      AND NOT EXISTS (SELECT FROM tracks t WHERE t.artist_id = a.id)
      AND NOT EXISTS (SELECT FROM albums b WHERE b.artist_id = a.id)
      AND NOT EXISTS (SELECT FROM artists d WHERE d.merged_into_id = a.id)
    RETURNING a.id"""


async def hold_uploads(db: Writer, owner_id: UUID) -> None:
    """Nobody else changes this person's uploads until the transaction ends, and nothing is merged.

    Of an artist who is found by name, and an album that is made there, a merge would know only one.
    """
    await hold(db, *MERGE, shared=True)
    await hold(db, "uploads", owner_id)


async def find_place(
    db: Writer, owner_id: UUID, *, artist: str, album: str | None, year: int | None, edits_catalog: bool
) -> Place:
    """The artist and the album of these names, made if they are not there; locked."""
    artist_id = await _find_artist(db, owner_id, artist, edits_catalog=edits_catalog)
    album_id = await _find_album(db, owner_id, artist_id, album, year) if album else None
    await lock_places(db, [album_id] if album_id else [], [artist_id])
    return artist_id, album_id


async def place_track(db: Writer, track: Track, place: Place, *, disc: int | None, position: int | None) -> None:
    """Puts the track there, as the last one unless a position is given."""
    track.artist_id, track.album_id = place
    track.disc = disc if disc and 0 < disc < 100 else 1
    if track.album_id is None:
        track.position = None
    elif position and 0 < position < 1000:
        track.position = position
    else:
        last = select(func.max(Track.position)).where(Track.album_id == track.album_id, Track.disc == track.disc)
        with db.no_autoflush:
            track.position = (await db.scalar(last.where(Track.id != track.id)) or 0) + 1


async def settle(db: Writer, track_ids: Iterable[UUID], places: Iterable[Place]) -> None:
    """Lists what something public is of, counts it, has it found by everybody, and removes what is empty."""
    await db.flush()
    places = list(places)
    albums = {album_id for _, album_id in places if album_id}
    artists = {artist_id for artist_id, _ in places}
    gone = await _remove(db, _EMPTY_ALBUMS, albums)
    await _list_albums(db, albums)
    await count_tracks(db, albums - gone)
    gone |= await _remove(db, _EMPTY_ARTISTS, artists)
    await _list_artists(db, artists)
    await count_albums(db, artists - gone)
    for entity, ids in ((Album, albums), (Artist, artists), (Track, set(track_ids))):
        await unindex(db, ids)
        await index(db, entity, ids)
    db.stale += [GENRES_KEY, *map(likes_key, albums)]


async def _find_artist(db: Writer, owner_id: UUID, name: str, *, edits_catalog: bool) -> UUID:
    key = name_key(name)
    if edits_catalog:
        known = select(Artist.id).where(Artist.name_key == key, Artist.owner_id.is_(None))
        found = await db.one(known.where(Artist.merged_into_id.is_(None)).order_by(Artist.id).limit(1))
        if found is not None:
            return found
    row = {"id": uuid7(), "name": name, "name_key": key, "owner_id": owner_id, "listed": False}
    return await _find_or_make(db, Artist, row, ["owner_id", "name_key"])


async def _find_album(db: Writer, owner_id: UUID, artist_id: UUID, title: str, year: int | None) -> UUID:
    row = {"id": uuid7(), "title": title, "title_key": name_key(title), "artist_id": artist_id, "year": year}
    row |= {"owner_id": owner_id, "listed": False}
    return await _find_or_make(db, Album, row, ["owner_id", "artist_id", "title_key"])


async def _find_or_make(db: Writer, entity: type[Any], row: dict[str, Any], unique: list[str]) -> UUID:
    there = select(func.coalesce(entity.merged_into_id, entity.id)).filter_by(**{name: row[name] for name in unique})
    found: UUID | None = await db.scalar(there)
    if found is None:
        owned = text("owner_id IS NOT NULL")
        new = insert(entity).values(row).on_conflict_do_nothing(index_elements=unique, index_where=owned)
        await db.execute(new)
        found = await db.scalar(there)
    assert found is not None, "this person's uploads are held"
    return found


async def lock_places(db: Writer, albums: list[UUID], artists: list[UUID]) -> None:
    """Albums before artists, as everywhere."""
    for entity, ids in ((Album, albums), (Artist, artists)):
        locked = select(entity.id).where(entity.id.in_(ids)).order_by(entity.id).with_for_update(key_share=True)
        await db.execute(locked)


async def _remove(db: Writer, statement: str, ids: set[UUID]) -> set[UUID]:
    return {row["id"] for row in await db.records(statement, [sorted(ids)])}


async def _list_albums(db: Writer, ids: set[UUID]) -> None:
    """An album that people have written of stays listed: what they wrote is not taken from them."""
    public = exists().where(Track.album_id == Album.id, Track.visibility == "public", Track.merged_into_id.is_(None))
    reviewed = Album.listed & (Album.review_count > 0)
    change = update(Album).where(_among(Album, ids), Album.owner_id.is_not(None))
    await db.execute(change.values(listed=or_(reviewed, public)), execution_options=_SQL_ONLY)


async def _list_artists(db: Writer, ids: set[UUID]) -> None:
    public = exists().where(Track.artist_id == Artist.id, Track.visibility == "public", Track.merged_into_id.is_(None))
    listed = exists().where(Album.artist_id == Artist.id, Album.listed)
    change = update(Artist).where(_among(Artist, ids), Artist.owner_id.is_not(None))
    await db.execute(change.values(listed=or_(listed, public)), execution_options=_SQL_ONLY)


def _among(entity: type[Any], ids: set[UUID]) -> Any:
    return entity.id == any_(literal(sorted(ids), ARRAY(Uuid)))
