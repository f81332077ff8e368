"""What was said, over REST."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, or_, select

from app.chat.channels import enter
from app.chat.drafts import Draft
from app.chat.models import Message, MessageRevision
from app.chat.posting import poster
from app.chat.presence import present_people
from app.chat.queries import LAST, hidden_from, messages, messages_before, one_message, search
from app.chat.reading import read_state
from app.chat.schemas import MessageInput, MessageView, ReadState, Revision, RoomMessage, SearchHit
from app.core.auth import Principal
from app.core.db import Reader
from app.core.errors import Invalid, NotFound
from app.core.infra import Infra
from app.core.paging import Page, PageRequest
from app.core.query import PageQuery, Query, Runs
from app.users.models import User
from app.users.queries import not_blocked
from app.users.schemas import PersonCard

__all__ = [
    "enter",
    "get_read_state",
    "list_messages",
    "list_present",
    "list_revisions",
    "list_room_messages",
    "post_message",
    "search_messages",
]

_PERSON = Query(
    select(User.id, User.username, User.display_name, User.avatar_key).where(User.id == bindparam("user_id")),
    into=PersonCard,
)
_REVISIONS = PageQuery(
    select(MessageRevision.text, MessageRevision.created_at.label("replaced_at"))
    .join(Message, Message.id == MessageRevision.message_id)
    .where(Message.id == bindparam("message_id"), Message.channel_id == bindparam("channel_id"))
    .where(or_(Message.author_id.is_(None), not_blocked(Message.author_id))),
    into=Revision,
    order=[MessageRevision.id],
)


async def list_messages(
    db: Reader, actor: Principal, channel_id: UUID, page: PageRequest, *, before: int | None, after: int
) -> Page[MessageView]:
    """Messages between two numbers, the newest first. Raises NotFound, Forbidden, Invalid."""
    await enter(db, actor, channel_id)
    span = {"before": _bound(page, before), "after": after}
    hidden = await hidden_from(db, actor.user_id)
    found = await messages(db, channel_id, hidden=hidden, most=page.limit + 1, **span)
    return _page(page, found[::-1])


async def search_messages(
    db: Reader, actor: Principal, channel_id: UUID, page: PageRequest, *, query: str
) -> Page[SearchHit]:
    """Messages with these words, the newest first. Raises NotFound, Forbidden, Invalid."""
    await enter(db, actor, channel_id)
    hidden = await hidden_from(db, actor.user_id)
    sought: dict[str, Any] = {"hidden": hidden, "query": query, "before": _bound(page, None)}
    return _page(page, await search(db, channel_id, most=page.limit + 1, **sought))


def _bound(page: PageRequest, before: int | None) -> int:
    keys = page.keys(1)
    bound = keys[0] if keys else LAST if before is None else before
    if not isinstance(bound, int):
        raise Invalid.field("/query/cursor", "This cursor is not from this list. Start again without it.", "cursor")
    return bound


def _page(page: PageRequest, found: list[Any]) -> Page[Any]:
    items = found[: page.limit]
    return page.page(items, next_keys=[items[-1].sequence] if len(found) > page.limit else None)


async def list_room_messages(
    db: Reader, actor: Principal, channel_id: UUID, *, before: datetime | None, most: int
) -> list[RoomMessage]:
    """The last messages before a moment, the newest first, as clients of earlier servers want them."""
    await enter(db, actor, channel_id)
    hidden = await hidden_from(db, actor.user_id)
    at = before or datetime.max.replace(tzinfo=UTC)
    return await messages_before(db, channel_id, hidden=hidden, at=at, most=most)


async def list_revisions(
    db: Reader, actor: Principal, channel_id: UUID, message_id: UUID, page: PageRequest
) -> Page[Revision]:
    """What a message said before, the latest first. Raises NotFound, Forbidden."""
    await enter(db, actor, channel_id)
    return await _REVISIONS.page(db, page, channel_id=channel_id, message_id=message_id, viewer=actor.user_id)


async def list_present(db: Reader, actor: Principal, channel_id: UUID) -> list[PersonCard]:
    """Who is connected. Raises NotFound, Forbidden."""
    await enter(db, actor, channel_id)
    return await present_people(db, channel_id, hidden=await hidden_from(db, actor.user_id))


async def get_read_state(db: Runs, actor: Principal, channel_id: UUID) -> ReadState:
    """How far the actor has read. Raises NotFound, Forbidden."""
    await enter(db, actor, channel_id)
    return await read_state(db, channel_id, actor.user_id)


async def post_message(infra: Infra, actor: Principal, channel_id: UUID, said: MessageInput) -> MessageView:
    """Posts a message. Raises NotFound, Forbidden, Invalid, Conflict, Unavailable."""
    person = await _PERSON.first(infra.db.reader, user_id=actor.user_id)
    if person is None:
        raise NotFound("There is no such person.")
    posted = await infra.part(poster).post(Draft(channel_id, person, said))
    return await one_message(infra.db.reader, channel_id, posted.sequence)
