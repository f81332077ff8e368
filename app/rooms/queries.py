"""Reads of rooms, their members, bans and invites."""

from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Label,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.orm import aliased

from app.catalog.models import Album, Artist, Track
from app.chat.invitations import is_open
from app.chat.models import Channel, ChannelReader, Heartbeat, Presence
from app.chat.presence import LIFE_SECONDS
from app.chat.schemas import InvitationItem
from app.core.query import PageQuery, Query
from app.reactions.queries import person_card
from app.rooms.models import Room, RoomBan, RoomInvitation, RoomInvite, RoomMember, RoomPermission
from app.rooms.playback_models import Playback
from app.rooms.schemas import (
    BanItem,
    InviteItem,
    LiveRoom,
    MemberItem,
    MyInvitation,
    OwnRoom,
    RoomDetail,
    RoomItem,
    RoomSort,
    RoomState,
)
from app.users.models import User
from app.users.queries import VIEWER, not_blocked

__all__ = [
    "BANS",
    "BY_IDS",
    "BY_INVITE",
    "BY_NAME",
    "DETAIL",
    "EVERY_MEMBER",
    "INVITATION",
    "INVITATIONS",
    "INVITE",
    "INVITES",
    "LIVE",
    "MEMBER",
    "MEMBERS",
    "MINE",
    "MY_INVITATIONS",
    "STATE",
    "rooms_page",
]

MOST_LIVE = 500
_ROOM_ID = bindparam("room_id", type_=Uuid)
_OWNER, _ME, _MAKER, _MINE = aliased(User), aliased(RoomMember), aliased(User), aliased(RoomInvitation)

_ALIVE = Heartbeat.seen_at > func.now() - func.make_interval(
    *[literal_column("0")] * 6, literal_column(f"{LIFE_SECONDS}")
)
_THERE = select(Presence.user_id).join(Heartbeat, Heartbeat.process_id == Presence.process_id).where(_ALIVE)
_PRESENT = (
    select(Presence.channel_id, func.cardinality(func.array_agg(Presence.user_id.distinct())).label("people"))
    .join(Heartbeat, Heartbeat.process_id == Presence.process_id)
    .where(_ALIVE)
    .group_by(Presence.channel_id)
    .subquery("present")
)
"""How many people are in each channel that has any, in one look at all sockets. Two tabs are one person."""
_PRESENT_HERE = func.cardinality(
    func.array(
        _THERE.where(Presence.channel_id == Room.id).distinct().correlate(Room).scalar_subquery(), type_=ARRAY(Uuid)
    ),
    type_=BigInteger,
)
_COUNT = type_coerce(func.coalesce(_PRESENT.c.people, 0), BigInteger)

_NOW: tuple[Label[Any], ...] = (
    Track.id.label("now_playing__id"),
    Track.title.label("now_playing__title"),
    Artist.name.label("now_playing__artist"),
    Artist.id.label("now_playing__artist_id"),
    Album.cover_key.label("now_playing__cover_key"),
    Track.duration_ms.label("now_playing__duration_ms"),
    Playback.playing.label("now_playing__playing"),
)
_CARD: tuple[Any, ...] = (
    Room.id,
    Room.name,
    Room.description,
    _OWNER.id.label("owner_id"),
    *person_card(_OWNER, "owner__"),
    Room.is_private,
    Room.password_hash.is_not(None).label("has_password"),
    Room.capacity,
    Room.member_count,
    Room.genres,
    Room.is_permanent,
    Room.entry_role,
    Room.queue_mode,
    Room.auto_dj,
    Room.items_per_person,
    Room.skip_quorum,
    Room.created_at,
)
_OVERRIDE = func.concat(RoomPermission.role, " ", RoomPermission.permission, " ", cast(RoomPermission.allowed, Text))
_OVERRIDES = func.array(
    select(_OVERRIDE).where(RoomPermission.room_id == Room.id).correlate(Room).scalar_subquery(), type_=ARRAY(Text)
).label("permissions")

_LISTED = or_(~Room.is_private, Room.password_hash.is_not(None))
"""Rooms that strangers may know of; the others are for who has an invite."""
_VISIBLE = or_(_ME.role.is_not(None), Room.owner_id == VIEWER, and_(_LISTED, not_blocked(Room.owner_id)))


