"""What the server plays when nobody has added anything: something popular of the room's genres, not played lately."""

from uuid import UUID

from app.core.query import Runs
from app.rooms.stage import Stage

__all__ = ["MOST_UNHEARD", "choose_track"]

MOST_UNHEARD = 20
"""After so many tracks of its own choice to which nobody listened, the server stops."""
MOST_TRACKS = 20_000
LATELY = 100

# A track is drawn with a chance that grows with its popularity: the largest of random ** (1 / weight) wins (Efraimidis
# and Spirakis 2006). What was played lately comes only when there is nothing else, the longest ago first.
_DRAW = """
    WITH lately AS (SELECT track_id, max(id::text) AS play_id FROM (
        SELECT id, track_id FROM room_plays WHERE room_id = $1 ORDER BY id DESC LIMIT {lately}) p GROUP BY track_id)
    SELECT t.id FROM (SELECT id, popularity, like_count FROM tracks WHERE {which} LIMIT {most}) t
    LEFT JOIN lately l ON l.track_id = t.id
    ORDER BY l.play_id NULLS FIRST, random() ^ (1.0 / (1 + coalesce(t.popularity, 0) + least(t.like_count, 100))) DESC
    LIMIT 1"""
_PLAYABLE = "merged_into_id IS NULL AND duration_ms IS NOT NULL"
_OF_GENRES = _DRAW.format(lately=LATELY, most=MOST_TRACKS, which=f"genres && $2 AND {_PLAYABLE}")
_BEST_KNOWN = """id = ANY(ARRAY(
    SELECT entity_id FROM search_documents WHERE kind = 'track' ORDER BY weight DESC LIMIT 500))"""
_OF_ALL = _DRAW.format(lately=LATELY, most=500, which=f"{_BEST_KNOWN} AND {_PLAYABLE}")


async def choose_track(db: Runs, stage: Stage) -> UUID | None:
    """A track for the room, or None where nothing fits, or where nobody listens any more."""
    if not stage.auto_dj or stage.unheard >= MOST_UNHEARD:
        return None
    genres = list(stage.genres)
    rows = await (db.records(_OF_GENRES, [stage.room_id, genres]) if genres else db.records(_OF_ALL, [stage.room_id]))
    return rows[0]["id"] if rows else None
