"""Channels come and go with their owners, who say who may come in."""

from uuid import UUID

from sqlalchemy import bindparam, delete, select

from app.chat.models import Channel
from app.chat.owners import Entry, owner_of
from app.core.auth import Principal
from app.core.db import Writer
from app.core.errors import NotFound
from app.core.query import Query, Runs

__all__ = ["close_channel", "enter", "open_channel"]

_KIND = Query(select(Channel.kind).where(Channel.id == bindparam("channel_id")), into=str)


async def open_channel(db: Writer, *, kind: str, channel_id: UUID) -> None:
    """A new empty log, for a room, a group or a conversation of the same id."""
    db.add(Channel(id=channel_id, kind=kind, last_sequence=0, message_count=0))
    await db.flush()


async def close_channel(db: Writer, channel_id: UUID) -> None:
    """Deletes the log with everything in it, and its owner's row by the foreign key."""
    await db.execute(delete(Channel).where(Channel.id == channel_id))


async def enter(db: Runs, actor: Principal, channel_id: UUID) -> Entry:
    """How the actor stands in a channel of any kind. Raises NotFound, Forbidden."""
    kind = await _KIND.first(db, channel_id=channel_id)
    if kind is None:
        raise NotFound("There is no such room, group, playlist or conversation.")
    return await owner_of(kind).enter(db, actor, channel_id)
