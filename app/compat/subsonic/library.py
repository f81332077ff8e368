"""The library of a Subsonic client in SQL: tracks with a recording that the viewer may hear, and what they are of.

Tracks without an album stand on a shelf of their artist, which clients see as an album: they know no other place.
"""

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    Integer,
    Numeric,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    select,
)
from sqlalchemy.orm import aliased

from app.catalog.hearing import heard_by
from app.catalog.models import Album, Artist, Track
from app.catalog.queries import TRACK_YEAR
from app.compat.subsonic.models import SubsonicRating, SubsonicStar
from app.reactions.models import Like
from app.uploads.models import Upload
from app.users.queries import VIEWER

__all__ = ["ALBUM_ARTIST", "ARTIST", "GENRES", "Kind", "albums", "artists", "audible", "marked", "of_genre", "ranked"]
__all__ += ["ranked_songs", "songs", "track_ids"]

Kind = Literal["artist", "album", "track"]

ALBUM_ARTIST = aliased(Artist)
GENRES: ColumnElement[Any] = case(
    (func.cardinality(Track.genres) > literal_column("0"), Track.genres),
    else_=func.coalesce(Album.genres, Track.genres),
)
"""Those of the track, or of its album where the track has none."""
ARTIST = (Artist.id, Artist.name, Artist.name_key, Artist.image_key, Artist.musicbrainz_id)
_MEAN = cast(func.round(cast(Album.rating_sum, Numeric) / func.nullif(Album.review_count, 0) / 2, 2), Float)


def audible(track: Any = Track) -> ColumnElement[bool]:
    """The track has a recording, and the viewer may hear it."""
    return and_(track.audio_type.is_not(None), track.merged_into_id.is_(None), heard_by(track))


def songs(*where: Any) -> Select[Any]:
    """SongRows, but for what the viewer has marked."""
    columns: dict[str, Any] = {
        "id": Track.id,
        "title": Track.title,
        "artist_id": Artist.id,
        "artist": Artist.name,
        "album_id": Track.album_id,
        "album": Album.title,
        "album_artist_id": ALBUM_ARTIST.id,
        "album_artist": ALBUM_ARTIST.name,
        "disc": Track.disc,
        "position": Track.position,
        "year": TRACK_YEAR,
        "genres": GENRES,
        "cover_key": Album.cover_key,
        "duration_ms": Track.duration_ms,
        "audio_type": Track.audio_type,
        "size": Upload.size,
        "bitrate": Upload.bitrate_kbps,
        "sample_rate": Upload.sample_rate,
        "channels": Upload.channels,
        "tempo": Track.tempo,
        "isrc": Track.isrc,
        "musicbrainz_id": Track.musicbrainz_id,
        "created_at": Track.created_at,
    }
    return (
        select(*(column.label(name) for name, column in columns.items()))
        .select_from(Track)
        .join(Artist, Artist.id == Track.artist_id)
        .outerjoin(Album, Album.id == Track.album_id)
        .join(ALBUM_ARTIST, ALBUM_ARTIST.id == func.coalesce(Album.artist_id, Track.artist_id))
        .outerjoin(Upload, Upload.track_id == Track.id)
        .where(audible(), *where)
    )


def track_ids(*where: Any) -> Select[Any]:
    """The ids of what can be heard: lists are put in order with these alone, and told of when they are short."""
    ids: Select[Any] = select(Track.id)
    with_album = ids.select_from(Track).outerjoin(Album, Album.id == Track.album_id)
    return with_album.where(audible(), *where)


def _shelves(*where: Any) -> Any:
    """Albums and shelves of single tracks, with what is on them. `where` is about tracks."""
    single = case((Track.album_id.is_(None), Track.artist_id))
    duration = cast(func.coalesce(func.sum(Track.duration_ms), 0), BigInteger)
    return (
        select(
            Track.album_id,
            single.label("single_of"),
            func.count().label("song_count"),
            duration.label("duration_ms"),
            func.max(Track.created_at).label("created_at"),
        )
        .where(audible(), *where)
        .group_by(Track.album_id, single)
        .subquery("shelves")
    )


