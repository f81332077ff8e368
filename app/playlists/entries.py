"""What is in a playlist: adding, removing and moving, one after the other however many do it at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from app.core.auth import Principal
from app.core.db import Writer
from app.core.errors import Conflict, Invalid, NotFound
from app.core.ids import uuid7
from app.playlists.entry_queries import LIVE_ENTRIES
from app.playlists.inputs import MOST_ENTRIES
from app.playlists.models import Playlist
from app.playlists.order import between, evenly
from app.playlists.standing import Held, hold_playlist, note, tell_of_entries
from app.playlists.tracks import Described, describe

__all__ = [
    "NewEntry",
    "PlaylistFull",
    "add_entries",
    "add_tracks",
    "clear_entries",
    "fill",
    "move_entries",
    "present",
    "remove_entries",
    "remove_positions",
]

MOST_TOLD: Final = 100
"""Entries that an event has in it; when more come at once, sockets are told to read the list again."""
_MOST_IDS: Final = 500

_ORDER = """
    SELECT coalesce(array_agg(id ORDER BY rank), '{}') AS ids, coalesce(array_agg(rank ORDER BY rank), '{}') AS ranks
    FROM playlist_entries WHERE playlist_id = $1"""
_LAST = "SELECT max(rank) AS rank FROM playlist_entries WHERE playlist_id = $1"
_KNOWN = "SELECT DISTINCT track_id FROM playlist_entries WHERE playlist_id = $1 AND track_id = ANY($2)"
_RANKS = """
    UPDATE playlist_entries SET rank = new.rank FROM unnest($1::uuid[], $2::bigint[]) AS new (id, rank)
    WHERE playlist_entries.id = new.id"""
_INSERT = """
    INSERT INTO playlist_entries (playlist_id, added_by_id, id, rank, track_id, title, artist, album, duration_ms, isrc,
        musicbrainz_id, spotify_id, location)
    SELECT $1, $2, new.* FROM unnest($3::uuid[], $4::bigint[], $5::uuid[], $6::text[], $7::text[], $8::text[],
        $9::integer[], $10::text[], $11::uuid[], $12::text[], $13::text[]) AS new"""
_REMOVE = """
    DELETE FROM playlist_entries WHERE playlist_id = $1 AND id = ANY($2)
    RETURNING id, track_id, title, duration_ms, rank"""
_NAMED = "SELECT title, track_id FROM playlist_entries WHERE playlist_id = $1 AND id = $2"


class PlaylistFull(Conflict):
    code, title = "playlist_full", "The playlist has as many entries as it may have"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """An entry to be added: a track, or as much as is known of one that the catalogue does not have.

    Of a track only `track_id` and `location` are looked at.
    """

    track_id: UUID | None = None
    title: str = ""
    artist: str = ""
    album: str | None = None
    duration_ms: int | None = None
    isrc: str | None = None
    musicbrainz_id: UUID | None = None
    spotify_id: str | None = None
    location: str | None = None


async def add_tracks(
    db: Writer, actor: Principal, playlist_id: UUID, track_ids: Sequence[UUID], *, at: int | None = None
) -> list[UUID]:
    """Adds tracks, at a place or at the end; the ids of their entries. Raises as `add_entries` does."""
    return await add_entries(db, actor, playlist_id, [NewEntry(track_id=track_id) for track_id in track_ids], at=at)


async def add_entries(
    db: Writer,
    actor: Principal,
    playlist_id: UUID,
    entries: Sequence[NewEntry],
    *,
    at: int | None = None,
    version: int | None = None,
    skip_known: bool = False,
) -> list[UUID]:
    """Adds entries so that the first comes to stand at `at`, or at the end; their ids.

    Raises NotFound, NotCollaborator, PlaylistIsSmart, PlaylistChanged, PlaylistFull, and Invalid for tracks that are
    not there.
    """
    held = await hold_playlist(db, actor, playlist_id)
    held.require_editor(version)
    known = await describe(db, actor, [entry.track_id for entry in entries])
    if skip_known:
        entries = await _unknown(db, playlist_id, [present(entry, known) for entry in entries])
    return await fill(db, held, [present(entry, known) for entry in entries], at=at)


async def fill(
    db: Writer, held: Held, entries: Sequence[NewEntry], *, at: int | None = None, told: bool = True
) -> list[UUID]:
    """Adds described entries to a playlist that is held. Raises PlaylistFull, Invalid."""
    playlist = held.playlist
    before = playlist.track_count
    if before + len(entries) > MOST_ENTRIES:
        raise PlaylistFull(f"It has {before} of at most {MOST_ENTRIES} entries.", most=MOST_ENTRIES)
    if at is not None and at > before:
        raise Invalid.field("/body/at", f"There are {before} entries: the place is from 0 to {before}.", "out_of_range")
    if not entries:
        return []
    place = before if at is None else at
    ranks = await _make_room(db, playlist, place, len(entries))
    ids = [uuid7() for _ in entries]
    await db.records(_INSERT, [playlist.id, held.actor_id, ids, ranks, *_columns(entries)])
    playlist.track_count += len(entries)
    playlist.duration_ms += sum(entry.duration_ms or 0 for entry in entries)
    if told:
        first = entries[0]
        note(db, held, "add", title=first.title, track_id=first.track_id, count=len(entries))
        await _tell_of_added(db, held, place, ids)
    return ids


async def remove_entries(
    db: Writer, actor: Principal, playlist_id: UUID, entry_ids: Sequence[UUID], *, version: int | None = None
) -> int:
    """Removes entries; how many were there. Raises NotFound, NotCollaborator, PlaylistIsSmart, PlaylistChanged."""
    held = await hold_playlist(db, actor, playlist_id)
    held.require_editor(version)
    return await _remove(db, held, list(entry_ids))


async def remove_positions(
    db: Writer, actor: Principal, playlist_id: UUID, positions: Sequence[int], *, version: int | None = None
) -> int:
    """Removes what stands at these places, counted before anything is removed. Raises as `remove_entries`, Invalid."""
    held = await hold_playlist(db, actor, playlist_id)
    held.require_editor(version)
    ids, _ = await _order(db, playlist_id)
    for number, position in enumerate(positions):
        if not 0 <= position < len(ids):
            detail = f"There are {len(ids)} entries: the first place is 0, the last {len(ids) - 1}."
            raise Invalid.field(f"/body/positions/{number}", detail, "out_of_range")
    return await _remove(db, held, [ids[position] for position in set(positions)])


async def clear_entries(db: Writer, actor: Principal, playlist_id: UUID) -> int:
    """Removes everything; how much it was. Raises NotFound, NotCollaborator, PlaylistIsSmart."""
    held = await hold_playlist(db, actor, playlist_id)
    held.require_editor()
    ids, _ = await _order(db, playlist_id)
    return await _remove(db, held, ids)


async def move_entries(
    db: Writer,
    actor: Principal,
    playlist_id: UUID,
    *,
    start: int | None = None,
    entry_id: UUID | None = None,
    length: int = 1,
    to: int,
    version: int | None = None,
) -> None:
    """Moves a range, named by the place or the id of its first entry, so that it begins at `to` afterwards.

    Raises NotFound, NotCollaborator, PlaylistIsSmart, PlaylistChanged, Invalid.
    """
    held = await hold_playlist(db, actor, playlist_id)
    held.require_editor(version)
    ids, ranks = await _order(db, playlist_id)
    start = _check_range(ids, start, entry_id, length=length, to=to)
    if start == to:
        return
    moved, rest = ids[start : start + length], ranks[:start] + ranks[start + length :]
    fresh = between(rest, to, length)
    if fresh is None:
        others = ids[:start] + ids[start + length :]
        moved, fresh = others[:to] + moved + others[to:], evenly(len(ids))
    await db.records(_RANKS, [moved, fresh])
    first = (await db.records(_NAMED, [playlist_id, ids[start]]))[0]
    note(db, held, "move", title=first["title"], track_id=first["track_id"], count=length)
    change = {"op": "move", "start": start, "length": length, "to": to}
    await tell_of_entries(db, held.playlist, change, actor_id=held.actor_id)


def present(entry: NewEntry, known: dict[UUID, Described]) -> NewEntry:
    """The entry with what the catalogue says of its track."""
    if entry.track_id is None:
        return replace(entry, duration_ms=entry.duration_ms or None)
    return NewEntry(**known[entry.track_id]._asdict(), location=entry.location)


async def _unknown(db: Writer, playlist_id: UUID, entries: Sequence[NewEntry]) -> list[NewEntry]:
    """Those whose tracks are not in the playlist yet, each track once."""
    ids = [entry.track_id for entry in entries if entry.track_id]
    seen = {row["track_id"] for row in await db.records(_KNOWN, [playlist_id, ids])}
    fresh = []
    for entry in entries:
        if entry.track_id is None or entry.track_id not in seen:
            fresh.append(entry)
            seen.add(entry.track_id)
    return fresh


async def _order(db: Writer, playlist_id: UUID) -> tuple[list[UUID], list[int]]:
    row = (await db.records(_ORDER, [playlist_id]))[0]
    return row["ids"], row["ranks"]


async def _make_room(db: Writer, playlist: Playlist, place: int, count: int) -> list[int]:
    """Ranks for new entries; when there are none between two, all entries get new ones."""
    if place == playlist.track_count:
        last = (await db.records(_LAST, [playlist.id]))[0]["rank"]
        fresh = between([] if last is None else [last], int(last is not None), count)
        if fresh is not None:
            return fresh
    ids, ranks = await _order(db, playlist.id)
    fresh = between(ranks, place, count)
    if fresh is None:
        ranks = evenly(len(ids) + count)
        await db.records(_RANKS, [ids, ranks[:place] + ranks[place + count :]])
        fresh = ranks[place : place + count]
    return fresh


def _columns(entries: Sequence[NewEntry]) -> list[list[Any]]:
    return [[getattr(entry, name) for entry in entries] for name in NewEntry.__slots__]


async def _tell_of_added(db: Writer, held: Held, place: int, ids: list[UUID]) -> None:
    change: dict[str, Any] = {"op": "reload"}
    if len(ids) <= MOST_TOLD:
        live = await LIVE_ENTRIES.all(db, viewer=None, playlist_id=held.playlist.id, ids=ids)
        change = {"op": "add", "at": place, "entries": [item.model_dump() for item in live]}
    await tell_of_entries(db, held.playlist, change, actor_id=held.actor_id)


async def _remove(db: Writer, held: Held, entry_ids: list[UUID]) -> int:
    playlist = held.playlist
    gone = sorted(await db.records(_REMOVE, [playlist.id, entry_ids]), key=lambda row: row["rank"])
    if not gone:
        return 0
    playlist.track_count -= len(gone)
    playlist.duration_ms -= sum(row["duration_ms"] or 0 for row in gone)
    note(db, held, "remove", title=gone[0]["title"], track_id=gone[0]["track_id"], count=len(gone))
    change: dict[str, Any] = {"op": "reload"}
    if len(gone) <= _MOST_IDS:
        change = {"op": "remove", "entry_ids": [row["id"] for row in gone]}
    await tell_of_entries(db, playlist, change, actor_id=held.actor_id)
    return len(gone)


def _check_range(ids: list[UUID], start: int | None, entry_id: UUID | None, *, length: int, to: int) -> int:
    """Where the range begins. Raises Invalid, NotFound."""
    if (start is None) == (entry_id is None):
        raise Invalid.field("/body/start", "Name the first entry of the range by `start` or by `entry_id`.", "one_of")
    if entry_id is not None:
        if entry_id not in ids:
            raise NotFound("There is no such entry any more.")
        start = ids.index(entry_id)
    assert start is not None, "one of the two is given"
    if not (start >= 0 and length >= 1 and start + length <= len(ids)):
        raise Invalid.field("/body/length", f"The range has to lie within the {len(ids)} entries.", "out_of_range")
    if not 0 <= to <= len(ids) - length:
        raise Invalid.field("/body/to", f"The range can begin at 0 to {len(ids) - length}.", "out_of_range")
    return start
