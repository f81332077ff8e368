"""Which track an entry means: said by hand, and moved when tracks turn out to be one."""

from uuid import UUID

from app.core.auth import Principal
from app.core.db import Writer
from app.core.errors import NotFound
from app.playlists.entries import NewEntry, present
from app.playlists.queries import LIVE_ENTRIES
from app.playlists.standing import hold_playlist, note, tell_of_entries
from app.playlists.tracks import describe

__all__ = ["match_entry"]

_ONE = "SELECT * FROM playlist_entries WHERE playlist_id = $1 AND id = $2"
_MATCH = """
    UPDATE playlist_entries SET track_id = $3, title = $4, artist = $5, album = $6, duration_ms = $7, isrc = $8,
        musicbrainz_id = $9, spotify_id = $10 WHERE playlist_id = $1 AND id = $2"""


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
    known = await describe(db, actor, [track_id], pointer="/body/track_id")
    entry = NewEntry(**{name: before[name] for name in NewEntry.__slots__ if name != "track_id"}, track_id=track_id)
    entry = present(entry, known)
    said = [entry.title, entry.artist, entry.album, entry.duration_ms, entry.isrc]
    await db.records(_MATCH, [playlist_id, entry_id, entry.track_id, *said, entry.musicbrainz_id, entry.spotify_id])
    held.playlist.duration_ms += (entry.duration_ms or 0) - (before["duration_ms"] or 0)
    note(db, held, "match", title=entry.title, track_id=entry.track_id)
    live = await LIVE_ENTRIES.all(db, playlist_id=playlist_id, ids=[entry_id])
    change = {"op": "replace", "entries": [item.model_dump() for item in live]}
    await tell_of_entries(db, held.playlist, change, actor_id=held.actor_id)
