"""The words of songs, as the tags of recordings have them: plain, or each line with its time (LRC)."""

import re
from typing import Any

from sqlalchemy import Select, Text, Uuid, bindparam, literal_column, select

from app.catalog.models import Artist, Track
from app.compat.subsonic.answers import Body
from app.compat.subsonic.calls import Asked, reads
from app.compat.subsonic.library import audible
from app.compat.subsonic.schemas import LyricsRow
from app.core.errors import NotFound
from app.core.query import Query
from app.core.text import name_key
from app.uploads.models import Upload

__all__ = ["structured"]

_TIME = re.compile(r"\[(\d{1,3}):(\d{1,2})(?:[.:](\d{1,3}))?\]")
_TIMED = re.compile(rf"((?:{_TIME.pattern}\s*)+)(.*)")
_SAID = re.compile(r"\[[a-z]+:.*\]", re.IGNORECASE)
_OFFSET = re.compile(r"^\[offset:\s*([+-]?\d{1,6})\s*\]$", re.IGNORECASE | re.MULTILINE)
_WORDS = Upload.tags["lyrics"].astext


def _lyrics(*where: Any) -> Query[LyricsRow]:
    rows: Select[Any] = select(Track.title, Artist.name.label("artist"), _WORDS.label("lyrics"))
    joined = rows.select_from(Track).join(Artist, Artist.id == Track.artist_id)
    with_files = joined.outerjoin(Upload, Upload.track_id == Track.id)
    return Query(with_files.where(audible(), *where).limit(literal_column("1")), into=LyricsRow)


OF_SONG = _lyrics(Track.id == bindparam("id", type_=Uuid))
BY_NAME = _lyrics(
    Artist.name_key == bindparam("artist", type_=Text),
    Track.title_key == bindparam("title", type_=Text),
    _WORDS.is_not(None),
)


@reads("getLyricsBySongId")
async def get_lyrics_by_song_id(asked: Asked) -> Body:
    """The words of a song, line by line."""
    found = await OF_SONG.first(asked.db, id=asked.given.id(), viewer=asked.viewer)
    if found is None:
        raise NotFound("There is no such song, or you may not hear it.")
    told = {"displayArtist": found.artist, "displayTitle": found.title, "lang": "xxx"}
    return {"lyricsList": {"structuredLyrics": [{**told, **structured(found.lyrics)}] if found.lyrics else []}}


@reads("getLyrics")
async def get_lyrics(asked: Asked) -> Body:
    """The words of a song by its names, without times."""
    names = {name: name_key(asked.given.text(name)) for name in ("artist", "title")}
    found = await BY_NAME.first(asked.db, viewer=asked.viewer, **names) if all(names.values()) else None
    if found is None:
        return {"lyrics": {}}
    lines = structured(found.lyrics or "")["line"]
    words = "\n".join(line["value"] for line in lines)
    return {"lyrics": {"artist": found.artist, "title": found.title, "value": words}}


def structured(text: str) -> dict[str, Any]:
    """Lines with their beginnings in milliseconds where the text has times, else as they are.

    A line that is sung several times has several times before it.
    """
    timed = [line for written in text.splitlines() for line in _timed(written.strip())]
    if not timed:
        return {"synced": False, "line": [{"value": line} for line in text.splitlines()]}
    lines = [{"start": start, "value": words} for start, words in sorted(timed, key=lambda line: line[0])]
    shift = _OFFSET.search(text)
    return {"synced": True, "offset": int(shift[1]) if shift else 0, "line": lines}


def _timed(written: str) -> list[tuple[int, str]]:
    found = _TIMED.fullmatch(written)
    if found is None or _SAID.fullmatch(written):
        return []
    words = found[found.lastindex or 0]
    return [(_milliseconds(*time.groups()), words) for time in _TIME.finditer(found[1])]


def _milliseconds(minutes: str, seconds: str, fraction: str | None) -> int:
    return (int(minutes) * 60 + int(seconds)) * 1000 + int((fraction or "0").ljust(3, "0"))
