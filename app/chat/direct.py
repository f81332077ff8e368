"""Conversations of two people."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from app.chat.channels import open_channel
from app.chat.models import Channel, ChannelReader, DirectChannel, Message
from app.chat.owners import Command, Entry, owner
from app.chat.schemas import ConversationItem, DirectUnread
from app.core.auth import Principal
from app.core.db import Reader, Writer
from app.core.errors import AppError, Forbidden, Invalid, NotFound
from app.core.holds import hold
from app.core.ids import uuid7
from app.core.paging import Page, PageRequest
from app.core.query import PageQuery, Query, Runs
from app.users.models import User
from app.users.queries import VIEWER, not_blocked, visible

__all__ = ["DirectChannels", "count_unread", "get_conversation", "list_conversations", "open_conversation"]

_MINE = or_(DirectChannel.first_id == VIEWER, DirectChannel.second_id == VIEWER)
_PARTNER_ID = case((DirectChannel.first_id == VIEWER, DirectChannel.second_id), else_=DirectChannel.first_id)
_READ = and_(ChannelReader.channel_id == Channel.id, ChannelReader.user_id == VIEWER)
_UNREAD = Channel.message_count - func.coalesce(ChannelReader.ordinal, 0)
_TEXT = case((Message.deleted_at.is_(None), Message.text)).label("text")
_SHARED = (Message.track_id, Message.review_id, Message.image_key)
_LAST = (
    select(Message.id, Message.sequence, Message.author_id, _TEXT, *_SHARED, Message.created_at)
    .where(Message.channel_id == Channel.id)
    .order_by(Message.sequence.desc())
    .limit(literal_column("1"))
    .correlate(Channel)
    .subquery("last")
)
_THEIRS = aliased(ChannelReader)
_THEY_READ = select(_THEIRS.sequence).where(_THEIRS.channel_id == Channel.id, _THEIRS.user_id == User.id)
_ITEM = (
    select(
        Channel.id.label("id"),
        Channel.kind.label("kind"),
        User.id.label("partner__id"),
        User.username.label("partner__username"),
        User.display_name.label("partner__display_name"),
        User.avatar_key.label("partner__avatar_key"),
        _UNREAD.label("unread_count"),
        func.coalesce(ChannelReader.muted, False).label("muted"),
        Channel.last_sequence.label("last_sequence"),
        Channel.last_message_at.label("last_message_at"),
        # one JSON column, which PostgreSQL works out for the rows of the page alone
        select(func.row_to_json(literal_column("last"), type_=JSON))
        .select_from(_LAST)
        .scalar_subquery()
        .label("last_message"),
        func.coalesce(_THEY_READ.scalar_subquery(), literal_column("0")).label("partner_read_sequence"),
    )
    .select_from(DirectChannel)
    .join(Channel, Channel.id == DirectChannel.id)
    .join(User, User.id == _PARTNER_ID)
    .outerjoin(ChannelReader, _READ)
    .where(_MINE, not_blocked(User.id))
)
_LIST = PageQuery(
    _ITEM.where(Channel.last_message_at.is_not(None)),
    into=ConversationItem,
    order=[Channel.last_message_at, Channel.id],
)
_ONE = Query(_ITEM.where(DirectChannel.id == bindparam("channel_id")), into=ConversationItem)


def _total(of: Any) -> Any:
    return cast(func.coalesce(func.sum(of), literal_column("0")), BigInteger)


_ALL_UNREAD = Query(
    select(
        _total(_UNREAD).label("unread_count"),
        _total(case((literal_column("0") < _UNREAD, literal_column("1")))).label("conversation_count"),
    )
    .select_from(DirectChannel)
    .join(Channel, Channel.id == DirectChannel.id)
    .join(User, User.id == _PARTNER_ID)
    .outerjoin(ChannelReader, _READ)
    .where(_MINE, not_blocked(User.id), ~func.coalesce(ChannelReader.muted, false())),
    into=DirectUnread,
)

_STANDING = """
    SELECT d.first_id, d.second_id, a.deleted_at IS NOT NULL OR b.deleted_at IS NOT NULL AS is_over,
           EXISTS (SELECT FROM blocks WHERE (blocker_id, blocked_id) IN ((a.id, b.id), (b.id, a.id))) AS is_blocked
    FROM direct_channels d JOIN users a ON a.id = d.first_id JOIN users b ON b.id = d.second_id WHERE d.id = $1"""

_NAMED = """
    SELECT u.username_key, u.id FROM direct_channels d JOIN users u ON u.id IN (d.first_id, d.second_id)
    WHERE d.id = $1 AND u.username_key = ANY($2)"""


async def open_conversation(db: Writer, actor: Principal, username: str) -> ConversationItem:
    """The conversation with a person whose profile one may see; a new one if there was none. Raises NotFound."""
    seen = visible(User, literal(actor.user_id, Uuid))
    partner = select(User.id).where(User.username_key == username.lower(), User.deleted_at.is_(None), seen)
    partner_id = await db.scalar(partner)
    if partner_id is None:
        raise NotFound("There is no such person.")
    if partner_id == actor.user_id:
        raise Invalid.field("/path/username", "Name somebody else than yourself.", "same")
    first, second = sorted((actor.user_id, partner_id))
    await hold(db, "direct", first)
    pair = select(DirectChannel.id).where(DirectChannel.first_id == first, DirectChannel.second_id == second)
    channel_id = await db.scalar(pair)
    if channel_id is None:
        channel_id = uuid7()
        await open_channel(db, kind="direct", channel_id=channel_id)
        await db.execute(insert(DirectChannel).values(id=channel_id, first_id=first, second_id=second))
    return await get_conversation(db, actor, channel_id)


async def get_conversation(db: Runs, actor: Principal, channel_id: UUID) -> ConversationItem:
    """One conversation of the actor's. Raises NotFound."""
    found = await _ONE.first(db, viewer=actor.user_id, channel_id=channel_id)
    if found is None:
        raise NotFound("There is no such conversation.")
    return found


