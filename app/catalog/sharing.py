"""Tracks in messages."""

from collections.abc import Sequence
from uuid import UUID

from app.catalog.hearing import may_hear
from app.chat.owners import attachment
from app.core.query import Runs

__all__ = ["known_tracks"]


@attachment("track_id")
async def known_tracks(db: Runs, wanted: Sequence[tuple[UUID, UUID]]) -> set[tuple[UUID, UUID]]:
    """Who may hear a track may share it; those who may not hear it learn nothing but its id."""
    return set(wanted) & await may_hear(db, wanted)