def _hearing(rooms: Select[Any], told: ColumnElement[bool]) -> Select[Any]:
    """With what they hear, where that may be told: what a private room plays is for those who are in it."""
    shared = or_(Track.visibility == "public", Track.owner_id == cast(Playback.item["added_by"].astext, Uuid))
    rooms = rooms.outerjoin(Playback, Playback.room_id == Room.id)
    rooms = rooms.outerjoin(Track, and_(Track.id == Playback.track_id, shared, told))
    return rooms.outerjoin(Artist, Artist.id == Track.artist_id).outerjoin(Album, Album.id == Track.album_id)


def _items(present: ColumnElement[Any], *columns: Any) -> Select[Any]:
    """RoomItems for the viewer."""
    rooms = (
        select(*_CARD, present.label("present_count"), *_NOW, Room.last_active_at, _ME.role, *columns)
        .select_from(Room)
        .outerjoin(_OWNER, _OWNER.id == Room.owner_id)
        .outerjoin(_ME, and_(_ME.room_id == Room.id, _ME.user_id == VIEWER))
    )
    return _hearing(rooms, or_(~Room.is_private, _ME.role.is_not(None)))


_FILTERS: dict[str, ColumnElement[bool]] = {
    "genres": Room.genres.op("@>", is_comparison=True)(bindparam("genres", type_=ARRAY(Text))),
    "playing": Playback.playing.is_(True),
    "has_place": Room.member_count < Room.capacity,
    "name": func.starts_with(Room.name_key, bindparam("name", type_=Text)),
}


@cache
def rooms_page(sort: RoomSort, filters: frozenset[str]) -> PageQuery[RoomItem]:
    """Rooms in an order, held to the named filters: a statement for each choice, so that each has its plan."""
    where = (_VISIBLE, *(_FILTERS[name] for name in sorted(filters)))
    if sort == "new":
        return PageQuery(_items(_PRESENT_HERE).where(*where), into=RoomItem, order=[Room.id])
    lively = _items(_COUNT).outerjoin(_PRESENT, _PRESENT.c.channel_id == Room.id).where(*where)
    return PageQuery(lively, into=RoomItem, order=[_COUNT, Room.last_active_at, Room.id])


STATE = Query(
    select(*_CARD, _OVERRIDES)
    .select_from(Room)
    .outerjoin(_OWNER, _OWNER.id == Room.owner_id)
    .where(Room.id == _ROOM_ID),
    into=RoomState,
)
_INVITED = and_(_MINE.room_id == Room.id, _MINE.user_id == VIEWER, is_open(_MINE), not_blocked(Room.owner_id))
_DETAIL = (
    _items(_PRESENT_HERE, _OVERRIDES, _MINE.id.label("invitation_id"))
    .outerjoin(_MINE, _INVITED)
    .where(or_(_VISIBLE, _MINE.id.is_not(None)))
)
DETAIL = Query(_DETAIL.where(Room.id == _ROOM_ID), into=RoomDetail)
BY_NAME = Query(_DETAIL.where(Room.name_key == bindparam("name", type_=Text)), into=RoomDetail)
BY_IDS = Query(
    _items(_PRESENT_HERE).where(Room.id == any_(bindparam("ids", type_=ARRAY(Uuid))), _VISIBLE), into=RoomItem
)
_OPEN_INVITE = and_(
    or_(RoomInvite.expires_at.is_(None), RoomInvite.expires_at > func.now()),
    or_(RoomInvite.max_uses.is_(None), RoomInvite.uses < RoomInvite.max_uses),
)
BY_INVITE = Query(
    _items(_PRESENT_HERE)
    .join(RoomInvite, RoomInvite.room_id == Room.id)
    .where(RoomInvite.code == bindparam("code", type_=Text), _OPEN_INVITE, not_blocked(Room.owner_id)),
    into=RoomItem,
)
_READ = and_(ChannelReader.channel_id == Room.id, ChannelReader.user_id == VIEWER)
MINE = PageQuery(
    _items(
        _PRESENT_HERE,
        (Channel.message_count - func.coalesce(ChannelReader.ordinal, 0)).label("unread_count"),
        func.coalesce(ChannelReader.muted, False).label("muted"),
        _ME.joined_at,
    )
    .join(Channel, Channel.id == Room.id)
    .outerjoin(ChannelReader, _READ)
    .where(_ME.user_id == VIEWER),
    into=OwnRoom,
    order=[_ME.joined_at, _ME.room_id],
)
LIVE = Query(
    _hearing(
        select(Room.id, Room.name, Room.owner_id, Room.member_count, _COUNT.label("present_count"), *_NOW)
        .select_from(Room)
        .outerjoin(_PRESENT, _PRESENT.c.channel_id == Room.id),
        ~Room.is_private,
    )
    .where(_LISTED, or_(_PRESENT.c.people > 0, Playback.playing.is_(True)))
    .order_by(_COUNT.desc(), Room.last_active_at.desc())
    .limit(literal_column(str(MOST_LIVE))),
    into=LiveRoom,
)

