"""Albums and songs: OpenMusic's words for the catalogue's albums and tracks."""

from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.catalog.albums import change_album, create_album
from app.catalog.artists import create_artist
from app.catalog.inputs import AlbumChanges, AlbumInput, ArtistInput, TrackChanges, TrackInput
from app.catalog.likes import like_album
from app.catalog.locking import editable
from app.catalog.models import Album, Artist, Entity, Track
from app.catalog.service import explain_absence, require
from app.catalog.tracks import change_track, create_track
from app.compat.openmusic.models import OpenMusicSong
from app.compat.openmusic.queries import ALBUM, SONG, SongFound, songs
from app.compat.openmusic.schemas import AlbumPayload, OpenMusicAlbum, SongDetail, SongItem, SongPayload
from app.core.auth import Principal
from app.core.db import Writer
from app.core.errors import Conflict, NotFound
from app.core.holds import hold
from app.core.http import API
from app.core.query import Runs
from app.core.text import name_key
from app.reactions.models import Like

__all__ = [
    "add_album",
    "add_song",
    "edit_album",
    "edit_song",
    "identify",
    "like_once",
    "list_songs",
    "read_album",
    "read_song",
]

VARIOUS = "Various Artists"
"""Whose an album is that was written without saying whose."""


class AlreadyLiked(Conflict):
    code, title = "already_liked", "You like this album already"


def identify(text: str, entity: Entity | str) -> UUID:
    """The id. Raises NotFound for what is none: it names nothing."""
    try:
        return UUID(text)
    except ValueError as error:
        name = entity if isinstance(entity, str) else entity.__name__.lower()
        raise NotFound(f"There is no such {name}.") from error


async def add_album(db: Writer, new: AlbumPayload) -> UUID:
    """A new album."""
    artist_id = await _performer(db, VARIOUS)
    album = await create_album(db, None, AlbumInput(title=new.name, artist_id=artist_id, year=new.year))
    return album.id


async def read_album(db: Runs, album_id: UUID, *, base_url: str) -> OpenMusicAlbum:
    """The album with its songs, by one statement. Raises NotFound, Merged."""
    found = await ALBUM.first(db, viewer=None, album_id=album_id) or await explain_absence(db, Album, album_id)
    cover = f"{base_url}{API}/media/{found.cover_key}" if found.cover_key else None
    return OpenMusicAlbum(id=found.id, name=found.name, year=found.year, cover_url=cover, songs=found.songs)


async def edit_album(db: Writer, album_id: UUID, new: AlbumPayload) -> None:
    """Gives an album another name and year. Raises NotFound, Merged."""
    await change_album(db, None, album_id, AlbumChanges(title=new.name, year=new.year))


async def add_song(db: Writer, new: SongPayload) -> UUID:
    """A new song. Raises NotFound for an album that is not there, Merged."""
    values = await _values(db, new)
    track = await create_track(db, None, TrackInput(**values))
    db.add(OpenMusicSong(track_id=track.id, year=new.year, genre=new.genre))
    return track.id


async def read_song(db: Runs, track_id: UUID) -> SongDetail:
    """The song, by one statement. Raises NotFound, Merged."""
    found = await SONG.first(db, viewer=None, track_id=track_id) or await explain_absence(db, Track, track_id)
    return SongDetail(
        id=found.id,
        title=found.title,
        year=found.year,
        performer=found.performer,
        genre=_genre(found),
        duration=found.duration_ms // 1000 if found.duration_ms else None,
        album_id=found.album_id,
    )


async def list_songs(db: Runs, *, title: str, performer: str) -> list[SongItem]:
    """Songs whose title and performer contain these; the last added first."""
    given = {name: part for name, part in (("title", title), ("performer", performer)) if part}
    return await songs(frozenset(given)).all(db, viewer=None, **given)


async def edit_song(db: Writer, track_id: UUID, new: SongPayload) -> None:
    """Writes the song anew: what is not given is not there any more. Raises NotFound, Merged."""
    await require(db, Track, track_id)
    await change_track(db, None, track_id, TrackChanges(**await _values(db, new)))
    words = {"year": new.year, "genre": new.genre}
    put = insert(OpenMusicSong).values(track_id=track_id, **words)
    await db.execute(put.on_conflict_do_update(index_elements=[OpenMusicSong.track_id], set_=words))


async def like_once(db: Writer, actor: Principal, album_id: UUID) -> None:
    """Likes the album. Raises NotFound, Merged, AlreadyLiked."""
    await require(db, Album, album_id, actor=actor)
    await hold(db, "openmusic like", actor.user_id)
    if await db.one(select(Like.id).where(Like.user_id == actor.user_id, Like.album_id == album_id)):
        raise AlreadyLiked
    await like_album(db, actor, album_id)


async def _values(db: Writer, new: SongPayload) -> dict[str, Any]:
    """What the catalogue keeps of a song."""
    album_id = None if new.album_id is None else identify(new.album_id, Album)
    if album_id is not None:
        await require(db, Album, album_id)
    return {
        "title": new.title,
        "artist_id": await _performer(db, new.performer),
        "album_id": album_id,
        "duration_ms": new.duration * 1000 if new.duration else None,
        "genres": [new.genre],
    }


async def _performer(db: Writer, name: str) -> UUID:
    """The artist of that name, made on first sight."""
    key = name_key(name)
    named = select(Artist.id).where(Artist.name_key == key, editable(Artist)).order_by(Artist.id)
    found = await db.one(named.limit(1))
    if found is None:
        await hold(db, "artist name", uuid5(NAMESPACE_OID, key))
        found = await db.one(named.limit(1))
    return found or (await create_artist(db, ArtistInput(name=name))).id


def _genre(found: SongFound) -> str | None:
    """As it was spelt, unless a curator has changed it since: the catalogue folds case."""
    first = found.genres[0] if found.genres else None
    return found.genre if found.genre and found.genre.casefold() == first else first
