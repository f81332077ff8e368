"""Pictures for messages: stored first, then shown by a message of the same person in the same channel, once."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any, BinaryIO, Final
from uuid import UUID

from sqlalchemy import delete, func, select, tuple_, update

from app.chat.channels import enter
from app.chat.models import Channel, ChatPicture
from app.chat.owners import owner_of
from app.core.auth import Principal
from app.core.db import Reader, Writer
from app.core.errors import NotFound
from app.core.infra import Infra
from app.core.jobs import every
from app.pictures.schemas import Picture
from app.pictures.service import Kind, store_picture
from app.pictures.unused import drop_picture, shows

__all__ = ["CHAT", "add_picture", "forget_pictures", "usable_pictures", "use_pictures"]

CHAT: Final = Kind("chat", side=1280)
SHOWN_WITHIN = timedelta(days=1)
shows(CHAT.folder, ChatPicture.key)


async def add_picture(infra: Infra, actor: Principal, channel_id: UUID, picture: BinaryIO) -> Picture:
    """Stores a picture for a message. Raises NotFound, Forbidden, PictureTooLarge, NotAnImage, Unavailable.

    Whoever may not speak is told so before the picture is looked at; the message is asked again.
    """
    await _require_speaker(infra.db.reader, actor, channel_id)
    stored = await store_picture(infra, CHAT, picture)
    async with infra.db.write() as db:
        size = {"width": stored.width, "height": stored.height}
        db.add(ChatPicture(key=stored.key, channel_id=channel_id, author_id=actor.user_id, **size))
    return stored


async def usable_pictures(db: Writer, channel_id: UUID, sent: Collection[tuple[UUID, str]]) -> set[tuple[UUID, str]]:
    """Which of these (author, key) wait for a message of the author's in the channel. One statement."""
    waiting = select(ChatPicture.author_id, ChatPicture.key).where(
        ChatPicture.channel_id == channel_id,
        ChatPicture.used_at.is_(None),
        tuple_(ChatPicture.author_id, ChatPicture.key).in_(sent),
    )
    return {(author_id, key) for author_id, key in await db.rows(waiting.with_for_update())}


async def use_pictures(db: Writer, keys: Collection[str]) -> None:
    """A message shows them from now on."""
    await db.execute(update(ChatPicture).where(ChatPicture.key.in_(keys)).values(used_at=func.now()))


async def forget_pictures(db: Writer, keys: Collection[str]) -> None:
    """No message shows them any longer."""
    await db.execute(delete(ChatPicture).where(ChatPicture.key.in_(keys)))
    for key in keys:
        await drop_picture(db, key)


@every("11 3 * * *")
async def forget_unused_pictures(infra: Any) -> None:
    """Those that were stored and never sent; their files go with the others that nothing shows."""
    old = (ChatPicture.used_at.is_(None), ChatPicture.created_at < func.now() - SHOWN_WITHIN)
    async with infra.db.write() as db:
        await db.execute(delete(ChatPicture).where(*old))


async def _require_speaker(db: Reader, actor: Principal, channel_id: UUID) -> None:
    await enter(db, actor, channel_id)
    kind = await db.one(select(Channel.kind).where(Channel.id == channel_id))
    reasons = await owner_of(kind).speakers(db, channel_id, [actor.user_id]) if kind else {}
    if reason := reasons.get(actor.user_id, NotFound("You are not there.")):
        raise reason