_MUTED_UNTIL = case((RoomMember.muted_until > func.now(), RoomMember.muted_until)).label("muted_until")
_MEMBER = (
    select(*person_card(User, "user__"), RoomMember.role, RoomMember.joined_at, _MUTED_UNTIL)
    .select_from(RoomMember)
    .join(User, User.id == RoomMember.user_id)
    .where(RoomMember.room_id == _ROOM_ID)
)
MEMBERS = PageQuery(
    _MEMBER.where(not_blocked(User.id)),
    into=MemberItem,
    order=[RoomMember.joined_at, RoomMember.user_id],
    ascending=True,
)
EVERY_MEMBER = Query(
    _MEMBER.where(not_blocked(User.id)).order_by(RoomMember.joined_at, RoomMember.user_id), into=MemberItem
)
MEMBER = Query(_MEMBER.where(User.username_key == bindparam("username", type_=Text)), into=MemberItem)
BANS = PageQuery(
    select(*person_card(User, "user__"), RoomBan.reason, RoomBan.until, RoomBan.created_at)
    .join_from(RoomBan, User, User.id == RoomBan.user_id)
    .where(RoomBan.room_id == _ROOM_ID, or_(RoomBan.until.is_(None), RoomBan.until > func.now())),
    into=BanItem,
    order=[RoomBan.created_at, RoomBan.user_id],
)
_INVITES = (
    select(
        RoomInvite.id,
        RoomInvite.code,
        *person_card(_MAKER, "made_by__"),
        RoomInvite.max_uses,
        RoomInvite.uses,
        RoomInvite.expires_at,
        RoomInvite.created_at,
    )
    .select_from(RoomInvite)
    .outerjoin(_MAKER, _MAKER.id == RoomInvite.made_by_id)
    .where(RoomInvite.room_id == _ROOM_ID)
)
INVITES = PageQuery(_INVITES, into=InviteItem, order=[RoomInvite.id])
INVITE = Query(_INVITES.where(RoomInvite.id == bindparam("invite_id", type_=Uuid)), into=InviteItem)

_BY, _WHEN = aliased(User), (RoomInvitation.created_at, RoomInvitation.expires_at)
_INVITATION = (
    select(RoomInvitation.id, *person_card(User, "user__"), *person_card(_BY, "invited_by__"), *_WHEN)
    .join_from(RoomInvitation, User, User.id == RoomInvitation.user_id)
    .outerjoin(_BY, and_(_BY.id == RoomInvitation.invited_by_id, not_blocked(_BY.id)))
    .where(is_open(RoomInvitation), not_blocked(User.id))
)
INVITATIONS = PageQuery(
    _INVITATION.where(RoomInvitation.room_id == _ROOM_ID), into=InvitationItem, order=[RoomInvitation.id]
)
INVITATION = Query(_INVITATION.where(RoomInvitation.id == bindparam("invitation_id", type_=Uuid)), into=InvitationItem)
_ROOM_CARD = [column.label(f"room__{column.key}") for column in select(*_CARD).selected_columns]
MY_INVITATIONS = PageQuery(
    select(RoomInvitation.id, *_ROOM_CARD, *person_card(_BY, "invited_by__"), *_WHEN)
    .join_from(RoomInvitation, Room, Room.id == RoomInvitation.room_id)
    .join(_BY, _BY.id == RoomInvitation.invited_by_id)
    .outerjoin(_OWNER, _OWNER.id == Room.owner_id)
    .where(RoomInvitation.user_id == VIEWER, is_open(RoomInvitation), not_blocked(_BY.id), not_blocked(Room.owner_id)),
    into=MyInvitation,
    order=[RoomInvitation.id],
)
