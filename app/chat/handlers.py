"""What follows for chat when people leave, and what this module adds to an export. Loads what registers itself."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import select

from app.chat import commands, direct, pictures, posting, presence, veils
from app.chat.changes import empty
from app.chat.log import hold
from app.chat.models import Message
from app.core.db import Reader, Writer
from app.core.jobs import enqueue, job, on
from app.users.events import AccountDeleted
from app.users.exports import every_row, exported

__all__ = ["begin_to_empty", "commands", "direct", "empty_messages", "pictures", "posting", "presence", "veils"]

BATCH = 200


class Leaver(BaseModel):
    """Who left and wants nothing to stay."""

    user_id: UUID


@on(AccountDeleted)
async def begin_to_empty(db: Writer, event: AccountDeleted) -> None:
    """The messages of who wants nothing to stay lose their texts."""
    if not event.keep_content:
        await enqueue(db, empty_messages, Leaver(user_id=event.user_id))


@job()
async def empty_messages(infra: Any, leaver: Leaver) -> None:
    """One transaction for each channel and batch, so that no channel is held for long."""
    mine = select(Message).where(Message.author_id == leaver.user_id, Message.deleted_at.is_(None))
    while found := await infra.db.reader.all(mine.order_by(Message.id).limit(1)):
        channel_id = found[0].channel_id
        async with infra.db.write() as db:
            await hold(db, channel_id)
            here = mine.where(Message.channel_id == channel_id).order_by(Message.id).limit(BATCH)
            for message in await db.all(here):
                await empty(db, message, actor_id=leaver.user_id)


@exported("messages")
def export_messages(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """What the person said."""
    said = (Message.id, Message.channel_id, Message.text, Message.image_key, Message.created_at, Message.edited_at)
    return every_row(
        db, select(*said).where(Message.author_id == user_id, Message.deleted_at.is_(None)), key=Message.id
    )