async def list_conversations(db: Reader, actor: Principal, page: PageRequest) -> Page[ConversationItem]:
    """The actor's conversations, the one with the newest message first."""
    return await _LIST.page(db, page, viewer=actor.user_id)


async def count_unread(db: Reader, actor: Principal) -> DirectUnread:
    """What the actor has not read in conversations that they have not muted."""
    unread = await _ALL_UNREAD.first(db, viewer=actor.user_id)
    assert unread is not None, "a sum is always one row"
    return unread


class DirectChannels:
    """What chat asks about conversations of two."""

    commands: Mapping[str, Command] = {}

    async def enter(self, db: Runs, actor: Principal, channel_id: UUID) -> Entry:
        """Only the two, while neither blocks the other."""
        reasons = await self.speakers(db, channel_id, [actor.user_id])
        reason = reasons[actor.user_id]
        if isinstance(reason, NotFound):
            raise reason
        return Entry(role="member", can_post=reason is None)

    async def speakers(self, db: Runs, channel_id: UUID, user_ids: Sequence[UUID]) -> Mapping[UUID, AppError | None]:
        """Why each may not speak, or None."""
        rows = await db.records(_STANDING, [channel_id])
        pair = {rows[0]["first_id"], rows[0]["second_id"]} if rows else set()
        found: dict[UUID, AppError | None] = dict.fromkeys(user_ids)
        for user_id in user_ids:
            if user_id not in pair or rows[0]["is_blocked"]:
                found[user_id] = NotFound("There is no such conversation.")
            elif rows[0]["is_over"]:
                found[user_id] = Forbidden("The other person has left.")
        return found

    async def moderates(self, db: Runs, channel_id: UUID, user_id: UUID) -> bool:
        """Nobody deletes what the other said."""
        return False

    async def audience(self, db: Runs, channel_id: UUID, usernames: Sequence[str]) -> Mapping[str, UUID]:
        """Who of the two is named."""
        rows = await db.records(_NAMED, [channel_id, list(usernames)])
        return {row["username_key"]: row["id"] for row in rows}

    async def snapshot(self, db: Runs, actor: Principal, channel_id: UUID) -> dict[str, Any]:
        """Whom the conversation is with."""
        found = await get_conversation(db, actor, channel_id)
        return {"partner": found.partner}


owner("direct", DirectChannels())
