"""Tracks in messages."""

from collections.abc import Sequence
from uuid import UUID

from app.chat.owners import attachment
from app.core.query import Runs

__all__ = ["known_tracks"]


@attachment("track_id")
async def known_tracks(db: Runs, wanted: Sequence[tuple[UUID, UUID]]) -> set[tuple[UUID, UUID]]:
    """Everybody may share every track that is there."""
    sql = "SELECT id FROM tracks WHERE id = ANY($1) AND merged_into_id IS NULL"
    known = {row["id"] for row in await db.records(sql, [[thing for _, thing in wanted]])}
    return {pair for pair in wanted if pair[1] in known}
