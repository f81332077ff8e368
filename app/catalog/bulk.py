"""Many albums and tracks at once: a few statements for hundreds of rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, tuple_

from app.catalog.artists import count_albums
from app.catalog.models import Album, Artist, Track
from app.catalog.search_index import index
from app.catalog.service import GENRES_KEY
from app.catalog.tables import AlbumRow, TrackRow
from app.core.db import Writer
from app.core.ids import uuid7
from app.core.text import name_key

__all__ = ["Upserted", "upsert_albums", "upsert_tracks"]

_LOCK = 7_260_001
_ALBUM_FIELDS = ("year", "release_date", "label", "genres")
_TRACK_FIELDS = ("title", "genres", "popularity", "valence", "energy", "tempo")


@dataclass(slots=True)
class Upserted:
    """The ids by the rows' keys, and what became of how many rows."""

    ids: dict[Any, UUID] = field(default_factory=dict)
    created: int = 0
    updated: int = 0
    unchanged: int = 0

    def note(self, key: Any, row: Album | Track, *, is_new: bool, has_changed: bool) -> None:
        """Counts a row."""
        self.ids[key] = row.merged_into_id or row.id
        self.created += is_new
        self.updated += has_changed and not is_new
        self.unchanged += not has_changed and not is_new


async def upsert_albums(db: Writer, rows: Sequence[AlbumRow]) -> Upserted:
    """Adds the albums that are not there; changes of the others what a row says, not what it leaves empty."""
    await _alone(db)
    artists = await _artists_named(db, {row.key[0]: row.artist for row in rows})
    places = [(artists[artist_key], title_key) for artist_key, title_key in (row.key for row in rows)]
    known = await _albums_at(db, places)
    done, new = Upserted(), list[Album]()
    for row, place in zip(rows, places, strict=True):
        album = known.get(place)
        if album is None:
            album = Album(
                id=uuid7(), title=row.title, artist_id=place[0], title_key=place[1], **_all(row, _ALBUM_FIELDS)
            )
            new.append(album)
        has_changed = _apply(album, row, _ALBUM_FIELDS)
        done.note(row.key, album, is_new=place not in known, has_changed=has_changed)
    db.add_all(new)
    await db.flush()
    await count_albums(db, {album.artist_id for album in new})
    await index(db, Album, [album.id for album in new])
    db.stale.append(GENRES_KEY)
    return done


async def upsert_tracks(db: Writer, rows: Sequence[TrackRow]) -> Upserted:
    """Adds the tracks whose ids are not there; changes of the others what a row says, not what it leaves empty."""
    await _alone(db)
    artists = await _artists_of(db, rows)
    there = await db.all(select(Track).where(Track.spotify_id.in_([row.key for row in rows])))
    known = {track.spotify_id: track for track in there}
    done, touched = Upserted(), list[Track]()
    for row in rows:
        track = known.get(row.key)
        if track is None:
            track = Track(id=uuid7(), artist_id=artists[row.key], spotify_id=row.key, **_all(row, _TRACK_FIELDS))
        is_new = row.key not in known
        has_changed = _apply(track, row, _TRACK_FIELDS)
        if is_new or has_changed:
            track.title_key = name_key(track.title)
            touched.append(track)
        done.note(row.key, track, is_new=is_new, has_changed=has_changed)
    db.add_all(touched)
    await db.flush()
    await index(db, Track, [track.id for track in touched])
    db.stale.append(GENRES_KEY)
    return done


async def _alone(db: Writer) -> None:
    """Two imports at once would add the same artists twice: names are not unique."""
    await db.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def _all(row: AlbumRow | TrackRow, fields: Iterable[str]) -> dict[str, Any]:
    """The empty ones too: rows that set the same columns go into one statement."""
    return {name: getattr(row, name) for name in fields}


def _apply(target: Album | Track, row: AlbumRow | TrackRow, fields: Iterable[str]) -> bool:
    """Whether it changed anything. A merged duplicate stays as it is."""
    if target.merged_into_id is not None:
        return False
    given = {name: getattr(row, name) for name in fields if getattr(row, name) not in (None, "", [])}
    changes = {name: value for name, value in given.items() if getattr(target, name) != value}
    for name, value in changes.items():
        setattr(target, name, value)
    return bool(changes)


async def _albums_at(db: Writer, places: Sequence[tuple[UUID, str]]) -> dict[tuple[UUID, str], Album]:
    there = select(Album).where(tuple_(Album.artist_id, Album.title_key).in_(places), Album.owner_id.is_(None))
    # the last one wins: a duplicate only where nothing else is left of that name, of several the oldest
    found = await db.all(there.order_by(Album.merged_into_id.is_(None), Album.id.desc()))
    return {(album.artist_id, album.title_key): album for album in found}


async def _artists_named(db: Writer, names: dict[str, str]) -> dict[str, UUID]:
    """Artists by the keys of their names; those that are not there are added."""
    there = select(Artist).where(Artist.name_key.in_(names), Artist.owner_id.is_(None))
    there = there.order_by(Artist.merged_into_id.is_(None), Artist.id.desc())
    found = {artist.name_key: artist.merged_into_id or artist.id for artist in await db.all(there)}
    new = [Artist(id=uuid7(), name=name, name_key=key) for key, name in names.items() if key not in found]
    await _add_artists(db, new)
    return found | {artist.name_key: artist.id for artist in new}


async def _artists_of(db: Writer, rows: Sequence[TrackRow]) -> dict[str, UUID]:
    """The artist of each track: by the id at Spotify; else one of that name who has no id yet, who gets it."""
    named = await _artists_named(db, {name_key(row.artist): row.artist for row in rows if not row.spotify_artist_id})
    ids = {row.spotify_artist_id: row for row in rows if row.spotify_artist_id}
    there = await db.all(select(Artist).where(Artist.spotify_id.in_(ids)))
    found = {artist.spotify_id: artist.merged_into_id or artist.id for artist in there}
    free = await _without_id(db, [name_key(row.artist) for key, row in ids.items() if key not in found])
    new: list[Artist] = []
    for spotify_id, row in ids.items():
        if spotify_id in found:
            continue
        artist = free.pop(name_key(row.artist), None)
        if artist is None:
            artist = Artist(id=uuid7(), name=row.artist, name_key=name_key(row.artist))
            new.append(artist)
        artist.spotify_id = spotify_id
        found[spotify_id] = artist.id
    await _add_artists(db, new)
    return {
        row.key: found[row.spotify_artist_id] if row.spotify_artist_id else named[name_key(row.artist)] for row in rows
    }


async def _without_id(db: Writer, keys: Sequence[str]) -> dict[str, Artist]:
    there = select(Artist).where(
        Artist.name_key.in_(keys),
        Artist.spotify_id.is_(None),
        Artist.merged_into_id.is_(None),
        Artist.owner_id.is_(None),
    )
    return {artist.name_key: artist for artist in await db.all(there.order_by(Artist.id.desc()))}


async def _add_artists(db: Writer, new: Sequence[Artist]) -> None:
    db.add_all(new)
    await db.flush()
    await index(db, Artist, [artist.id for artist in new])
