"""What a smart playlist has at this moment."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import UUID

import asyncpg
from sqlalchemy import ARRAY, Uuid, any_, bindparam, select

from app.core.auth import Principal
from app.core.paging import Page, PageRequest
from app.core.query import Query, Runs
from app.core.schemas import Output
from app.playlists.models import Playlist
from app.playlists.rules import Rules, check_rules, compile_rules
from app.playlists.schemas import EntryItem, EntryTrack, PlaylistItem, PreviewedTracks, SavedEntry

__all__ = ["Choice", "chosen_entries", "chosen_page", "chosen_tracks", "counted", "preview", "totals"]

MOST_COUNTED: Final = 20
"""Smart playlists of a list that are counted anew. Each costs a look at the catalogue, and few people have so many."""

# every value is a parameter of the compiled rules
_CARDS = """
    WITH chosen AS ({}) SELECT chosen.place, t.id, t.title, ar.id AS artist_id, ar.name AS artist, al.id AS album_id,
        al.title AS album, al.year, al.cover_key, t.duration_ms, t.isrc, t.musicbrainz_id, t.spotify_id, t.created_at
    FROM chosen JOIN tracks t ON t.id = chosen.id JOIN artists ar ON ar.id = t.artist_id
    LEFT JOIN albums al ON al.id = t.album_id WHERE chosen.place > {} ORDER BY chosen.place LIMIT {}"""
_TOTALS = """
    WITH chosen AS ({}) SELECT count(*) AS track_count, coalesce(sum(t.duration_ms), 0)::bigint AS duration_ms
    FROM chosen JOIN tracks t ON t.id = chosen.id"""
_COUNTS = """
    WITH chosen AS ({}) SELECT chosen.number, count(*) AS track_count,
        coalesce(sum(t.duration_ms), 0)::bigint AS duration_ms
    FROM chosen JOIN tracks t ON t.id = chosen.id GROUP BY chosen.number"""
_PLACEHOLDER = re.compile(r"\$(\d+)")
P = TypeVar("P", bound=PlaylistItem)


class _Ruled(Output):
    """A smart playlist that is to be read with others."""

    id: UUID
    owner_id: UUID | None
    rules: dict[str, Any]


_RULED = Query(
    select(Playlist.id, Playlist.owner_id, Playlist.rules).where(
        Playlist.id == any_(bindparam("ids", type_=ARRAY(Uuid))), Playlist.rules.is_not(None)
    ),
    into=_Ruled,
)


@dataclass(frozen=True, slots=True)
class Choice:
    """Rules that were checked, of whom they speak, and who reads what they choose."""

    rules: dict[str, Any]
    owner_id: UUID | None
    viewer: UUID | None


async def chosen_page(db: Runs, choice: Choice, page: PageRequest) -> Page[EntryItem]:
    """A page of what the rules choose. The ids of the entries are those of the tracks."""
    keys = page.keys(1)
    rows = await _choose(db, choice, after=int(keys[0]) if keys else 0, most=page.limit + 1)
    more = len(rows) > page.limit
    rows = rows[: page.limit]
    items = [_item(row) for row in rows]
    return page.page(items, next_keys=[rows[-1]["place"]] if more else None, kind=Page[EntryItem])


async def chosen_entries(db: Runs, choice: Choice) -> list[SavedEntry]:
    """All that the rules choose, 500 at most."""
    return [_saved(row) for row in await _choose(db, choice)]


async def preview(db: Runs, actor: Principal, rules: Rules) -> PreviewedTracks:
    """What a playlist of the actor's would have by these rules. Raises Invalid."""
    rows = await _choose(db, Choice(check_rules(rules), actor.user_id, actor.user_id))
    return PreviewedTracks(items=[_track(row) for row in rows[:50]], track_count=len(rows))


async def totals(db: Runs, choice: Choice) -> dict[str, int]:
    """How many tracks the rules choose, and how long they are."""
    sql, values = compile_rules(choice.rules, choice.owner_id, choice.viewer)
    return dict((await db.records(_TOTALS.format(sql), values))[0])


async def counted(db: Runs, items: Sequence[P], viewer: UUID) -> list[P]:
    """Playlists that the viewer sees in a list, the first smart ones of them with what they have for them now."""
    smart = await _smart_of(db, items)
    if not smart:
        return list(items)
    sql, values = _all_of(smart, viewer)
    rows = {smart[row["number"]].id: row for row in await db.records(_COUNTS.format(sql), values)}
    known = {playlist.id: {"track_count": 0, "duration_ms": 0} for playlist in smart}
    for playlist_id, row in rows.items():
        known[playlist_id] = {name: row[name] for name in ("track_count", "duration_ms")}
    return [item.model_copy(update=known.get(item.id)) for item in items]


async def chosen_tracks(db: Runs, items: Sequence[PlaylistItem], viewer: UUID) -> dict[UUID, list[UUID]]:
    """What the first smart ones of these playlists have for the viewer now, by their ids."""
    smart = await _smart_of(db, items)
    found: dict[UUID, list[UUID]] = {playlist.id: [] for playlist in smart}
    if smart:
        for row in await db.records(*_all_of(smart, viewer)):
            found[smart[row["number"]].id].append(row["id"])
    return found


async def _smart_of(db: Runs, items: Sequence[PlaylistItem]) -> list[_Ruled]:
    ids = [item.id for item in items if item.kind == "smart"][:MOST_COUNTED]
    return await _RULED.all(db, ids=ids) if ids else []


def _all_of(smart: Sequence[_Ruled], viewer: UUID) -> tuple[str, list[Any]]:
    """One statement for several playlists: the columns are the number of the playlist and `id`."""
    parts: list[str] = []
    values: list[Any] = []
    for number, playlist in enumerate(smart):
        sql, own = compile_rules(playlist.rules, playlist.owner_id, viewer)
        parts.append(f"SELECT {number} AS number, c.id FROM ({_shifted(sql, len(values))}) c")  # noqa: S608 -- see above
        values += own
    return " UNION ALL ".join(parts), values


def _shifted(sql: str, by: int) -> str:
    """The statement with the numbers of its parameters moved on."""
    return _PLACEHOLDER.sub(lambda found: f"${int(found[1]) + by}", sql)


async def _choose(db: Runs, choice: Choice, *, after: int = 0, most: int = 500) -> list[asyncpg.Record]:
    sql, values = compile_rules(choice.rules, choice.owner_id, choice.viewer)
    return await db.records(_CARDS.format(sql, after, most), values)


def _track(row: asyncpg.Record) -> EntryTrack:
    album = None
    if row["album_id"] is not None:
        album = {"id": row["album_id"], "title": row["album"], "year": row["year"], "cover_key": row["cover_key"]}
    artist = {"id": row["artist_id"], "name": row["artist"]}
    plain = {name: row[name] for name in ("id", "title", "duration_ms")}
    return EntryTrack.model_validate({**plain, "artist": artist, "album": album})


def _item(row: asyncpg.Record) -> EntryItem:
    said = {name: row[name] for name in ("id", "title", "artist", "album", "duration_ms")}
    return EntryItem(track=_track(row), hidden=False, added_by=None, added_at=row["created_at"], **said)


def _saved(row: asyncpg.Record) -> SavedEntry:
    rest = set(SavedEntry.model_fields) - {"track_id", "location", "added_by", "added_at"}
    said = {name: row[name] for name in rest}
    return SavedEntry(track_id=row["id"], location=None, added_by=None, added_at=row["created_at"], **said)
