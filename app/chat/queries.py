"""Reads of messages."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from app.chat.lines import message_data, person
from app.chat.schemas import MessageView, RoomMessage, SearchHit
from app.core.query import Runs
from app.core.text import search_words

__all__ = ["LAST", "hidden_from", "messages", "messages_before", "one_message", "search"]

_MESSAGES = """
    SELECT m.id, m.channel_id, m.sequence, m.client_id, m.quote, m.mentions, m.track_id, m.review_id, m.image_key,
           m.created_at, m.edited_at, m.deleted_at IS NOT NULL AS deleted,
           CASE WHEN m.deleted_at IS NULL THEN m.text END AS text,
           m.author_id, u.username, u.display_name, u.avatar_key,
           (SELECT coalesce(jsonb_agg(to_jsonb(r) ORDER BY r.first), '[]') FROM (
                SELECT emoji, count(*) AS count, jsonb_agg(user_id ORDER BY created_at, user_id) AS user_ids,
                       min(created_at) AS first
                FROM message_reactions WHERE message_id = m.id AND user_id <> ALL($2) GROUP BY emoji) r) AS reactions
    FROM messages m LEFT JOIN users u ON u.id = m.author_id
    WHERE (m.author_id IS NULL OR m.author_id <> ALL($2)) AND """
_PAGE = _MESSAGES + """m.channel_id = $1 AND m.sequence > $3 AND m.sequence < $4 ORDER BY m.sequence DESC LIMIT $5"""
_FOUND = (
    _MESSAGES
    + """m.channel_id = $1 AND m.sequence < $3 AND m.search @@ to_tsquery('simple', $4)
    ORDER BY m.sequence DESC LIMIT $5"""
)
_OLD = """
    SELECT id, text, author_id AS user_id, channel_id AS room_id, created_at, sequence FROM messages
    WHERE channel_id = $1 AND deleted_at IS NULL AND (author_id IS NULL OR author_id <> ALL($2))
      AND created_at < $3 ORDER BY sequence DESC LIMIT $4"""
_HIDDEN = """
    SELECT blocked_id FROM blocks WHERE blocker_id = $1 UNION SELECT blocker_id FROM blocks WHERE blocked_id = $1"""
_OLD_MESSAGES = TypeAdapter(list[RoomMessage])
LAST = 2**62


async def messages(
    db: Runs, channel_id: UUID, *, hidden: Sequence[UUID], after: int = 0, before: int = LAST, most: int = 50
) -> list[MessageView]:
    """The last messages between two numbers, the oldest first, without those of hidden people."""
    rows = await db.records(_PAGE, [channel_id, hidden, after, before, most])
    return [MessageView(**_view(row, hidden)) for row in reversed(rows)]


async def messages_before(
    db: Runs, channel_id: UUID, *, hidden: Sequence[UUID], at: Any, most: int
) -> list[RoomMessage]:
    """The last messages before a moment, the newest first."""
    rows = await db.records(_OLD, [channel_id, hidden, at, most])
    return _OLD_MESSAGES.validate_python([dict(row) for row in rows])


async def search(
    db: Runs, channel_id: UUID, *, hidden: Sequence[UUID], query: str, before: int, most: int
) -> list[SearchHit]:
    """Messages with words that begin as those of the query do, the newest first."""
    words = " & ".join(f"{word}:*" for word in search_words(query) if word.isalnum())
    if not words:
        return []
    rows = await db.records(_FOUND, [channel_id, hidden, before, words, most])
    return [SearchHit(**_view(row, hidden), channel_id=row["channel_id"]) for row in rows]


async def hidden_from(db: Runs, user_id: UUID) -> list[UUID]:
    """Whom the person blocks, and who blocks them: neither reads the other."""
    return [row[0] for row in await db.records(_HIDDEN, [user_id])]


def _view(row: Any, hidden: Sequence[UUID]) -> dict[str, Any]:
    said = message_data(row)
    quote = said["reply_to"]
    if quote and quote["author_id"] and UUID(quote["author_id"]) in hidden:
        said["reply_to"] = {**quote, "author_id": None, "text": None}
    kept = {name: row[name] for name in ("sequence", "reactions", "created_at", "edited_at", "deleted")}
    return said | kept | {"author": person(row, "author_id")}


async def one_message(db: Runs, channel_id: UUID, sequence: int) -> MessageView:
    """A message that is there."""
    found = await messages(db, channel_id, hidden=[], after=sequence - 1, before=sequence + 1, most=1)
    return found[0]
