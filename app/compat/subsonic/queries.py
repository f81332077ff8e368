"""The statements of browsing: a named one for each question that clients ask."""

from functools import cache
from typing import Any, Literal

from sqlalchemy import (
    ARRAY,
    Integer,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from app.catalog.models import Album, Artist, Track
from app.catalog.queries import TRACK_YEAR
from app.compat.subsonic.library import (
    ARTIST,
    GENRES,
    albums,
    artists,
    audible,
    marked,
    of_genre,
    ranked,
    ranked_songs,
    songs,
    track_ids,
)
from app.compat.subsonic.models import SubsonicRating, SubsonicStar
from app.compat.subsonic.schemas import AlbumRow, ArtistRow, GenreRow, SongRow
from app.core.query import Query
from app.library.models import Listen
from app.reactions.models import Like
from app.users.queries import VIEWER

__all__ = ["ALBUM", "ALBUMS_OF_ARTIST", "ALBUM_SONGS", "ARTISTS", "ARTIST_ROW", "GENRE_SONGS", "HEARD_GENRES", "SEEDS"]
__all__ += ["SONGS", "STARRED_ALBUMS", "STARRED_ARTISTS", "STARRED_SONGS", "TOP_SONGS", "AlbumOrder"]
__all__ += ["album_list", "random_songs", "similar_songs"]

AlbumOrder = Literal[
    "random",
    "newest",
    "highest",
    "frequent",
    "recent",
    "starred",
    "alphabeticalByName",
    "alphabeticalByArtist",
    "byYear",
    "byYearDown",
    "byGenre",
]
_ID: Any = bindparam("id", type_=Uuid)
_SINGLE = and_(Track.album_id.is_(None), Track.artist_id == _ID)
_IN_ORDER = (Track.disc, Track.position, Track.id)
_BY_NAME = (Album.title_key.asc().nulls_last(), Artist.name_key)


def _songs(rows: Select[Any]) -> Query[SongRow]:
    return Query(marked(rows, "track"), into=SongRow)


def _literal(sql: int) -> Any:
    return literal_column(str(sql))


SONGS = _songs(songs(Track.id == any_(bindparam("ids", type_=ARRAY(Uuid)))))
"""Songs by their ids, in no order."""
ALBUM_SONGS = _songs(songs(or_(Track.album_id == _ID, _SINGLE)).order_by(*_IN_ORDER))
"""Of an album, or of an artist's shelf of single tracks: their ids never meet."""
ALBUM = Query(marked(albums(of_tracks=(or_(Track.album_id == _ID, _SINGLE),))[0], "album"), into=AlbumRow)

_GUEST, _ON, _ALONE = aliased(Track), aliased(Track), aliased(Track)
_ALBUMS: Any = union_all(
    select(Album.id).where(Album.artist_id == _ID),
    select(_GUEST.album_id).where(_GUEST.artist_id == _ID, _GUEST.album_id.is_not(None)),
)
# by their ids: two conditions with OR between would be asked of every track there is
_WORKS = Track.id.in_(
    union_all(
        select(_ON.id).where(_ON.album_id.in_(_ALBUMS)),
        select(_ALONE.id).where(_ALONE.album_id.is_(None), _ALONE.artist_id == _ID),
    )
)
_OWN_FIRST = (Album.year.desc().nulls_last(), Album.title_key)
ALBUMS_OF_ARTIST = Query(marked(albums(of_tracks=(_WORKS,))[0].order_by(*_OWN_FIRST), "album"), into=AlbumRow)
"""Those of an artist, and those of others on which they are heard."""
_NOT_COUNTED = (_literal(0).label("album_count"), Artist.created_at.label("changed_at"))
ARTIST_ROW = Query(marked(select(*ARTIST, *_NOT_COUNTED).where(Artist.id == _ID), "artist"), into=ArtistRow)
"""One artist, whose albums are counted by those who list them."""
ARTISTS = Query(marked(artists().order_by(Artist.name_key, Artist.id), "artist"), into=ArtistRow)

_LIKED_ALBUM = and_(Like.album_id == Album.id, Like.user_id == VIEWER)
_LIKED_TRACK = and_(Like.track_id == Track.id, Like.user_id == VIEWER)
_STARRED = and_(SubsonicStar.artist_id == Artist.id, SubsonicStar.user_id == VIEWER)
STARRED_SONGS = _songs(songs().join(Like, _LIKED_TRACK).order_by(Like.id.desc()))
STARRED_ALBUMS = Query(
    marked(
        albums(
            of_tracks=(
                Track.album_id.in_(select(Like.album_id).where(Like.user_id == VIEWER, Like.album_id.is_not(None))),
            )
        )[0]
        .join(Like, _LIKED_ALBUM)
        .order_by(Like.id.desc()),
        "album",
    ),
    into=AlbumRow,
)
STARRED_ARTISTS = Query(
    marked(artists().join(SubsonicStar, _STARRED).order_by(SubsonicStar.created_at.desc()), "artist"), into=ArtistRow
)

_GENRE = func.unnest(GENRES).table_valued(column("name", Text), joins_implicitly=True).render_derived(name="genre")
_OF_ALBUMS = (
    select(_GENRE.c.name, Track.album_id, func.count().label("songs"))
    .select_from(Track)
    .outerjoin(Album, Album.id == Track.album_id)
    .join(_GENRE, literal_column("true"))
    .where(audible())
    .group_by(_GENRE.c.name, Track.album_id)
    .subquery("of_albums")
)
HEARD_GENRES = Query(
    select(
        _OF_ALBUMS.c.name,
        cast(func.sum(_OF_ALBUMS.c.songs), Integer).label("song_count"),
        cast(func.count(_OF_ALBUMS.c.album_id), Integer).label("album_count"),
    )
    .group_by(_OF_ALBUMS.c.name)
    .order_by(_OF_ALBUMS.c.name),
    into=GenreRow,
)
_BY_ARTIST = track_ids(of_genre()).join(Artist, Artist.id == Track.artist_id)
GENRE_SONGS = Query(ranked_songs(_BY_ARTIST, Artist.name_key, Album.title_key, *_IN_ORDER), into=SongRow)
_NAMED = bindparam("name_key", type_=Text)
TOP_SONGS = _songs(
    songs(Artist.name_key == _NAMED)
    .order_by(Track.like_count.desc(), Track.popularity.desc().nulls_last(), Track.id)
    .limit(_literal(500))
)
"""What of an artist is liked most."""

SEEDS = _songs(songs(or_(Track.id == _ID, Track.album_id == _ID, Track.artist_id == _ID)).limit(_literal(20)))
"""What somebody wants to hear more like: a song, or some of an album or an artist."""

_FILTERS = {
    "genre": of_genre(),
    "year_from": bindparam("year_from", type_=Integer) <= TRACK_YEAR,
    "year_to": bindparam("year_to", type_=Integer) >= TRACK_YEAR,
}
_YEARS = (Album.year >= bindparam("year_from", type_=Integer), Album.year <= bindparam("year_to", type_=Integer))


@cache
def random_songs(filters: frozenset[str], limit: int) -> Query[SongRow]:
    """Songs by chance, held to the named filters."""
    return _by_chance(track_ids(*(_FILTERS[name] for name in sorted(filters))), limit)


@cache
def similar_songs(limit: int) -> Query[SongRow]:
    """By chance, of the artist of a thing or of one of its genres."""
    genres = bindparam("genres", type_=ARRAY(Text))
    near = or_(Track.artist_id == bindparam("artist_id", type_=Uuid), GENRES.op("&&", is_comparison=True)(genres))
    return _by_chance(track_ids(near), limit)


def _by_chance(ids: Select[Any], limit: int) -> Query[SongRow]:
    picked = ids.order_by(func.random()).limit(_literal(limit)).subquery("picked")
    return _songs(songs().join(picked, picked.c.id == Track.id))


def _heard_albums() -> Any:
    return (
        select(Track.album_id, func.count().label("times"), func.max(Listen.listened_at).label("last"))
        .join_from(Listen, Track, Track.id == Listen.track_id)
        .where(Listen.user_id == VIEWER, Track.album_id.is_not(None))
        .group_by(Track.album_id)
        .subquery("heard")
    )


@cache
def album_list(order: AlbumOrder) -> Query[AlbumRow]:
    """A part of the albums in an order that clients know by name."""
    if order in {"frequent", "recent"}:
        return _by_listens(order)
    if order == "starred":
        rows, _ = albums()
        return _ranked_albums(rows.join(Like, _LIKED_ALBUM), Like.id.desc())
    if order == "highest":
        return _by_rating()
    return _plain(order)


def _plain(order: AlbumOrder) -> Query[AlbumRow]:
    years = _YEARS if order in {"byYear", "byYearDown"} else ()
    tracks = (Track.id.in_(_of_genre_ids()),) if order == "byGenre" else ()
    rows, shelf = albums(*years, of_tracks=tracks)
    key = func.coalesce(shelf.c.album_id, shelf.c.single_of)
    orders: dict[str, tuple[Any, ...]] = {
        "random": (func.random(),),
        "newest": (shelf.c.created_at.desc(), key),
        "alphabeticalByName": (*_BY_NAME, key),
        "alphabeticalByArtist": (Artist.name_key, Album.year, Album.title_key, key),
        "byYear": (Album.year, Album.title_key, key),
        "byYearDown": (Album.year.desc(), Album.title_key, key),
        "byGenre": (*_BY_NAME, key),
    }
    return _ranked_albums(rows, *orders[order])


def _of_genre_ids() -> Any:
    """Tracks of a genre: an album of which one is heard is of it too."""
    other = aliased(Track)
    genres = func.coalesce(func.nullif(other.genres, literal_column("'{}'::text[]")), Album.genres)
    return select(other.id).outerjoin(Album, Album.id == other.album_id).where(of_genre(genres))


def _by_listens(order: AlbumOrder) -> Query[AlbumRow]:
    rows, shelf = albums()
    heard = _heard_albums()
    first = heard.c.times if order == "frequent" else heard.c.last
    return _ranked_albums(rows.join(heard, heard.c.album_id == shelf.c.album_id), first.desc(), heard.c.album_id)


def _by_rating() -> Query[AlbumRow]:
    """By one's own stars, then by what everybody thinks."""
    rows, shelf = albums()
    own = and_(SubsonicRating.album_id == shelf.c.album_id, SubsonicRating.user_id == VIEWER)
    rated = rows.outerjoin(SubsonicRating, own).where(or_(SubsonicRating.rating.is_not(None), Album.review_count > 0))
    mean = Album.rating_sum / func.nullif(Album.review_count, 0) / 2
    return _ranked_albums(rated, func.coalesce(SubsonicRating.rating, mean).desc(), shelf.c.album_id)


def _ranked_albums(rows: Select[Any], *order: Any) -> Query[AlbumRow]:
    return Query(ranked(rows, "album", *order), into=AlbumRow)
