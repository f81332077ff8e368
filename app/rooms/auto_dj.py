"""What the server plays when nobody has added anything: something popular of the room's genres, not played lately."""

from uuid import UUID

from app.core.db import Writer
from app.rooms.stage import Stage

__all__ = ["MOST_UNHEARD", "OF_ALL", "OF_GENRES", "choose_track"]

MOST_UNHEARD = 20
"""After so many tracks of its own choice to which nobody listened, the server stops."""
BEST_KNOWN = 500
LATELY = 100

# One of the best known is drawn, with a chance that grows with its fame: the largest of random ** (1 / weight) wins
# (Efraimidis and Spirakis 2006), by its logarithm, since for a small weight it may be too small a number. What was
# played lately comes only when there is nothing else, the longest ago first.
_DRAW = f"""
    WITH lately AS (SELECT track_id, max(id::text) AS play_id FROM (
        SELECT id, track_id FROM room_plays WHERE room_id = $1 ORDER BY id DESC LIMIT {LATELY}) p GROUP BY track_id),
    known AS (
        SELECT t.id, d.weight FROM search_documents d JOIN tracks t ON t.id = d.entity_id
        WHERE d.kind = 'track' AND t.duration_ms IS NOT NULL AND t.merged_into_id IS NULL
          AND t.visibility = 'public' %s
        ORDER BY d.weight DESC LIMIT {BEST_KNOWN})
    SELECT k.id FROM known k LEFT JOIN lately l ON l.track_id = k.id
    ORDER BY l.play_id NULLS FIRST, ln(1 - random()) / (0.01 + k.weight) DESC LIMIT 1"""  # noqa: S608 -- constants only
OF_GENRES = _DRAW % "AND t.genres && $2"
OF_ALL = _DRAW % ""
# for a common genre the best known are looked through, for a rare one its tracks: only with the genre is it known which
_PLAN_EACH = "SET LOCAL plan_cache_mode = force_custom_plan"


async def choose_track(db: Writer, stage: Stage) -> UUID | None:
    """A track for the room, or None where nothing fits, or where nobody listens any more."""
    if not stage.auto_dj or stage.unheard >= MOST_UNHEARD:
        return None
    await db.records(_PLAN_EACH, [])
    genres = list(stage.genres)
    rows = await (db.records(OF_GENRES, [stage.room_id, genres]) if genres else db.records(OF_ALL, [stage.room_id]))
    return rows[0]["id"] if rows else None
