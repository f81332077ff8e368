"""Finds the tracks that others describe: by their ids, else by what they are called and how long they are."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Select,
    Text,
    any_,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    select,
    true,
    union_all,
)

from app.catalog.hearing import heard_by
from app.catalog.models import Album, Artist, Track
from app.catalog.schemas import Identified, Namesake
from app.core.auth import Principal
from app.core.query import Query, Runs
from app.core.text import name_key

__all__ = ["TOLERANCE_MS", "Description", "match_tracks"]

TOLERANCE_MS = 5000
"""Two pressings of a recording differ by this much in length; another recording mostly by more."""

_KINDS = ("id", "isrc", "musicbrainz_id", "spotify_id")
"""The order of trust: ours first, then what names a recording, then what names one at a shop."""


def _known_by(kind: str) -> Select[*tuple[Any, ...]]:
    """A duplicate stands for the one that stays. Chosen by an index; who may hear it is asked of what was found."""
    mine: Any = getattr(Track, kind)
    kept = func.coalesce(Track.merged_into_id, Track.id)
    return select(literal_column(f"'{kind}'").label("kind"), cast(mine, Text).label("value"), kept.label("id")).where(
        mine == any_(bindparam(f"{kind}s", type_=ARRAY(mine.type)))
    )


_FOUND = union_all(*map(_known_by, _KINDS)).subquery("found")
_BY_IDS = Query(
    select(_FOUND.c.kind, _FOUND.c.value, _FOUND.c.id).join(Track, Track.id == _FOUND.c.id).where(heard_by()),
    into=Identified,
)
_WANTED = (
    func.unnest(bindparam("artist_keys", type_=ARRAY(Text)), bindparam("title_keys", type_=ARRAY(Text)))
    .table_valued(column("artist_key", Text), column("title_key", Text), with_ordinality="number")
    .render_derived(name="wanted")
)
# OFFSET 0 has each artist looked up, then their track: joined by the title alone, everybody's "Intro" would come first
_ARTIST = (
    select(func.coalesce(Artist.merged_into_id, Artist.id).label("id"))
    .where(Artist.name_key == _WANTED.c.artist_key)
    .offset(literal_column("0"))
    .lateral("artist")
)
_TRACK = (
    select(Track.id, Track.duration_ms, Track.album_id, Track.like_count, Track.owner_id.is_not(None).label("uploaded"))
    .where(
        Track.artist_id == _ARTIST.c.id,
        Track.title_key == _WANTED.c.title_key,
        Track.merged_into_id.is_(None),
        heard_by(),
    )
    .offset(literal_column("0"))
    .lateral("track")
)
_BY_NAMES = Query(
    select(
        cast(_WANTED.c.number, BigInteger).label("number"),
        _TRACK.c.id,
        _TRACK.c.duration_ms,
        Album.title_key.label("album_key"),
        _TRACK.c.like_count,
        _TRACK.c.uploaded,
    )
    .select_from(_WANTED)
    .join(_ARTIST, true())
    .join(_TRACK, true())
    .outerjoin(Album, Album.id == _TRACK.c.album_id),
    into=Namesake,
)

_GUESTS = re.compile(r"\s*[(\[]?\b(?:feat\.?|ft\.?|featuring)\s.*$", re.IGNORECASE)
_OTHERS = re.compile(r"\s*(?:[,;/]|\s&\s|\s(?:x|vs\.?|with|and)\s).*$", re.IGNORECASE)
_REMASTER = r"(?:\d{4}\s+)?(?:digital\s+)?remaster(?:ed)?(?:\s+(?:version|\d{4}))*"
_PRESSING = rf"(?:{_REMASTER}|mono|stereo|explicit|album version)"
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
    uploaded: bool
    other_album: bool
    apart: int
    likes: int
    id: UUID


async def match_tracks(db: Runs, actor: Principal | None, described: Sequence[Description]) -> list[UUID | None]:
    """The id of the track that each description means, if the actor may hear it, in two statements for all of them."""
    viewer = actor.user_id if actor else None
    known = await _by_ids(db, viewer, described)
    found = [_first(known, it) for it in described]
    unknown = [place for place, track_id in enumerate(found) if track_id is None]
    named = await _by_names(db, viewer, [described[place] for place in unknown])
    for place, track_id in zip(unknown, named, strict=True):
        found[place] = track_id
    return found


def _ids(described: Description) -> dict[str, Any]:
    values = (described.track_id, described.isrc, described.musicbrainz_id, described.spotify_id)
    return {kind: value for kind, value in zip(_KINDS, values, strict=True) if value}


def _first(known: Mapping[tuple[str, str], UUID], described: Description) -> UUID | None:
    pairs = ((kind, str(value)) for kind, value in _ids(described).items())
    return next((known[pair] for pair in pairs if pair in known), None)


async def _by_ids(db: Runs, viewer: UUID | None, described: Sequence[Description]) -> dict[tuple[str, str], UUID]:
    wanted: dict[str, set[Any]] = {kind: set() for kind in _KINDS}
    for it in described:
        for kind, value in _ids(it).items():
            wanted[kind].add(value)
    if not any(wanted.values()):
        return {}
    rows = await _BY_IDS.all(db, viewer=viewer, **{f"{kind}s": list(values) for kind, values in wanted.items()})
    return {(row.kind, row.value): row.id for row in rows}


async def _by_names(db: Runs, viewer: UUID | None, described: Sequence[Description]) -> list[UUID | None]:
    ways = await asyncio.to_thread(lambda: [_ways(it.artist, it.title) for it in described])
    pairs = list(dict.fromkeys(pair for each in ways for pair in each))
    if not pairs:
        return [None] * len(described)
    keys = {"artist_keys": [artist for artist, _ in pairs], "title_keys": [title for _, title in pairs]}
    named: dict[tuple[str, str], list[Namesake]] = {}
    for row in await _BY_NAMES.all(db, viewer=viewer, **keys):
        named.setdefault(pairs[row.number - 1], []).append(row)
    return [_best(it, each, named) for it, each in zip(described, ways, strict=True)]


def _best(
    described: Description,
    ways: Sequence[tuple[str, str]],
    named: Mapping[tuple[str, str], Sequence[Namesake]],
) -> UUID | None:
    album = _key(described.album) if described.album else None
    candidates = (
        _Candidate(way, row.uploaded, album is not None and row.album_key != album, apart, -row.like_count, row.id)
        for way, pair in enumerate(ways)
        for row in named.get(pair, ())
        if (apart := _apart(described.duration_ms, row.duration_ms)) <= TOLERANCE_MS
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


def _keys(*names: str) -> list[str]:
    return [key for key in dict.fromkeys(map(_key, names)) if key]


@lru_cache(maxsize=4096)
def _key(name: str) -> str:
    """A file names the same artist again and again."""
    return name_key(name)
