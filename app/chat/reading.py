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
# whoever belongs to a room or group has a row from then on; one who has just been put out must not get it back
_MARK = """
    WITH mark AS (
        SELECT c.id, c.kind, least($3, c.last_sequence) AS sequence, coalesce((
            SELECT ordinal FROM messages WHERE channel_id = c.id AND sequence <= $3 ORDER BY sequence DESC LIMIT 1
        ), 0) AS ordinal FROM channels c WHERE c.id = $1
    ), moved AS (
        UPDATE channel_readers r SET sequence = mark.sequence, ordinal = mark.ordinal FROM mark
        WHERE r.channel_id = mark.id AND r.user_id = $2 AND r.sequence < mark.sequence
    )
    INSERT INTO channel_readers (user_id, channel_id, sequence, ordinal)
    SELECT $2, id, sequence, ordinal FROM mark WHERE kind = 'direct' ON CONFLICT DO NOTHING"""
_MUTE = """
    WITH changed AS (
        UPDATE channel_readers SET muted = $3 WHERE channel_id = $1 AND user_id = $2
    )
    INSERT INTO channel_readers (user_id, channel_id, muted)
    SELECT $2, id, $3 FROM channels WHERE id = $1 AND kind = 'direct' ON CONFLICT DO NOTHING"""
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
