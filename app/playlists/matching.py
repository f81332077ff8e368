"""Which track an entry means: said by hand, and moved when tracks turn out to be one."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from app.catalog.hearing import hearable
from app.catalog.successors import on_forgetting
from app.core.auth import Principal
from app.core.db import Database, Writer
from app.core.errors import NotFound
from app.playlists.entries import NewEntry, present
from app.playlists.entry_queries import LIVE_ENTRIES
from app.playlists.models import Playlist, PlaylistEntry
from app.playlists.standing import hold_alone, hold_playlist, note, tell_of_entries
from app.playlists.tracks import describe

__all__ = ["forget_words", "match_entry", "move_merged"]

_ONE = "SELECT * FROM playlist_entries WHERE playlist_id = $1 AND id = $2"
_MATCH = """
    UPDATE playlist_entries SET track_id = $3, title = $4, artist = $5, album = $6, duration_ms = $7, isrc = $8,
        musicbrainz_id = $9, spotify_id = $10 WHERE playlist_id = $1 AND id = $2"""

_MERGE = """
    UPDATE playlist_entries SET track_id = pairs.kept_id
    FROM unnest($2::uuid[], $3::uuid[]) AS pairs (duplicate, kept_id)
    WHERE playlist_entries.playlist_id = $1 AND playlist_entries.track_id = pairs.duplicate"""


_BLANK = """
    UPDATE playlist_entries SET title = 'A recording that was removed', artist = '', album = NULL, isrc = NULL,
        musicbrainz_id = NULL, spotify_id = NULL, location = NULL WHERE track_id = $1"""
_BLANK_ACTIVITIES = "UPDATE playlist_activities SET title = NULL WHERE track_id = $1"


async def match_entry(db: Writer, actor: Principal, playlist_id: UUID, entry_id: UUID, track_id: UUID | None) -> None:
    """Says which track an entry means; None makes it a placeholder again.

    Raises NotFound, NotCollaborator, PlaylistIsSmart, Invalid.
    """
    held = await hold_playlist(db, actor, playlist_id)
    held.require_editor()
    rows = await db.records(_ONE, [playlist_id, entry_id])
    if not rows:
        raise NotFound("There is no such entry.")
    before = rows[0]
    if before["track_id"] and not await hearable(db, actor.user_id, [before["track_id"]]):
        raise NotFound("There is no such entry that you may see.")
    known = await describe(db, actor, [track_id], pointer="/body/track_id")
    entry = NewEntry(**{name: before[name] for name in NewEntry.__slots__ if name != "track_id"}, track_id=track_id)
    entry = present(entry, known)
    said = [entry.title, entry.artist, entry.album, entry.duration_ms, entry.isrc]
    await db.records(_MATCH, [playlist_id, entry_id, entry.track_id, *said, entry.musicbrainz_id, entry.spotify_id])
    held.playlist.duration_ms += (entry.duration_ms or 0) - (before["duration_ms"] or 0)
    note(db, held, "match", title=entry.title, track_id=entry.track_id)
    live = await LIVE_ENTRIES.all(db, viewer=None, playlist_id=playlist_id, ids=[entry_id])
    change = {"op": "replace", "entries": [item.model_dump() for item in live]}
    await tell_of_entries(db, held.playlist, change, actor_id=held.actor_id)


@on_forgetting
async def forget_words(db: Writer, track_id: UUID) -> None:
    """An entry of a recording that not everybody could hear does not tell what it was when it is gone."""
    for statement in (_BLANK, _BLANK_ACTIVITIES):
        await db.records(statement, [track_id])


async def move_merged(database: Database, pairs: Sequence[tuple[UUID, UUID]]) -> None:
    """Entries of the first of each pair become entries of the second: one transaction for each playlist."""
    duplicates, kept = [duplicate for duplicate, _ in pairs], [kept for _, kept in pairs]
    some = select(PlaylistEntry.playlist_id).where(PlaylistEntry.track_id.in_(duplicates)).limit(1)
    while (playlist_id := await database.reader.one(some)) is not None:
        async with database.write() as db:
            await hold_alone(db, playlist_id)
            playlist = await db.one(select(Playlist).where(Playlist.id == playlist_id))
            if playlist is not None:
                await db.records(_MERGE, [playlist_id, duplicates, kept])
                await tell_of_entries(db, playlist, {"op": "reload"}, actor_id=None)
