"""Search among what can be heard: every word must begin a word of the name, of its artist or of its album.

No words at all ask for everything, part by part: so clients fetch a whole library.
"""

from functools import cache
from typing import Any, Literal

from sqlalchemy import ARRAY, ColumnElement, Integer, Select, Text, all_, bindparam, case, func, literal_column

from app.catalog.models import Album, Artist, Track
from app.compat.subsonic import entries
from app.compat.subsonic.answers import Body
from app.compat.subsonic.calls import Asked, reads
from app.compat.subsonic.library import albums, artists, ranked, ranked_songs, track_ids
from app.compat.subsonic.lists import window
from app.compat.subsonic.schemas import AlbumRow, ArtistRow, SongRow
from app.core.query import Query
from app.core.text import search_words

__all__: list[str] = []

What = Literal["artist", "album", "song"]
Rows = Query[SongRow] | Query[AlbumRow] | Query[ArtistRow]
_WORDS = bindparam("patterns", type_=ARRAY(Text))
_SPACE: Any = literal_column("' '")


@reads("search3")
async def search_3(asked: Asked) -> Body:
    """Artists, albums and songs by their tags."""
    told = {"artist": entries.artist, "album": entries.album, "song": entries.song}
    return {"searchResult3": {what: await _found(asked, what, tell) for what, tell in told.items()}}


@reads("search2")
async def search_2(asked: Asked) -> Body:
    """The same as folders."""
    told = {"artist": entries.artist_child, "album": entries.album_child, "song": entries.song}
    return {"searchResult2": {what: await _found(asked, what, tell) for what, tell in told.items()}}


async def _found(asked: Asked, what: Any, tell: Any) -> list[dict[str, Any]]:
    place = window(asked, f"{what}Count", f"{what}Offset", usual=20)
    if place["last"] < place["first"]:
        return []
    words = search_words(asked.given.text("query").replace('"', " "))
    query: Any = _matching(what, everything=not words)
    patterns = {"patterns": [f"% {_escaped(word)}%" for word in words]} if words else {}
    return [tell(row) for row in await query.all(asked.db, viewer=asked.viewer, **patterns, **place)]


@cache
def _matching(what: What, *, everything: bool) -> Rows:
    """A part of what has the words, or of everything."""
    if what == "song":
        return Query(ranked_songs(*_song_ids(everything)), into=SongRow)
    if what == "album":
        (rows, shelf), key = albums(), Album.title_key
        order = _order(rows, everything, func.coalesce(shelf.c.album_id, shelf.c.single_of), key, Artist.name_key)
        return Query(ranked(order[0], "album", *order[1:]), into=AlbumRow)
    order = _order(artists(), everything, Artist.id, Artist.name_key)
    return Query(ranked(order[0], "artist", *order[1:]), into=ArtistRow)


def _song_ids(everything: bool) -> tuple[Any, ...]:
    ids = track_ids()
    if not everything:
        ids = ids.join(Artist, Artist.id == Track.artist_id)
    return _order(ids, everything, Track.id, Track.title_key, Artist.name_key, Album.title_key)


def _order(rows: Select[Any], everything: bool, key: Any, name: Any, *around: Any) -> tuple[Any, ...]:
    """The rows that have the words, and their order: those whose own name has all of them come first."""
    if everything:
        return rows, key
    own = case((_has(_text(name)), literal_column("0", Integer)), else_=literal_column("1"))
    return rows.where(_has(_text(name, *around))), own, name, key


def _text(*names: Any) -> Any:
    text = _SPACE
    for name in names:
        text = text.op("||")(func.coalesce(name, "")).op("||")(_SPACE)
    return text


def _has(text: Any) -> ColumnElement[bool]:
    return text.op("LIKE", is_comparison=True)(all_(_WORDS))  # type: ignore[no-any-return]


def _escaped(word: str) -> str:
    """Names of signs alone may hold what LIKE takes for more than itself."""
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
