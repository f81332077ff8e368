"""How far people have read. `ordinal` counts messages, so that what is unread is a difference and never counted."""

from uuid import UUID

from app.chat.schemas import ReadState
from app.core.db import Writer
from app.core.query import Runs

__all__ = ["mark_read", "read_state", "set_muted", "start_reading"]

_START = """
    INSERT INTO channel_readers (user_id, channel_id, sequence, ordinal)
    SELECT $2, id, last_sequence, message_count FROM channels WHERE id = $1
    ON CONFLICT (user_id, channel_id) DO NOTHING"""
_MARK = """
    INSERT INTO channel_readers AS r (user_id, channel_id, sequence, ordinal)
    SELECT $2, c.id, least($3, c.last_sequence), coalesce(
        (SELECT ordinal FROM messages WHERE channel_id = c.id AND sequence <= $3 ORDER BY sequence DESC LIMIT 1), 0)
    FROM channels c WHERE c.id = $1
    ON CONFLICT (user_id, channel_id) DO UPDATE
    SET sequence = excluded.sequence, ordinal = excluded.ordinal WHERE r.sequence < excluded.sequence"""
_MUTE = """
    INSERT INTO channel_readers (user_id, channel_id, muted) VALUES ($2, $1, $3)
    ON CONFLICT (user_id, channel_id) DO UPDATE SET muted = excluded.muted"""
_STATE = """
    SELECT c.id AS channel_id, coalesce(r.sequence, 0) AS sequence, coalesce(r.muted, false) AS muted,
           c.message_count - coalesce(r.ordinal, 0) AS unread_count
    FROM channels c LEFT JOIN channel_readers r ON r.channel_id = c.id AND r.user_id = $2 WHERE c.id = $1"""


async def start_reading(db: Writer, channel_id: UUID, user_id: UUID) -> None:
    """Whoever comes in has nothing unread."""
    await db.records(_START, [channel_id, user_id])


async def mark_read(db: Writer, channel_id: UUID, user_id: UUID, sequence: int) -> None:
    """Moves the mark forward; it never goes back."""
    await db.records(_MARK, [channel_id, user_id, sequence])


async def set_muted(db: Writer, channel_id: UUID, user_id: UUID, *, muted: bool) -> None:
    """Switches notifications of the channel off, or on again."""
    await db.records(_MUTE, [channel_id, user_id, muted])


async def read_state(db: Runs, channel_id: UUID, user_id: UUID) -> ReadState:
    """How far the person has read. The channel is there."""
    return ReadState(**dict((await db.records(_STATE, [channel_id, user_id]))[0]))
