"""Lists of albums and songs: by name, by year, by chance, by what one likes and hears."""

from typing import Any, get_args

from app.compat.subsonic import entries
from app.compat.subsonic.answers import Body
from app.compat.subsonic.calls import Asked, reads
from app.compat.subsonic.errors import Code, SubsonicError
from app.compat.subsonic.queries import (
    GENRE_SONGS,
    SEEDS,
    STARRED_ALBUMS,
    STARRED_ARTISTS,
    STARRED_SONGS,
    TOP_SONGS,
    AlbumOrder,
    album_list,
    random_songs,
    similar_songs,
)
from app.compat.subsonic.schemas import AlbumRow, SongRow
from app.core.text import name_key

__all__ = ["window"]

MOST = 500
MOST_OFFSET = 10_000_000
_LAST_YEAR = 9_999


@reads("getAlbumList2")
async def get_album_list_2(asked: Asked) -> Body:
    """Albums in an order."""
    return {"albumList2": {"album": [entries.album(row) for row in await _albums(asked)]}}


@reads("getAlbumList")
async def get_album_list(asked: Asked) -> Body:
    """The same as folders."""
    return {"albumList": {"album": [entries.album_child(row) for row in await _albums(asked)]}}


@reads("getRandomSongs")
async def get_random_songs(asked: Asked) -> Body:
    """Songs by chance, of a genre or some years if wanted."""
    given = asked.given
    wanted = {
        "genre": given.text("genre").strip().casefold() or None,
        "year_from": given.maybe_number("fromYear", most=_LAST_YEAR),
        "year_to": given.maybe_number("toYear", most=_LAST_YEAR),
    }
    filters: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
    size = given.number("size", 10, most=MOST)
    rows = await random_songs(frozenset(filters), _steps(size)).all(asked.db, viewer=asked.viewer, **filters)
    return {"randomSongs": {"song": _told(rows[:size])}}


@reads("getSongsByGenre")
async def get_songs_by_genre(asked: Asked) -> Body:
    """The songs of a genre."""
    genre = asked.given.needed("genre").strip().casefold()
    place = window(asked, "count", "offset", usual=10)
    return {"songsByGenre": {"song": _told(await GENRE_SONGS.all(asked.db, viewer=asked.viewer, genre=genre, **place))}}


@reads("getStarred2")
async def get_starred_2(asked: Asked) -> Body:
    """What one has starred, the last first."""
    told = {"artist": entries.artist, "album": entries.album}
    return {"starred2": await _starred(asked, told)}


@reads("getStarred")
async def get_starred(asked: Asked) -> Body:
    """The same as folders."""
    told = {"artist": entries.artist_child, "album": entries.album_child}
    return {"starred": await _starred(asked, told)}


@reads("getTopSongs")
async def get_top_songs(asked: Asked) -> Body:
    """What of an artist is liked most."""
    count = asked.given.number("count", 50, most=MOST)
    key = name_key(asked.given.needed("artist"))
    rows = await TOP_SONGS.all(asked.db, viewer=asked.viewer, name_key=key)
    return {"topSongs": {"song": _told(rows[:count])}}


@reads("getSimilarSongs")
async def get_similar_songs(asked: Asked) -> Body:
    """Songs of the same artist or genre, by chance."""
    return {"similarSongs": {"song": _told(await _similar(asked))}}


@reads("getSimilarSongs2")
async def get_similar_songs_2(asked: Asked) -> Body:
    """Songs of the same artist or genre, by chance."""
    return {"similarSongs2": {"song": _told(await _similar(asked))}}


def window(asked: Asked, count: str, offset: str, *, usual: int) -> dict[str, int]:
    """The places in a list that are asked for."""
    first = asked.given.number(offset, 0, most=MOST_OFFSET)
    return {"first": first + 1, "last": first + asked.given.number(count, usual, most=MOST)}


async def _albums(asked: Asked) -> list[AlbumRow]:
    order, more = _order(asked)
    place = window(asked, "size", "offset", usual=10)
    return await album_list(order).all(asked.db, viewer=asked.viewer, **place, **more)


def _order(asked: Asked) -> tuple[AlbumOrder, dict[str, Any]]:
    """The order and what it is held to. Raises SubsonicError for one that nobody knows."""
    given = asked.given
    kind: Any = given.needed("type")
    if kind not in get_args(AlbumOrder) or kind == "byYearDown":
        raise SubsonicError(Code.GENERIC, f"There is no list of the type '{kind[:40]}'.")
    if kind == "byGenre":
        return kind, {"genre": given.needed("genre").strip().casefold()}
    if kind != "byYear":
        return kind, {}
    given.needed("fromYear")
    given.needed("toYear")
    first, last = (given.number(name, 0, most=_LAST_YEAR) for name in ("fromYear", "toYear"))
    years = {"year_from": min(first, last), "year_to": max(first, last)}
    return ("byYear" if first <= last else "byYearDown"), years


async def _starred(asked: Asked, told: dict[str, Any]) -> dict[str, Any]:
    artists = await STARRED_ARTISTS.all(asked.db, viewer=asked.viewer)
    albums = await STARRED_ALBUMS.all(asked.db, viewer=asked.viewer)
    songs = await STARRED_SONGS.all(asked.db, viewer=asked.viewer)
    return {
        "artist": [told["artist"](row) for row in artists],
        "album": [told["album"](row) for row in albums],
        "song": _told(songs),
    }


async def _similar(asked: Asked) -> list[SongRow]:
    """To a song, or to what is on an album or by an artist."""
    count = asked.given.number("count", 50, most=MOST)
    seeds = await SEEDS.all(asked.db, id=asked.given.id(), viewer=asked.viewer)
    if not seeds:
        return []
    near = {"artist_id": seeds[0].artist_id, "genres": sorted({genre for seed in seeds for genre in seed.genres})}
    rows = await similar_songs(_steps(count)).all(asked.db, viewer=asked.viewer, **near)
    return rows[:count]


def _steps(count: int) -> int:
    """Few limits make few statements."""
    return next(step for step in (10, 50, 100, MOST) if count <= step)


def _told(rows: list[SongRow]) -> list[dict[str, Any]]:
    return [entries.song(row) for row in rows]
