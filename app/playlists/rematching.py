"""Placeholders that the catalogue has by now become tracks."""

from typing import Any
from uuid import UUID

from app.catalog.matching import Description, match_tracks
from app.core.auth import Principal
from app.core.db import Writer
from app.playlists.entries import MOST_TOLD
from app.playlists.entry_queries import LIVE_ENTRIES
from app.playlists.standing import Held, hold_playlist, note, tell_of_entries
from app.playlists.tracks import describe

__all__ = ["match_placeholders"]

_PLACEHOLDERS = """
    SELECT id, title, artist, album, duration_ms, isrc, musicbrainz_id, spotify_id
    FROM playlist_entries WHERE playlist_id = $1 AND track_id IS NULL ORDER BY rank"""
_MATCH = """
    UPDATE playlist_entries SET track_id = new.track_id, title = new.title, artist = new.artist, album = new.album,
        duration_ms = new.duration_ms, isrc = new.isrc, musicbrainz_id = new.musicbrainz_id, spotify_id = new.spotify_id
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::integer[], $7::text[], $8::uuid[],
        $9::text[]) AS new (id, track_id, title, artist, album, duration_ms, isrc, musicbrainz_id, spotify_id)
    WHERE playlist_entries.id = new.id"""


async def match_placeholders(db: Writer, actor: Principal, playlist_id: UUID) -> int:
    """Has placeholders become the tracks that they mean; how many did.

    Raises NotFound, NotCollaborator, PlaylistIsSmart.
    """
    held = await hold_playlist(db, actor, playlist_id)
    held.require_editor()
    rows = await db.records(_PLACEHOLDERS, [playlist_id])
    found = await match_tracks(db, actor, [_description(row) for row in rows])
    pairs = [(row, track_id) for row, track_id in zip(rows, found, strict=True) if track_id]
    if pairs:
        await _become(db, actor, held, pairs)
    return len(pairs)


def _description(row: Any) -> Description:
    said = {name: value for name, value in row.items() if name != "id" and value is not None}
    return Description(**said)


async def _become(db: Writer, actor: Principal, held: Held, pairs: list[tuple[Any, UUID]]) -> None:
    known = await describe(db, actor, [track_id for _, track_id in pairs])
    tracks, ids = [known[track_id] for _, track_id in pairs], [row["id"] for row, _ in pairs]
    await db.records(_MATCH, [ids, *map(list, zip(*tracks, strict=True))])
    held.playlist.duration_ms += sum(track.duration_ms or 0 for track in tracks)
    held.playlist.duration_ms -= sum(row["duration_ms"] or 0 for row, _ in pairs)
    note(db, held, "match", title=tracks[0].title, track_id=tracks[0].track_id, count=len(pairs))
    change: dict[str, Any] = {"op": "reload"}
    if len(ids) <= MOST_TOLD:
        live = await LIVE_ENTRIES.all(db, viewer=None, playlist_id=held.playlist.id, ids=ids)
        change = {"op": "replace", "entries": [item.model_dump() for item in live]}
    await tell_of_entries(db, held.playlist, change, actor_id=held.actor_id)
