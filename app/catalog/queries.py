"""Reads of the catalogue."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    JSON,
    Float,
    Integer,
    Numeric,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    column,
    func,
    literal,
    literal_column,
    null,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased

from app.catalog.hearing import heard_by, known_to, listed_for, shown_to
from app.catalog.models import Album, Artist, Entity, Track, TrackPlays
from app.catalog.schemas import (
    AlbumCard,
    AlbumDetails,
    AlbumTrack,
    ArtistCard,
    ArtistDetails,
    GenreCount,
    Place,
    TrackCard,
    TrackDetails,
)
from app.core.query import PageQuery, Query
from app.reactions.queries import person_card
from app.reactions.service import liked_by_viewer
from app.users.models import User

__all__ = ["ALBUM", "ALBUM_CARD", "ALBUM_TRACKS", "ARTIST", "ARTIST_ALBUMS", "GENRES", "PLACES", "TRACK", "TRACK_CARD"]
__all__ += ["TRACK_YEAR", "AlbumSort", "albums_page", "artists_page", "pair_table", "tracks_page"]

AlbumSort = Literal["new", "title"]


def _id(name: str) -> Any:
    return bindparam(name, type_=Uuid)


_MEAN = cast(func.round(cast(Album.rating_sum, Numeric) / func.nullif(Album.review_count, 0), 2), Float)
_ARTIST_REF = (Artist.id.label("artist__id"), Artist.name.label("artist__name"))
_HEARD_ON_ALBUM = and_(Track.album_id == Album.id, Track.merged_into_id.is_(None), heard_by())


def _of_album(kept: Any, heard: Any) -> Any:
    """A total over the tracks of an album. On one that somebody uploaded each viewer has their own."""
    return case((Album.owner_id.is_(None), kept), else_=heard)


_HEARD_TRACKS = select(Track.id).where(_HEARD_ON_ALBUM).correlate(Album).scalar_subquery()
_HEARD_MS = select(func.coalesce(func.sum(Track.duration_ms), 0)).where(_HEARD_ON_ALBUM).correlate(Album)
_TRACK_COUNT = _of_album(
    Album.track_count, func.cardinality(func.array(_HEARD_TRACKS, type_=ARRAY(Uuid)), type_=Integer)
).label("track_count")
_ARTIST_CARD = (Artist.id, Artist.name, Artist.genres, Artist.image_key, Artist.album_count)
ALBUM_CARD = (
    Album.id,
    Album.title,
    *_ARTIST_REF,
    Album.year,
    Album.genres,
    Album.cover_key,
    _TRACK_COUNT,
    Album.review_count,
    _MEAN.label("mean_rating"),
    Album.like_count,
)
TRACK_CARD = (
    Track.id,
    Track.title,
    *_ARTIST_REF,
    Album.id.label("album__id"),
    Album.title.label("album__title"),
    Album.year.label("album__year"),
    Album.cover_key.label("album__cover_key"),
    Track.duration_ms,
    Track.like_count,
)
TRACK_YEAR = func.coalesce(Album.year, Track.year)


def pair_table(pairs: Sequence[tuple[UUID, UUID]]) -> Any:
    """Pairs of ids as a table with the columns `duplicate` and `kept`."""
    duplicates, kept = [duplicate for duplicate, _ in pairs], [kept for _, kept in pairs]
    both = func.unnest(literal(duplicates, ARRAY(Uuid)), literal(kept, ARRAY(Uuid)))
    return both.table_valued(column("duplicate", Uuid), column("kept", Uuid)).render_derived(name="pairs")


ARTIST = Query(
    select(*_ARTIST_CARD, Artist.spotify_id, Artist.musicbrainz_id, Artist.created_at).where(
        Artist.id == _id("artist_id"), Artist.merged_into_id.is_(None), known_to(Artist)
    ),
    into=ArtistDetails,
)


def _by_spotify_id(table: Any) -> Any:
    """What has this id at Spotify, or what stays in place of the duplicate that has it."""
    named = aliased(table)
    kept = select(func.coalesce(named.merged_into_id, named.id))
    return table.id == kept.where(named.spotify_id == bindparam("spotify_id", type_=Text)).scalar_subquery()


@cache
def artists_page(filters: frozenset[str]) -> PageQuery[ArtistCard]:
    """Artists by name, or the one with a `spotify_id`."""
    artists = select(*_ARTIST_CARD).where(Artist.merged_into_id.is_(None), listed_for(Artist))
    if filters:
        artists = artists.where(_by_spotify_id(Artist))
    return PageQuery(artists, into=ArtistCard, order=[Artist.name_key, Artist.id], ascending=True)


def _albums(*where: Any) -> Select[Any]:
    return select(*ALBUM_CARD).join_from(Album, Artist).where(Album.merged_into_id.is_(None), *where)


_BY_ARTIST = Album.artist_id == _id("artist_id")
_ALBUM_FILTERS = {
    "artist_id": _BY_ARTIST,
    "genres": Album.genres.op("@>", is_comparison=True)(bindparam("genres", type_=ARRAY(Text))),
    "year_from": Album.year >= bindparam("year_from", type_=Integer),
    "year_to": Album.year <= bindparam("year_to", type_=Integer),
    "spotify_id": _by_spotify_id(Album),
}
_TRACK_FILTERS = {
    "artist_id": Track.artist_id == _id("artist_id"),
    "genres": Track.genres.op("@>", is_comparison=True)(bindparam("genres", type_=ARRAY(Text))),
    "recorded": Track.audio_type.is_not(None),
    "spotify_id": _by_spotify_id(Track),
}
_ALBUM_ORDERS: dict[AlbumSort, Any] = {"new": [Album.id], "title": [Album.title_key, Album.id]}
ARTIST_ALBUMS = PageQuery(_albums(_BY_ARTIST, known_to(Album)), into=AlbumCard, order=[Album.id])


@cache
def albums_page(sort: AlbumSort, filters: frozenset[str]) -> PageQuery[AlbumCard]:
    """Albums in an order, held to the named filters: a statement for each choice, so that each has its plan."""
    where = [_ALBUM_FILTERS[name] for name in sorted(filters)]
    return PageQuery(
        _albums(listed_for(Album), *where), into=AlbumCard, order=_ALBUM_ORDERS[sort], ascending=sort == "title"
    )


@cache
def tracks_page(filters: frozenset[str]) -> PageQuery[TrackCard]:
    """Tracks that are for everybody, the last added first, held to the named filters."""
    tracks = select(*TRACK_CARD).join_from(Track, Artist).outerjoin(Album, Album.id == Track.album_id)
    where = [_TRACK_FILTERS[name] for name in sorted(filters)]
    return PageQuery(tracks.where(Track.merged_into_id.is_(None), shown_to(), *where), into=TrackCard, order=[Track.id])


def _literal(sql: str) -> Any:
    return literal_column(sql)


def _object(**fields: Any) -> Any:
    """A JSON object. Its names are literals: as parameters they would be sent each time."""
    parts = [part for name, value in fields.items() for part in (_literal(f"'{name}'"), value)]
    return func.json_build_object(*parts, type_=JSON)


_TRACK_ARTIST = aliased(Artist)
_TRACK_LIKED = liked_by_viewer(Track.id)
_IN_ORDER = (Track.disc, Track.position, Track.id)
_ALBUM_TRACK = _object(
    id=Track.id,
    title=Track.title,
    artist=_object(id=_TRACK_ARTIST.id, name=_TRACK_ARTIST.name),
    disc=Track.disc,
    position=Track.position,
    duration_ms=Track.duration_ms,
    like_count=Track.like_count,
    liked=_TRACK_LIKED,
)
_TRACKS_OF_ALBUM = (
    select(func.json_agg(aggregate_order_by(_ALBUM_TRACK, *_IN_ORDER)))
    .join_from(Track, _TRACK_ARTIST)
    .where(_HEARD_ON_ALBUM)
    .correlate(Album)
    .scalar_subquery()
)
ALBUM = Query(
    select(
        *ALBUM_CARD[:5],
        Album.release_date,
        Album.label,
        Album.genres,
        Album.cover_key,
        Album.spotify_id,
        Album.musicbrainz_id,
        _TRACK_COUNT,
        _of_album(Album.duration_ms, _HEARD_MS.scalar_subquery()).label("duration_ms"),
        type_coerce(func.coalesce(_TRACKS_OF_ALBUM, literal_column("'[]'::json")), JSON).label("tracks"),
        Album.review_count.label("ratings__count"),
        _MEAN.label("ratings__mean"),
        Album.rating_counts.label("ratings__histogram"),
        Album.like_count,
        liked_by_viewer(Album.id).label("liked"),
        Album.created_at,
    )
    .join_from(Album, Artist)
    .where(Album.id == _id("album_id"), Album.merged_into_id.is_(None), known_to(Album)),
    into=AlbumDetails,
)
ALBUM_TRACKS = Query(
    select(
        Track.id,
        Track.title,
        *_ARTIST_REF,
        Track.disc,
        Track.position,
        Track.duration_ms,
        Track.like_count,
        _TRACK_LIKED.label("liked"),
    )
    .join_from(Track, Artist)
    .where(Track.album_id == _id("album_id"), Track.merged_into_id.is_(None), heard_by())
    .order_by(*_IN_ORDER),
    into=AlbumTrack,
)
_PLAYS = select(TrackPlays.play_count).where(TrackPlays.track_id == Track.id).scalar_subquery()
TRACK = Query(
    select(
        *TRACK_CARD,
        Track.disc,
        Track.position,
        TRACK_YEAR.label("year"),
        Track.genres,
        Track.isrc,
        Track.spotify_id,
        Track.musicbrainz_id,
        Track.popularity,
        _object(valence=Track.valence, energy=Track.energy, tempo=Track.tempo).label("features"),
        func.coalesce(_PLAYS, literal_column("0")).label("play_count"),
        Track.comment_count,
        _TRACK_LIKED.label("liked"),
        Track.created_at,
        Track.visibility,
        Track.audio_type,
        null().label("media_url"),
        *person_card(User, "owner__"),
    )
    .join_from(Track, Artist)
    .outerjoin(Album, Album.id == Track.album_id)
    .outerjoin(User, User.id == Track.owner_id)
    .where(Track.id == _id("track_id"), Track.merged_into_id.is_(None), heard_by()),
    into=TrackDetails,
)


def _place(table: Entity) -> Query[Place]:
    return Query(
        select(table.id, table.merged_into_id.label("kept_id")).where(table.id == _id("id"), known_to(table)),
        into=Place,
    )


PLACES: dict[Entity, Query[Place]] = {table: _place(table) for table in (Artist, Album, Track)}
"""Whether a row is there for the viewer, and what it was merged into."""


def _genres_of(table: type[Album] | type[Track]) -> Select[Any]:
    albums, tracks = (_literal(str(int(table is counted))) for counted in (Album, Track))
    names = select(func.unnest(table.genres).label("name"), albums.label("albums"), tracks.label("tracks"))
    shown = table.listed if table is Album else Track.visibility == "public"
    return names.where(table.merged_into_id.is_(None), shown)


_GENRES = union_all(_genres_of(Album), _genres_of(Track)).subquery()
_ALBUMS_SUM, _TRACKS_SUM = (cast(func.sum(column), Integer) for column in (_GENRES.c.albums, _GENRES.c.tracks))
GENRES = Query(
    select(_GENRES.c.name, _ALBUMS_SUM.label("album_count"), _TRACKS_SUM.label("track_count"))
    .group_by(_GENRES.c.name)
    .order_by(_ALBUMS_SUM.desc(), _TRACKS_SUM.desc(), _GENRES.c.name),
    into=GenreCount,
)
