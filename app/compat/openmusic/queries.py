"""Reads of albums and songs as OpenMusic shows them: to nobody in particular, since it asks for no login."""

from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    JSON,
    ColumnElement,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased

from app.catalog.hearing import heard_by, known_to
from app.catalog.models import Album, Artist, Track
from app.catalog.queries import TRACK_YEAR
from app.compat.openmusic.models import OpenMusicSong
from app.compat.openmusic.schemas import Activity, SongItem
from app.core.query import Query
from app.core.schemas import Output
from app.playlists.models import PlaylistActivity
from app.users.models import User
from app.users.queries import not_blocked

__all__ = ["ACTIVITIES", "ALBUM", "MOST_ACTIVITIES", "MOST_SONGS", "SONG", "AlbumFound", "SongFound", "songs"]

MOST_SONGS = MOST_ACTIVITIES = 1000


class AlbumFound(Output):
    """An album as the catalogue has it."""

    id: UUID
    name: str
    year: int | None
    cover_key: str | None
    songs: list[SongItem]


class SongFound(Output):
    """A track as the catalogue has it, and what OpenMusic says of it beside."""

    id: UUID
    title: str
    year: int | None
    performer: str
    genres: list[str]
    genre: str | None
    duration_ms: int | None
    album_id: UUID | None


def _literal(sql: str) -> Any:
    return literal_column(sql)


_PERFORMER = aliased(Artist)
_SONG = func.json_build_object(
    *(_literal("'id'"), Track.id),
    *(_literal("'title'"), Track.title),
    *(_literal("'performer'"), _PERFORMER.name),
    type_=JSON,
)
_SONGS_OF_ALBUM = (
    select(func.json_agg(aggregate_order_by(_SONG, Track.disc, Track.position, Track.id)))
    .join_from(Track, _PERFORMER)
    .where(Track.album_id == Album.id, Track.merged_into_id.is_(None), heard_by())
    .correlate(Album)
    .scalar_subquery()
)
ALBUM = Query(
    select(
        Album.id,
        Album.title.label("name"),
        Album.year,
        Album.cover_key,
        type_coerce(func.coalesce(_SONGS_OF_ALBUM, _literal("'[]'::json")), JSON).label("songs"),
    ).where(Album.id == bindparam("album_id", type_=Uuid), Album.merged_into_id.is_(None), known_to(Album)),
    into=AlbumFound,
)
SONG = Query(
    select(
        Track.id,
        Track.title,
        func.coalesce(OpenMusicSong.year, TRACK_YEAR).label("year"),
        Artist.name.label("performer"),
        Track.genres,
        OpenMusicSong.genre,
        Track.duration_ms,
        Track.album_id,
    )
    .join_from(Track, Artist, Artist.id == Track.artist_id)
    .outerjoin(Album, Album.id == Track.album_id)
    .outerjoin(OpenMusicSong, OpenMusicSong.track_id == Track.id)
    .where(Track.id == bindparam("track_id", type_=Uuid), Track.merged_into_id.is_(None), heard_by()),
    into=SongFound,
)


def _within(text: Any, name: str) -> Any:
    """Whether a text contains what was typed, whatever its case. No pattern: `%` and `_` mean themselves."""
    return func.strpos(func.lower(text), func.lower(bindparam(name, type_=Text))) > _literal("0")


# as an array, which is looked up in the index of tracks: a join would read the tracks of everybody
_PERFORMERS = func.array(select(Artist.id).where(_within(Artist.name, "performer")).scalar_subquery())
_FILTERS: dict[str, ColumnElement[bool]] = {
    "title": _within(Track.title, "title"),
    "performer": Track.artist_id == any_(cast(_PERFORMERS, ARRAY(Uuid))),
}


@cache
def songs(filters: frozenset[str]) -> Query[SongItem]:
    """Songs that pass the named filters, the last added first: what a client has just written is there, however many
    there are."""
    found = select(Track.id, Track.title, Artist.name.label("performer")).join_from(Track, Artist)
    where = [_FILTERS[name] for name in sorted(filters)]
    ordered = found.where(Track.merged_into_id.is_(None), heard_by(), *where).order_by(Track.id.desc())
    return Query(ordered.limit(_literal(str(MOST_SONGS))), into=SongItem)


_TOLD_TITLE = case((or_(PlaylistActivity.track_id.is_(None), Track.id.is_not(None)), PlaylistActivity.title))
"""Nothing of a recording that the viewer may not hear."""
_LATEST = (
    select(
        PlaylistActivity.id,
        func.coalesce(User.username, "").label("username"),
        func.coalesce(_TOLD_TITLE, "").label("title"),
        case((PlaylistActivity.action == _literal("'add'"), "add"), else_="delete").label("action"),
        PlaylistActivity.created_at,
    )
    .outerjoin_from(PlaylistActivity, User, and_(User.id == PlaylistActivity.actor_id, not_blocked(User.id)))
    .outerjoin(Track, and_(Track.id == PlaylistActivity.track_id, heard_by()))
    .where(
        PlaylistActivity.playlist_id == bindparam("playlist_id", type_=Uuid),
        PlaylistActivity.action.in_([_literal("'add'"), _literal("'remove'")]),
    )
    .order_by(PlaylistActivity.id.desc())
    .limit(_literal(str(MOST_ACTIVITIES)))
    .subquery()
)
ACTIVITIES = Query(
    select(_LATEST.c.username, _LATEST.c.title, _LATEST.c.action, _LATEST.c.created_at.label("time")).order_by(
        _LATEST.c.id
    ),
    into=Activity,
)
