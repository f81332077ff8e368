"""Finds the tracks that others describe: by their ids, else by what they are called and how long they are."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from app.core.query import Runs
from app.core.text import name_key

__all__ = ["TOLERANCE_MS", "Description", "match_tracks"]

TOLERANCE_MS = 5000
"""Two pressings of a recording differ by this much in length; another recording mostly by more."""

_BY_IDS = """
SELECT 'track_id' AS kind, id::text AS value, coalesce(merged_into_id, id) AS id FROM tracks WHERE id = ANY($1)
UNION ALL
SELECT 'isrc', isrc, coalesce(merged_into_id, id) FROM tracks WHERE isrc = ANY($2)
UNION ALL
SELECT 'musicbrainz_id', musicbrainz_id::text, coalesce(merged_into_id, id) FROM tracks WHERE musicbrainz_id = ANY($3)
UNION ALL
SELECT 'spotify_id', spotify_id, coalesce(merged_into_id, id) FROM tracks WHERE spotify_id = ANY($4)
"""
_KINDS = ("track_id", "isrc", "musicbrainz_id", "spotify_id")
"""The order of trust: ours first, then what names a recording, then what names one at a shop."""

_BY_NAMES = """
SELECT wanted.n, track.id, track.duration_ms, album.title_key AS album_key, track.like_count
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS wanted(artist_key, title_key, n)
JOIN artists AS artist ON artist.name_key = wanted.artist_key
JOIN tracks AS track ON track.artist_id = coalesce(artist.merged_into_id, artist.id)
    AND track.title_key = wanted.title_key
    AND track.merged_into_id IS NULL
LEFT JOIN albums AS album ON album.id = track.album_id
"""

_GUESTS = re.compile(r"\s*[(\[]?\b(?:feat\.?|ft\.?|featuring)\s.*$", re.IGNORECASE)
_OTHERS = re.compile(r"\s*(?:[,;/]|\s&\s|\s(?:x|vs\.?|with|and)\s).*$", re.IGNORECASE)
_PRESSING = (
    r"(?:(?:\d{4}\s+)?(?:digital\s+)?remaster(?:ed)?(?:\s+(?:version|\d{4}))*|mono|stereo|explicit|album version)"
)
_EDITION = re.compile(rf"\s*(?:-\s+{_PRESSING}|[(\[]{_PRESSING}[)\]])\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Description:
    """A track in the words of somebody else. Empty texts and None are what they do not say."""

    title: str = ""
    artist: str = ""
    album: str = ""
    duration_ms: int | None = None
    isrc: str | None = None
    spotify_id: str | None = None
    musicbrainz_id: UUID | None = None
    track_id: UUID | None = None


class _Candidate(NamedTuple):
    """A track of the right name; the smallest is the best."""

    way: int
    other_album: bool
    apart: int
    likes: int
    id: UUID


async def match_tracks(db: Runs, described: Sequence[Description]) -> list[UUID | None]:
    """The id of the track that each description means, or None, in two statements for all of them."""
    known = await _by_ids(db, described)
    found = [_first(known, it) for it in described]
    unknown = [place for place, track_id in enumerate(found) if track_id is None]
    named = await _by_names(db, [described[place] for place in unknown])
    for place, track_id in zip(unknown, named, strict=True):
        found[place] = track_id
    return found


def _first(known: Mapping[tuple[str, str], UUID], described: Description) -> UUID | None:
    given = ((kind, getattr(described, kind)) for kind in _KINDS)
    return next((known[kind, str(value)] for kind, value in given if value and (kind, str(value)) in known), None)


async def _by_ids(db: Runs, described: Sequence[Description]) -> dict[tuple[str, str], UUID]:
    wanted = [list({value for it in described if (value := getattr(it, kind))}) for kind in _KINDS]
    if not any(wanted):
        return {}
    return {(row["kind"], row["value"]): row["id"] for row in await db.records(_BY_IDS, wanted)}


async def _by_names(db: Runs, described: Sequence[Description]) -> list[UUID | None]:
    ways = [_ways(it.artist, it.title) for it in described]
    pairs = list(dict.fromkeys(pair for each in ways for pair in each))
    if not pairs:
        return [None] * len(described)
    rows: dict[tuple[str, str], list[Any]] = {}
    for row in await db.records(_BY_NAMES, [[artist for artist, _ in pairs], [title for _, title in pairs]]):
        rows.setdefault(pairs[row["n"] - 1], []).append(row)
    return [_best(it, each, rows) for it, each in zip(described, ways, strict=True)]


def _best(
    described: Description, ways: Sequence[tuple[str, str]], rows: Mapping[tuple[str, str], Sequence[Any]]
) -> UUID | None:
    album = name_key(described.album) if described.album else None
    candidates = (
        _Candidate(way, album is not None and row["album_key"] != album, apart, -row["like_count"], row["id"])
        for way, pair in enumerate(ways)
        for row in rows.get(pair, ())
        if (apart := _apart(described.duration_ms, row["duration_ms"])) <= TOLERANCE_MS
    )
    best = min(candidates, default=None)
    return best.id if best else None


def _apart(one: int | None, other: int | None) -> int:
    """How far apart two lengths are; one that is unknown may just fit."""
    return TOLERANCE_MS if one is None or other is None else abs(one - other)


def _ways(artist: str, title: str) -> list[tuple[str, str]]:
    """The keys under which it may be known, the most literal first. Live and other versions are other tracks."""
    artists = _keys(artist, _GUESTS.sub("", artist), _OTHERS.sub("", artist))
    titles = _keys(title, _EDITION.sub("", _GUESTS.sub("", title)))
    return [(of, called) for called in titles for of in artists]


def _keys(*names: str) -> Iterable[str]:
    return [key for key in dict.fromkeys(map(_key, names)) if key]


@lru_cache(maxsize=4096)
def _key(name: str) -> str:
    """A file names the same artist again and again."""
    return name_key(name)
