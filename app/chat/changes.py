"""What happens to a message after it was posted: edits, deletion, reactions."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import delete, exists, func, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert

from app.chat.events import PeopleMentioned
from app.chat.log import append, hold
from app.chat.models import Channel, ChannelEvent, Message, MessageReaction, MessageRevision
from app.chat.owners import owner_of
from app.chat.pictures import forget_pictures
from app.core.auth import Principal
from app.core.db import Writer
from app.core.errors import Conflict, Forbidden, NotFound
from app.core.jobs import emit
from app.core.text import name_key
from app.users.mentions import mentioned

__all__ = ["TooManyReactions", "delete_message", "edit_message", "react"]

MOST_EMOJI = 20


class TooManyReactions(Conflict):
    code, title = "too_many_reactions", "The message has enough different reactions"


async def edit_message(
    db: Writer, actor: Principal, channel_id: UUID, *, message_id: UUID, text: str, client_id: str | None = None
) -> int:
    """Changes one's own message and keeps what it said; the event's sequence. Raises NotFound, Forbidden."""
    if (known := await _begin(db, actor, channel_id, client_id)) is not None:
        return known
    message = await _message(db, channel_id, message_id)
    if message.author_id != actor.user_id:
        raise Forbidden("Only its author can change a message.")
    if message.text == text:
        return message.sequence
    db.add(MessageRevision(message_id=message_id, text=message.text))
    message.text, message.edited_at = text, datetime.now(UTC)
    message.search = func.to_tsvector("simple", name_key(text))
    await _mention(db, message, mentioned(text))
    await db.flush()
    return await append(
        db, channel_id, kind="message.edited", actor_id=actor.user_id, client_id=client_id, message_id=message_id
    )


async def _mention(db: Writer, message: Message, names: set[str]) -> None:
    """Has those notified whom the message did not name before."""
    of_it = owner_of(await _kind(db, message.channel_id))
    there = await of_it.audience(db, message.channel_id, sorted(names)) if names else {}
    before, message.mentions = set(message.mentions), sorted({*there.values()} - {message.author_id})
    if new := [person_id for person_id in message.mentions if person_id not in before]:
        await emit(db, PeopleMentioned(channel_id=message.channel_id, message_ids=[message.id], people=new))


async def delete_message(
    db: Writer, actor: Principal, channel_id: UUID, *, message_id: UUID, client_id: str | None = None
) -> int:
    """Empties a message: one's own, or anybody's for who moderates. Raises NotFound, Forbidden."""
    if (known := await _begin(db, actor, channel_id, client_id, deletes=message_id)) is not None:
        return known
    message = await _message(db, channel_id, message_id)
    if message.author_id != actor.user_id and not await _moderates(db, channel_id, actor):
        raise Forbidden("Only its author or a moderator can delete a message.")
    return await empty(db, message, actor_id=actor.user_id, client_id=client_id)


async def empty(db: Writer, message: Message, *, actor_id: UUID, client_id: str | None = None) -> int:
    """Takes out of a message, and of the answers to it, what it said. The channel is held."""
    message.text, message.deleted_at, message.search = "", datetime.now(UTC), ""
    message.mentions, message.track_id, message.review_id, message.quote = [], None, None, None
    picture, message.image_key = message.image_key, None
    await db.flush()
    for of_it in (MessageRevision, MessageReaction):
        await db.execute(delete(of_it).where(of_it.message_id == message.id))
    if picture is not None:
        await forget_pictures(db, [picture])
    answers = update(Message).where(Message.reply_to_id == message.id)
    await db.execute(answers.values(quote=Message.quote.op("||")(literal({"text": None}, JSONB))))
    data = {"id": message.id}
    return await append(
        db, message.channel_id, kind="message.deleted", actor_id=actor_id, client_id=client_id, data=data
    )


async def react(
    db: Writer,
    actor: Principal,
    channel_id: UUID,
    *,
    message_id: UUID,
    emoji: str,
    active: bool,
    client_id: str | None = None,
) -> int | None:
    """Puts an emoji to a message or takes it away; None if that was so already. Raises NotFound, TooManyReactions."""
    if (known := await _begin(db, actor, channel_id, client_id)) is not None:
        return known
    await _message(db, channel_id, message_id)
    mine = {"message_id": message_id, "emoji": emoji, "user_id": actor.user_id}
    if active:
        await _refuse_too_many(db, message_id, emoji)
        put = insert(MessageReaction).values(mine).on_conflict_do_nothing()
        changed = await db.scalar(put.returning(MessageReaction.emoji))
    else:
        taken = delete(MessageReaction).filter_by(**mine)
        changed = await db.scalar(taken.returning(MessageReaction.emoji))
    if changed is None:
        return None
    kind = "reaction.added" if active else "reaction.removed"
    data = {"message_id": message_id, "emoji": emoji}
    return await append(db, channel_id, kind=kind, actor_id=actor.user_id, client_id=client_id, data=data)


async def _begin(
    db: Writer, actor: Principal, channel_id: UUID, client_id: str | None, *, deletes: UUID | None = None
) -> int | None:
    """Holds the channel for somebody who may speak there; the sequence of what they did under this client id before.

    Whoever `deletes` needs only to be there; and in a conversation of two a block does not keep what one said oneself.
    """
    await hold(db, channel_id)
    if client_id is not None:
        mine = {"channel_id": channel_id, "actor_id": actor.user_id, "client_id": client_id}
        if (known := await db.scalar(select(ChannelEvent.sequence).filter_by(**mine))) is not None:
            return known
    kind = await _kind(db, channel_id)
    if deletes is None:
        reasons = await owner_of(kind).speakers(db, channel_id, [actor.user_id])
        if reason := reasons.get(actor.user_id, NotFound("You are not there.")):
            raise reason
    elif kind != "direct" or not await _wrote(db, actor, deletes):
        await owner_of(kind).enter(db, actor, channel_id)
    return None


async def _wrote(db: Writer, actor: Principal, message_id: UUID) -> bool:
    own = exists().where(Message.id == message_id, Message.author_id == actor.user_id)
    return bool(await db.scalar(select(own)))


async def _kind(db: Writer, channel_id: UUID) -> str:
    kind: str = await db.scalar(select(Channel.kind).where(Channel.id == channel_id)) or ""
    return kind


async def _message(db: Writer, channel_id: UUID, message_id: UUID) -> Message:
    there = select(Message).where(Message.id == message_id, Message.channel_id == channel_id)
    message = await db.one(there.where(Message.deleted_at.is_(None)))
    if message is None:
        raise NotFound("There is no such message here.")
    return message


async def _moderates(db: Writer, channel_id: UUID, actor: Principal) -> bool:
    return await owner_of(await _kind(db, channel_id)).moderates(db, channel_id, actor.user_id)


async def _refuse_too_many(db: Writer, message_id: UUID, emoji: str) -> None:
    of_it = MessageReaction.message_id == message_id
    others = select(func.count(MessageReaction.emoji.distinct())).where(of_it, MessageReaction.emoji != emoji)
    if (await db.scalar(others) or 0) >= MOST_EMOJI and not await db.scalar(
        select(exists().where(of_it, MessageReaction.emoji == emoji))
    ):
        raise TooManyReactions(f"At most {MOST_EMOJI} different ones. Use one that is there.")
