"""Reads of what is in playlists, as far as the viewer may know of it."""

from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Label,
    Select,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    not_,
    null,
    select,
)
from sqlalchemy.orm import aliased

from app.catalog.hearing import heard_by
from app.catalog.models import Album, Artist, Track
from app.core.query import PageQuery, Query
from app.playlists.models import Playlist, PlaylistEntry
from app.playlists.queries import seen
from app.playlists.schemas import EntryItem, LiveEntry, SavedEntry
from app.reactions.queries import person_card
from app.users.models import User
from app.users.queries import not_blocked

__all__ = ["ENTRIES", "EVERY_ENTRY", "FIRST_ENTRIES", "LIVE_ENTRIES", "TRACK_COLUMNS"]

_PLAYLIST_ID = bindparam("playlist_id", type_=Uuid)
_THIS = Playlist.id == _PLAYLIST_ID
_BY = aliased(User)
_ALBUM = (Album.id, Album.title, Album.year, Album.cover_key)
TRACK_COLUMNS = (
    Track.id.label("track__id"),
    Track.title.label("track__title"),
    Artist.id.label("track__artist__id"),
    Artist.name.label("track__artist__name"),
    *(column.label(f"track__album__{column.key}") for column in _ALBUM),
    Track.duration_ms.label("track__duration_ms"),
)
"""The columns of an EntryTrack."""


_HIDDEN = and_(PlaylistEntry.track_id.is_not(None), Track.id.is_(None))


def _unless_hidden(column: Any, otherwise: str | None = None) -> Label[Any]:
    """What is said of an entry, unless the viewer may not know of its track."""
    instead = null() if otherwise is None else literal_column(f"'{otherwise}'")
    return case((_HIDDEN, instead), else_=column).label(column.key)


_SAID = (
    _unless_hidden(PlaylistEntry.title, ""),
    _unless_hidden(PlaylistEntry.artist, ""),
    _unless_hidden(PlaylistEntry.album),
    _unless_hidden(PlaylistEntry.duration_ms),
    _HIDDEN.label("hidden"),
)


def _with_tracks(statement: Select[*tuple[Any, ...]]) -> Select[Any]:
    """Entries with what the catalogue knows of those of their tracks that the viewer may hear."""
    return (
        statement.select_from(PlaylistEntry)
        .outerjoin(Track, and_(Track.id == PlaylistEntry.track_id, heard_by()))
        .outerjoin(Artist, Artist.id == Track.artist_id)
        .outerjoin(Album, Album.id == Track.album_id)
    )


_OF_PLAYLIST = PlaylistEntry.playlist_id == _PLAYLIST_ID
ENTRIES = PageQuery(
    _with_tracks(
        select(PlaylistEntry.id, *TRACK_COLUMNS, *_SAID, *person_card(_BY, "added_by__"), PlaylistEntry.added_at)
    )
    .outerjoin(_BY, and_(_BY.id == PlaylistEntry.added_by_id, not_blocked(_BY.id)))
    .where(_OF_PLAYLIST, exists().where(_THIS, seen())),
    into=EntryItem,
    order=[PlaylistEntry.rank],
    ascending=True,
)
_LIVE = _with_tracks(
    select(PlaylistEntry.id, *TRACK_COLUMNS, *_SAID, PlaylistEntry.added_by_id, PlaylistEntry.added_at)
).where(_OF_PLAYLIST)
FIRST_ENTRIES = Query(_LIVE.order_by(PlaylistEntry.rank).limit(literal_column("500")), into=LiveEntry)
LIVE_ENTRIES = Query(
    _LIVE.where(PlaylistEntry.id == any_(bindparam("ids", type_=ARRAY(Uuid)))).order_by(PlaylistEntry.rank),
    into=LiveEntry,
)


def _known(column: str) -> ColumnElement[Any]:
    return func.coalesce(getattr(Track, column), getattr(PlaylistEntry, column)).label(column)


EVERY_ENTRY = Query(
    _with_tracks(
        select(
            PlaylistEntry.id,
            Track.id.label("track_id"),
            Track.artist_id,
            Track.album_id,
            _known("title"),
            func.coalesce(Artist.name, PlaylistEntry.artist).label("artist"),
            func.coalesce(Album.title, PlaylistEntry.album).label("album"),
            _known("duration_ms"),
            Album.cover_key,
            _known("isrc"),
            _known("musicbrainz_id"),
            _known("spotify_id"),
            PlaylistEntry.location,
            _BY.username.label("added_by"),
            PlaylistEntry.added_at,
        )
    )
    .outerjoin(_BY, and_(_BY.id == PlaylistEntry.added_by_id, not_blocked(_BY.id)))
    .where(_OF_PLAYLIST, not_(_HIDDEN))
    .order_by(PlaylistEntry.rank),
    into=SavedEntry,
)
