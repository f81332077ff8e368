"""The log as sockets get it: entries with the person who did it and what the message says."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from pydantic_core import from_json, to_json

from app.core.db import Reader
from app.core.feeds import MOUTHFUL, PAGE, Line, Log, log_of_channels
from app.core.query import Runs

__all__ = ["event", "heads", "hide", "load_lines", "message_data", "missed_bytes", "person"]

_BYTES = """
    400 + octet_length(coalesce(m.text, '')) + coalesce(pg_column_size(m.quote), 0)
        + coalesce(pg_column_size(e.data) * CASE WHEN pg_column_compression(e.data) IS NULL THEN 1 ELSE 8 END, 0)"""
"""About how long an entry is on the wire, told from its row without reading what is long. What the database has
compressed was eight times as long at most, for JSON of the kind that stands here."""
_LINES = f"""
    SELECT e.sequence, e.kind, e.created_at, e.removes, e.data, e.actor_id,
           u.username, u.display_name, u.avatar_key, e.id, e.client_id, e.quote, e.mentions, e.track_id, e.review_id,
           e.image_key, e.edited_at, CASE WHEN e.deleted_at IS NULL THEN e.text END AS text
    FROM (SELECT e.sequence, e.kind, e.created_at, e.removes, e.data, e.actor_id, m.id, m.client_id, m.quote,
                 m.mentions, m.track_id, m.review_id, m.image_key, m.edited_at, m.deleted_at, m.text,
                 sum({_BYTES}) OVER (ORDER BY e.sequence) - ({_BYTES}) AS before
          FROM channel_events e LEFT JOIN messages m ON m.id = e.message_id
          WHERE e.channel_id = $1 AND e.sequence > $2 ORDER BY e.sequence LIMIT $3) e
    LEFT JOIN users u ON u.id = e.actor_id
    WHERE e.before < $4 ORDER BY e.sequence"""  # noqa: S608 -- constants only
_MISSED = f"""
    SELECT coalesce(sum({_BYTES}), 0)::bigint AS bytes
    FROM channel_events e LEFT JOIN messages m ON m.id = e.message_id
    WHERE e.channel_id = $1 AND e.sequence > $2"""  # noqa: S608 -- constants only
_PERSONAL = ("message.", "reaction.", "member.joined")
_PRESENCE = b'{"type":"presence",'
_HEADS = "SELECT id, last_sequence FROM channels WHERE id = ANY($1)"


async def load_lines(
    db: Runs, channel_id: UUID, after: int, most: int = PAGE, most_bytes: int = MOUTHFUL
) -> list[Line]:
    """The entries after a number, the oldest first: so many that they are about so long, and one at least."""
    return [_line(row) for row in await db.records(_LINES, [channel_id, after, most, most_bytes])]


async def missed_bytes(db: Runs, channel_id: UUID, after: int) -> int:
    """About how long all entries after a number are. To be asked only where they are not too many."""
    bytes_: int = (await db.records(_MISSED, [channel_id, after]))[0]["bytes"]
    return bytes_


async def heads(db: Reader, channel_ids: list[UUID]) -> dict[UUID, int]:
    """The newest number of each channel."""
    return {row["id"]: row["last_sequence"] for row in await db.records(_HEADS, [channel_ids])}


def event(sequence: int, kind: str, at: datetime, actor: Mapping[str, Any] | None, data: Any) -> bytes:
    """An entry of the log on the wire."""
    return to_json({"type": "event", "sequence": sequence, "kind": kind, "at": at, "actor": actor, "data": data})


def person(row: Any, key: str = "id") -> dict[str, Any] | None:
    """The card of whoever a row names."""
    if row[key] is None or row["username"] is None:
        return None
    return {"id": row[key], **{name: row[name] for name in ("username", "display_name", "avatar_key")}}


def message_data(row: Any) -> dict[str, Any]:
    """What `message.created` says."""
    kept = {name: row[name] for name in ("id", "client_id", "text", "mentions", "track_id", "review_id", "image_key")}
    return {**kept, "reply_to": row["quote"]}


def hide(line: Line, hidden: frozenset[UUID]) -> bytes | None:
    """The entry for somebody to whom these people are hidden. Its number stays, so that nothing seems missing.

    What hidden people say and that they come and go is left out. What else they do changes the whole channel: it is
    told without their name.
    """
    if line.payload.startswith(_PRESENCE):
        return _hide_people(line.payload, hidden)
    if line.actor_id not in hidden:
        return _hide_quote(line.payload, hidden) if b'"reply_to":{' in line.payload else line.payload
    if not line.sequence:
        return None
    said = from_json(line.payload)
    if not said["kind"].startswith(_PERSONAL):
        return to_json({**said, "actor": None})
    kept = {name: said["data"][name] for name in ("member_count",) if name in said["data"]}
    return to_json(
        {"type": "event", "sequence": line.sequence, "kind": "hidden", "at": None, "actor": None, "data": kept}
    )


def _hide_people(payload: bytes, hidden: frozenset[UUID]) -> bytes:
    """Who came and went without these; how many are there is for everybody."""
    said = from_json(payload)
    joined = [card for card in said["joined"] if UUID(card["id"]) not in hidden]
    left = [user_id for user_id in said["left"] if UUID(user_id) not in hidden]
    return to_json({**said, "joined": joined, "left": left})


def _hide_quote(payload: bytes, hidden: frozenset[UUID]) -> bytes:
    said = from_json(payload)
    quote = said["data"]["reply_to"]
    if quote["author_id"] is None or UUID(quote["author_id"]) not in hidden:
        return payload
    said["data"]["reply_to"] = {**quote, "author_id": None, "text": None}
    return to_json(said)


def _line(row: asyncpg.Record) -> Line:
    data = row["data"]
    if row["kind"] == "message.created":
        data = message_data(row)
    elif row["kind"] == "message.edited":
        data = {"id": row["id"], "text": row["text"], "edited_at": row["edited_at"]}
    payload = event(row["sequence"], row["kind"], row["created_at"], person(row, "actor_id"), data or {})
    return Line(row["sequence"], payload, row["actor_id"], row["removes"])


async def _load(reader: Reader, channel_id: UUID, after: int) -> list[Line]:
    return await load_lines(reader, channel_id, after)


log_of_channels(Log(load=_load, heads=heads))
