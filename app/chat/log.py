"""The log of a channel: every event takes the next sequence under the row lock of its channel."""

from typing import Any
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import select

from app.chat.models import Channel
from app.core.broadcast import tell
from app.core.db import Writer
from app.core.errors import NotFound
from app.core.feeds import Line

__all__ = ["append", "hold"]

_APPEND = """
    WITH taken AS (
        UPDATE channels SET last_sequence = last_sequence + 1 WHERE id = $1 RETURNING last_sequence
    )
    INSERT INTO channel_events (channel_id, sequence, kind, actor_id, client_id, message_id, removes, data)
    SELECT $1, last_sequence, $2, $3, $4, $5, $6, $7 FROM taken RETURNING sequence"""


async def hold(db: Writer, channel_id: UUID, *, kind: str | None = None) -> None:
    """Lets nothing else happen in the channel until the transaction ends. Raises NotFound.

    Whoever changes a room, a group or a conversation does this first: so all that happens there happens in one order.
    """
    # not FOR UPDATE, which would also wait for, and hold up, every insert that refers to the channel
    row = select(Channel.kind).where(Channel.id == channel_id).with_for_update(key_share=True)
    found = await db.scalar(row)
    if found is None or kind not in {None, found}:
        raise NotFound("There is no such room, group, playlist or conversation.")


async def append(
    db: Writer,
    channel_id: UUID,
    *,
    kind: str,
    actor_id: UUID | None,
    data: dict[str, Any] | None = None,
    client_id: str | None = None,
    message_id: UUID | None = None,
    removes: UUID | None = None,
) -> int:
    """Writes an event and tells the channel's sockets after the commit; the event's sequence.

    `data` is anything that JSON can say, UUIDs and times included. With `removes`, this is the last that the person's
    sockets, or EVERYBODY's, get to know of the channel. Raises NotFound for a channel that is gone.
    """
    said = None if data is None else to_json(data).decode()
    values = [channel_id, kind, actor_id, client_id, message_id, removes, said]
    rows = await db.records(_APPEND, values)
    if not rows:
        raise NotFound("There is no such room, group, playlist or conversation.")
    sequence: int = rows[0]["sequence"]
    tell(db, channel_id, Line(sequence, b""))
    return sequence
