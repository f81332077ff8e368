"""What playlists need to know of tracks."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from app.catalog.hearing import hearable
from app.core.auth import Principal
from app.core.errors import Invalid
from app.core.query import Runs

__all__ = ["Described", "describe"]

_TRACKS = """
    SELECT named.id AS named_id, track.id, track.title, artist.name AS artist, album.title AS album, track.duration_ms,
           track.isrc, track.musicbrainz_id, track.spotify_id, track.owner_id
    FROM tracks named
    JOIN tracks track ON track.id = coalesce(named.merged_into_id, named.id)
    JOIN artists artist ON artist.id = track.artist_id
    LEFT JOIN albums album ON album.id = track.album_id
    WHERE named.id = ANY($1)"""


class Described(NamedTuple):
    """A track in words."""

    track_id: UUID
    title: str
    artist: str
    album: str | None
    duration_ms: int | None
    isrc: str | None
    musicbrainz_id: UUID | None
    spotify_id: str | None


async def describe(
    db: Runs, actor: Principal, track_ids: Sequence[UUID | None], *, pointer: str = "/body/track_ids/{}"
) -> dict[UUID, Described]:
    """Tracks by the ids that name them; one that was merged is the one that stays.

    Raises Invalid for the first that is not there, or that the actor may not hear.
    """
    wanted = {track_id for track_id in track_ids if track_id is not None}
    if not wanted:
        return {}
    rows = await db.records(_TRACKS, [list(wanted)])
    owned = [row["id"] for row in rows if row["owner_id"]]
    heard = await hearable(db, actor.user_id, owned) if owned else set()
    found = {
        row["named_id"]: Described(*list(row.values())[1:-1])
        for row in rows
        if row["owner_id"] is None or row["id"] in heard
    }
    for number, track_id in enumerate(track_ids):
        if track_id is not None and track_id not in found:
            raise Invalid.field(pointer.format(number), f"There is no track {track_id}.", "unknown")
    return found
