"""Reads of groups. Every one of them shows only what the viewer may see."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Label,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.orm import aliased

from app.chat.invitations import is_open
from app.chat.models import Channel, ChannelReader
from app.chat.schemas import InvitationItem
from app.core.query import PageQuery, Query
from app.groups.models import Group, GroupBan, GroupInvite, GroupLink, GroupMember
from app.groups.schemas import (
    BanItem,
    GroupCard,
    GroupDetail,
    GroupItem,
    GroupSort,
    LinkItem,
    LinkPreview,
    MemberItem,
    MyGroup,
    MyInvite,
)
from app.reactions.queries import person_card
from app.users.models import User
from app.users.queries import VIEWER, not_blocked

__all__ = ["BANS", "CARD", "FIRST_MEMBERS", "GROUP", "INVITE", "INVITES", "LINK", "LINKS", "LINK_PREVIEW", "MEMBERS"]
__all__ += ["MY_GROUPS", "MY_INVITES", "ONE_MEMBER", "card_columns", "groups_page", "seen"]

MOST_FIRST = 200
_GROUP_ID = bindparam("group_id", type_=Uuid)
_ME, _INVITE, _BY = aliased(GroupMember), aliased(GroupInvite), aliased(User)
_MINE = and_(_ME.group_id == Group.id, _ME.user_id == VIEWER)


def card_columns(prefix: str = "") -> list[Label[Any]]:
    """The columns of a GroupCard."""
    columns = (Group.id, Group.name, Group.description, Group.category, Group.cover_key)
    numbers = (Group.is_private, Group.owner_id, Group.member_count, Group.created_at)
    return [column.label(f"{prefix}{column.key}") for column in (*columns, *numbers)]


def _invited(invite: Any) -> ColumnElement[bool]:
    """The viewer has an invitation that waits."""
    return and_(invite.group_id == Group.id, invite.user_id == VIEWER, is_open(invite))


def seen() -> ColumnElement[bool]:
    """The viewer may see the group: it is public, or they belong to it or are invited."""
    me, invite = aliased(GroupMember), aliased(GroupInvite)
    return or_(
        ~Group.is_private,
        exists().where(me.group_id == Group.id, me.user_id == VIEWER),
        exists().where(_invited(invite)),
    )


CARD = Query(select(*card_columns()).where(Group.id == _GROUP_ID), into=GroupCard)

GROUP = Query(
    select(
        *card_columns(),
        _ME.role.label("role"),
        *person_card(_BY, "owner__"),
        case((_ME.muted_until > func.now(), _ME.muted_until)).label("muted_until"),
        _INVITE.id.label("invite_id"),
    )
    .select_from(Group)
    .outerjoin(_ME, _MINE)
    .outerjoin(_INVITE, _invited(_INVITE))
    .outerjoin(_BY, and_(_BY.id == Group.owner_id, not_blocked(_BY.id)))
    .where(Group.id == _GROUP_ID, or_(~Group.is_private, _ME.role.is_not(None), _INVITE.id.is_not(None))),
    into=GroupDetail,
)

_WORDS = func.to_tsvector(literal_column("'simple'"), Group.name_key)
_WANTED = func.to_tsquery(literal_column("'simple'"), bindparam("words", type_=Text))
_PREFIX = bindparam("prefix", type_=Text)
_FILTERS: dict[str, ColumnElement[bool]] = {
    "category": Group.category == bindparam("category", type_=Text),
    "words": _WORDS.op("@@", is_comparison=True)(_WANTED),
    "prefix": and_(Group.name_key >= _PREFIX, Group.name_key < func.concat(_PREFIX, literal_column("U&'\\+10FFFF'"))),
}
_ORDERS: dict[GroupSort, list[Any]] = {"new": [Group.id], "popular": [Group.member_count, Group.id]}


@cache
def groups_page(sort: GroupSort, filters: frozenset[str]) -> PageQuery[GroupItem]:
    """Groups in an order, held to the named filters: a statement for each choice, so that each has its plan."""
    items = select(*card_columns(), _ME.role.label("role")).select_from(Group).outerjoin(_ME, _MINE)
    listed = or_(~Group.is_private, _ME.role.is_not(None))
    where = [_FILTERS[name] for name in sorted(filters)]
    return PageQuery(items.where(listed, *where), into=GroupItem, order=_ORDERS[sort])


_LIVELY = func.coalesce(Channel.last_message_at, Group.created_at)
MY_GROUPS = PageQuery(
    select(
        *card_columns(),
        GroupMember.role,
        GroupMember.joined_at,
        (Channel.message_count - func.coalesce(ChannelReader.ordinal, literal_column("0"))).label("unread_count"),
        func.coalesce(ChannelReader.muted, literal_column("false")).label("muted"),
        Channel.last_message_at,
    )
    .select_from(GroupMember)
    .join(Group, Group.id == GroupMember.group_id)
    .join(Channel, Channel.id == Group.id)
    .outerjoin(ChannelReader, and_(ChannelReader.channel_id == Group.id, ChannelReader.user_id == VIEWER))
    .where(GroupMember.user_id == VIEWER),
    into=MyGroup,
    order=[_LIVELY, Group.id],
)

_EVERY_MEMBER = (
    select(
        *person_card(User, "user__"),
        GroupMember.role,
        GroupMember.joined_at,
        case((GroupMember.muted_until > func.now(), GroupMember.muted_until)).label("muted_until"),
    )
    .join_from(GroupMember, User, User.id == GroupMember.user_id)
    .where(GroupMember.group_id == _GROUP_ID)
)
_MEMBER = _EVERY_MEMBER.where(not_blocked(User.id))
_BY_RANK: Sequence[Any] = [GroupMember.rank, GroupMember.joined_at, GroupMember.user_id]
MEMBERS = PageQuery(
    _MEMBER.where(exists().where(Group.id == _GROUP_ID, seen())),
    into=MemberItem,
    order=_BY_RANK,
    ascending=True,
)
FIRST_MEMBERS = Query(
    _MEMBER.order_by(*_BY_RANK).limit(literal_column(str(MOST_FIRST))),
    into=MemberItem,
)

ONE_MEMBER = Query(_EVERY_MEMBER.where(GroupMember.user_id == bindparam("user_id", type_=Uuid)), into=MemberItem)

BANS = PageQuery(
    select(*person_card(User, "user__"), GroupBan.reason, GroupBan.until, *person_card(_BY, "banned_by__"))
    .add_columns(GroupBan.created_at)
    .join_from(GroupBan, User, User.id == GroupBan.user_id)
    .outerjoin(_BY, and_(_BY.id == GroupBan.banned_by_id, not_blocked(_BY.id)))
    .where(GroupBan.group_id == _GROUP_ID, func.coalesce(GroupBan.until, func.now()) >= func.now()),
    into=BanItem,
    order=[GroupBan.created_at, GroupBan.user_id],
)

_INVITATION = (
    select(GroupInvite.id, *person_card(User, "user__"), *person_card(_BY, "invited_by__"))
    .add_columns(GroupInvite.created_at, GroupInvite.expires_at)
    .join_from(GroupInvite, User, User.id == GroupInvite.user_id)
    .outerjoin(_BY, and_(_BY.id == GroupInvite.invited_by_id, not_blocked(_BY.id)))
    .where(is_open(GroupInvite), not_blocked(User.id))
)
INVITES = PageQuery(_INVITATION.where(GroupInvite.group_id == _GROUP_ID), into=InvitationItem, order=[GroupInvite.id])
INVITE = Query(_INVITATION.where(GroupInvite.id == bindparam("invite_id", type_=Uuid)), into=InvitationItem)
MY_INVITES = PageQuery(
    select(GroupInvite.id, *card_columns("group__"), *person_card(_BY, "invited_by__"))
    .add_columns(GroupInvite.created_at, GroupInvite.expires_at)
    .join_from(GroupInvite, Group, Group.id == GroupInvite.group_id)
    .join(_BY, _BY.id == GroupInvite.invited_by_id)
    .where(GroupInvite.user_id == VIEWER, is_open(GroupInvite), not_blocked(_BY.id)),
    into=MyInvite,
    order=[GroupInvite.id],
)

_LEFT = (GroupLink.max_uses - GroupLink.uses).label("uses_left")
_LINK = (
    select(GroupLink.id, *person_card(_BY, "created_by__"), GroupLink.uses, _LEFT)
    .add_columns(GroupLink.expires_at, GroupLink.created_at)
    .outerjoin_from(GroupLink, _BY, and_(_BY.id == GroupLink.created_by_id, not_blocked(_BY.id)))
)
LINKS = PageQuery(_LINK.where(GroupLink.group_id == _GROUP_ID), into=LinkItem, order=[GroupLink.id])
LINK = Query(_LINK.where(GroupLink.id == bindparam("link_id", type_=Uuid)), into=LinkItem)
LINK_PREVIEW = Query(
    select(*card_columns("group__"), _ME.role.label("role"), GroupLink.expires_at, _LEFT)
    .join_from(GroupLink, Group, Group.id == GroupLink.group_id)
    .outerjoin(_ME, _MINE)
    .where(GroupLink.digest == bindparam("digest")),
    into=LinkPreview,
)