def albums(*where: Any, of_tracks: tuple[Any, ...] = ()) -> tuple[Select[Any], Any]:
    """AlbumRows but for the marks, and the shelves that they are made from.

    `of_tracks` holds to what is on some tracks, `where` to some albums.
    """
    shelf = _shelves(*of_tracks)
    columns: dict[str, Any] = {
        "id": shelf.c.album_id,
        "title": Album.title,
        "artist_id": Artist.id,
        "artist": Artist.name,
        "year": Album.year,
        "genres": func.coalesce(Album.genres, literal_column("'{}'::text[]")),
        "cover_key": Album.cover_key,
        "song_count": shelf.c.song_count,
        "duration_ms": shelf.c.duration_ms,
        "created_at": shelf.c.created_at,
        "mean": _MEAN,
        "musicbrainz_id": Album.musicbrainz_id,
    }
    rows = (
        select(*(column.label(name) for name, column in columns.items()))
        .select_from(shelf)
        .outerjoin(Album, Album.id == shelf.c.album_id)
        .join(Artist, Artist.id == func.coalesce(Album.artist_id, shelf.c.single_of))
        .where(*where)
    )
    return rows, shelf


def artists(*where: Any) -> Select[Any]:
    """ArtistRows of those whose albums or single tracks can be heard."""
    shelf = _shelves()
    artist_id = func.coalesce(Album.artist_id, shelf.c.single_of)
    counted = (
        select(
            artist_id.label("artist_id"),
            func.count().label("album_count"),
            func.max(shelf.c.created_at).label("changed_at"),
        )
        .select_from(shelf)
        .outerjoin(Album, Album.id == shelf.c.album_id)
        .group_by(artist_id)
        .subquery("counted")
    )
    return (
        select(*ARTIST, counted.c.album_count, counted.c.changed_at)
        .select_from(counted)
        .join(Artist, Artist.id == counted.c.artist_id)
        .where(*where)
    )


def marked(rows: Select[Any], kind: Kind) -> Select[Any]:
    """The rows with the viewer's star and rating of each."""
    (column,) = (column for column in rows.selected_columns if column.key == "id")
    return rows.add_columns(*_marks(kind, column))


def ranked(rows: Select[Any], kind: Kind, *order: Any) -> Select[Any]:
    """Rows `first` to `last` of an order, marked: clients ask by position, not by key.

    PostgreSQL ends the sorting, and where an index gives the order the reading, at the last row that is asked for.
    """
    placed, place, wanted = _placed(rows, order)
    shown = [column for column in placed.c if column is not place]
    return select(*shown, *_marks(kind, placed.c.id)).where(wanted).order_by(place)


def ranked_songs(ids: Select[Any], *order: Any) -> Select[Any]:
    """SongRows `first` to `last` of `track_ids` in an order."""
    placed, place, wanted = _placed(ids, order)
    return marked(songs(wanted).join(placed, placed.c.id == Track.id).order_by(place), "track")


def _placed(rows: Select[Any], order: Sequence[Any]) -> tuple[Any, Any, ColumnElement[bool]]:
    placed = rows.add_columns(func.row_number().over(order_by=order).label("_place")).subquery("placed")
    place = placed.c["_place"]
    first, last = bindparam("first", type_=Integer), bindparam("last", type_=Integer)
    return placed, place, and_(place >= first, place <= last)


def _marks(kind: Kind, column: Any) -> list[Any]:
    star: Any = aliased(SubsonicStar if kind == "artist" else Like)
    rating: Any = aliased(SubsonicRating)
    starred = select(star.created_at).where(getattr(star, f"{kind}_id") == column, star.user_id == VIEWER)
    rated = select(rating.rating).where(getattr(rating, f"{kind}_id") == column, rating.user_id == VIEWER)
    return [starred.scalar_subquery().label("starred_at"), rated.scalar_subquery().label("rating")]


def of_genre(genres: Any = GENRES) -> ColumnElement[bool]:
    """Held to the parameter `genre`."""
    return bindparam("genre", type_=Text) == any_(genres)
