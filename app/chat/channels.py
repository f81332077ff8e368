"""Channels come and go with their owners."""

from uuid import UUID

from sqlalchemy import delete

from app.chat.models import Channel
from app.core.db import Writer

__all__ = ["close_channel", "open_channel"]


async def open_channel(db: Writer, *, kind: str, channel_id: UUID) -> None:
    """A new empty log, for a room, a group or a conversation of the same id."""
    db.add(Channel(id=channel_id, kind=kind, last_sequence=0, message_count=0))
    await db.flush()


async def close_channel(db: Writer, channel_id: UUID) -> None:
    """Deletes the log with everything in it, and its owner's row by the foreign key."""
    await db.execute(delete(Channel).where(Channel.id == channel_id))
