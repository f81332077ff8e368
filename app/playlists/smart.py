"""What a smart playlist has at this moment."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from app.core.auth import Principal
from app.core.paging import Page, PageRequest
from app.core.query import Runs
from app.playlists.rules import Rules, check_rules, compile_rules
from app.playlists.schemas import EntryItem, EntryTrack, PreviewedTracks, SavedEntry

__all__ = ["Choice", "chosen_entries", "chosen_page", "preview", "totals"]

# every value is a parameter of the compiled rules
_CARDS = """
    WITH chosen AS ({}) SELECT chosen.place, t.id, t.title, ar.id AS artist_id, ar.name AS artist, al.id AS album_id,
        al.title AS album, al.year, al.cover_key, t.duration_ms, t.isrc, t.musicbrainz_id, t.spotify_id, t.created_at
    FROM chosen JOIN tracks t ON t.id = chosen.id JOIN artists ar ON ar.id = t.artist_id
    LEFT JOIN albums al ON al.id = t.album_id WHERE chosen.place > {} ORDER BY chosen.place LIMIT {}"""
_TOTALS = """
    WITH chosen AS ({}) SELECT count(*) AS track_count, coalesce(sum(t.duration_ms), 0)::bigint AS duration_ms
    FROM chosen JOIN tracks t ON t.id = chosen.id"""


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
