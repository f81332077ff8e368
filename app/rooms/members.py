"""Coming into rooms, leaving them, and who is in them."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, delete, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from app.chat.invitations import is_open, mark_accepted
from app.chat.log import append
from app.chat.models import ChannelReader
from app.chat.reading import start_reading
from app.core.auth import Principal
from app.core.db import Reader, Writer
from app.core.errors import Conflict, Forbidden, NotFound, Unauthorized
from app.core.infra import Infra
from app.core.paging import Page, PageRequest
from app.core.query import Runs
from app.rooms.models import Room, RoomBan, RoomInvitation, RoomInvite, RoomLimit, RoomMember, RoomVisit
from app.rooms.queries import BY_INVITE, MEMBER, MEMBERS
from app.rooms.rights import Role, require_reader
from app.rooms.schemas import Entrance, InvitePreview, MemberItem, RoomDetail
from app.rooms.service import close_room, get_room, load_room, tell_of_change, viewer_of
from app.users.models import User
from app.users.queries import not_blocked
from app.users.schemas import PersonCard

__all__ = [
    "AlreadyInRoom",
    "BannedFromRoom",
    "InviteOver",
    "NotInRoom",
    "RoomFull",
    "WrongPassword",
    "admit",
    "change_role",
    "find_ban",
    "find_member",
    "get_invite_preview",
    "join_by_invite",
    "join_room",
    "leave_room",
    "list_members",
    "make_owner",
    "settle",
    "take_out",
]


class AlreadyInRoom(Conflict):
    code, title = "already_in_room", "You are in this room"


class NotInRoom(Conflict):
    code, title = "not_in_room", "You are not in this room"


class WrongPassword(Unauthorized):
    code, title = "wrong_room_password", "This is not the password of the room"


class BannedFromRoom(Forbidden):
    code, title = "banned_from_room", "You are banned from this room"


class RoomFull(Forbidden):
    code, title = "room_full", "The room is full"


class InviteOver(NotFound):
    code, title = "invite_over", "This invite does not lead anywhere any more"


async def join_room(infra: Infra, actor: Principal, room_id: UUID, entrance: Entrance) -> RoomDetail:
    """Lets the actor in. Raises NotFound, AlreadyInRoom, BannedFromRoom, WrongPassword, InviteOver, RoomFull."""
    # before the transaction: it takes long on purpose
    proven = await _proven(infra, room_id, entrance.password)
    async with infra.db.write() as db:
        room = await load_room(db, room_id)
        await _refuse(db, actor, room)
        if entrance.invite is not None:
            await _use_invite(db, entrance.invite, room_id)
        elif room.is_private and room.owner_id != actor.user_id and not await _is_invited(db, actor, room):
            _check_password(room, proven)
        return await _let_in(db, actor, room)


async def join_by_invite(db: Writer, actor: Principal, code: str) -> RoomDetail:
    """Lets the actor in by a link alone. Raises InviteOver, AlreadyInRoom, BannedFromRoom, RoomFull."""
    room_id = await db.scalar(select(RoomInvite.room_id).where(RoomInvite.code == code))
    if room_id is None:
        raise InviteOver("Ask for a new one.")
    room = await load_room(db, room_id)
    await _refuse(db, actor, room)
    await _use_invite(db, code, room_id)
    return await _let_in(db, actor, room)


async def admit(db: Writer, actor: Principal, room: Room) -> RoomDetail:
    """Lets the actor into a room that is held. Raises NotFound, AlreadyInRoom, BannedFromRoom, RoomFull."""
    await _refuse(db, actor, room)
    return await _let_in(db, actor, room)


async def leave_room(db: Writer, actor: Principal, room_id: UUID) -> None:
    """Takes the actor out. An owner is followed by the dj, else the member, who came first. Raises NotFound, NotInRoom.

    A temporary room is closed behind the last one; a permanent one stays, and stays theirs.
    """
    room = await load_room(db, room_id)
    role = await db.scalar(select(RoomMember.role).filter_by(room_id=room_id, user_id=actor.user_id))
    if role is None:
        await get_room(db, actor, room_id)
        raise NotInRoom("There is nothing to leave.")
    await take_out(db, room, actor.user_id, kind="member.left", actor_id=actor.user_id)
    await settle(db, room, actor.user_id)


async def list_members(db: Reader, actor: Principal | None, room_id: UUID, page: PageRequest) -> Page[MemberItem]:
    """Who is in a room, the first to come first. Raises NotFound, NotMember."""
    await require_reader(db, room_id, viewer_of(actor))
    return await MEMBERS.page(db, page, room_id=room_id, viewer=viewer_of(actor))


async def get_invite_preview(db: Reader, actor: Principal, code: str) -> InvitePreview:
    """The room that a link leads to. Raises InviteOver."""
    room = await BY_INVITE.first(db, code=code, viewer=actor.user_id)
    if room is None:
        raise InviteOver("Ask for a new one.")
    return InvitePreview(room=room)


async def find_member(db: Runs, room_id: UUID, username: str) -> MemberItem:
    """Somebody who is in the room. Raises NotFound."""
    found = await MEMBER.first(db, room_id=room_id, username=username.lower())
    if found is None:
        raise NotFound(f"{username} is not in this room.")
    return found


async def find_ban(db: Writer, room_id: UUID, user_id: UUID) -> RoomBan | None:
    """The ban that keeps somebody out now."""
    still = or_(RoomBan.until.is_(None), RoomBan.until > func.now())
    return await db.one(select(RoomBan).filter_by(room_id=room_id, user_id=user_id).where(still))


async def take_out(
    db: Writer, room: Room, user_id: UUID, *, kind: str, actor_id: UUID, said: dict[str, Any] | None = None
) -> None:
    """Ends a membership and the person's sockets. The room is held."""
    gone = delete(RoomMember).filter_by(room_id=room.id, user_id=user_id).returning(RoomMember)
    member = await db.scalar(gone)
    if member is not None:
        await _remember_limits(db, room, member)
    # who comes again has nothing unread
    await db.execute(delete(ChannelReader).filter_by(channel_id=room.id, user_id=user_id))
    await db.flush()
    room.member_count -= 1
    data = {"user_id": user_id, "member_count": room.member_count, **(said or {})}
    await append(db, room.id, kind=kind, actor_id=actor_id, data=data, removes=user_id)


async def _remember_limits(db: Writer, room: Room, member: RoomMember) -> None:
    """Whoever may not speak, or less than those who come in, is not rid of that by coming again."""
    until = member.muted_until if member.muted_until and member.muted_until > datetime.now(UTC) else None
    role = "guest" if member.role == "guest" and room.entry_role != "guest" else None
    if until or role:
        kept = {"muted_until": until, "role": role}
        row = insert(RoomLimit).values(room_id=room.id, user_id=member.user_id, **kept)
        await db.execute(row.on_conflict_do_update(index_elements=[RoomLimit.room_id, RoomLimit.user_id], set_=kept))


async def settle(db: Writer, room: Room, left_id: UUID) -> None:
    """After somebody left: a room without its owner gets another one, a temporary one without anybody is closed."""
    if room.member_count == 0:
        if not room.is_permanent:
            await close_room(db, room.id, actor_id=left_id)
    elif room.owner_id == left_id:
        ranks = func.array_position(["dj", "member", "guest"], RoomMember.role)
        longest = select(RoomMember.user_id).filter_by(room_id=room.id)
        heir = await db.one(longest.order_by(ranks, RoomMember.joined_at, RoomMember.user_id).limit(1))
        assert heir is not None, "somebody is counted"
        await make_owner(db, room, heir, actor_id=left_id)


async def make_owner(db: Writer, room: Room, user_id: UUID, *, actor_id: UUID) -> None:
    """Gives the room to one of its members, who is heard then. There is no owner among them now."""
    room.owner_id = user_id
    muted = update(RoomMember).filter_by(room_id=room.id, user_id=user_id).where(RoomMember.muted_until.is_not(None))
    if await db.scalar(muted.values(muted_until=None).returning(RoomMember.user_id)):
        await append(db, room.id, kind="member.muted", actor_id=actor_id, data={"user_id": user_id, "until": None})
    await change_role(db, room.id, user_id, "owner", actor_id=actor_id)
    await append(db, room.id, kind="owner.changed", actor_id=actor_id, data={"user_id": user_id})
    await tell_of_change(db, room.id, actor_id=actor_id)


async def change_role(db: Writer, room_id: UUID, user_id: UUID, role: Role, *, actor_id: UUID) -> None:
    """Writes a role down and tells of it. The room is held."""
    theirs = update(RoomMember).filter_by(room_id=room_id, user_id=user_id)
    await db.execute(theirs.values(role=role))
    await append(db, room_id, kind="member.role", actor_id=actor_id, data={"user_id": user_id, "role": role})


async def _proven(infra: Infra, room_id: UUID, password: str | None) -> str | None:
    """The hash that the password fits. It is compared with the room's when the room is held."""
    if password is None:
        return None
    hashed = await infra.db.reader.one(select(Room.password_hash).where(Room.id == room_id))
    return hashed if hashed and await infra.passwords.verify(password, hashed) else None


def _check_password(room: Room, proven: str | None) -> None:
    if room.password_hash is None:
        raise NotFound("There is no such room.")
    if proven is None or proven != room.password_hash:
        raise WrongPassword("Ask somebody in the room for it.")


async def _refuse(db: Writer, actor: Principal, room: Room) -> None:
    """Raises NotFound for a room of somebody who blocks the actor, or the other way, AlreadyInRoom, BannedFromRoom."""
    mine = {"room_id": room.id, "user_id": actor.user_id}
    if await db.scalar(select(RoomMember.role).filter_by(**mine)):
        raise AlreadyInRoom("Connect to its socket.")
    if await db.one(select(Room.id).where(Room.id == room.id, not_blocked(Room.owner_id, _person(actor)))) is None:
        raise NotFound("There is no such room.")
    ban = await find_ban(db, room.id, actor.user_id)
    if ban and ban.until:
        raise BannedFromRoom(ban.reason, until=ban.until.isoformat())
    if ban:
        raise BannedFromRoom(ban.reason)


def _person(actor: Principal) -> ColumnElement[UUID]:
    return literal(actor.user_id, Uuid)


async def _is_invited(db: Writer, actor: Principal, room: Room) -> bool:
    mine = select(RoomInvitation.id).filter_by(room_id=room.id, user_id=actor.user_id)
    return await db.one(mine.where(is_open(RoomInvitation))) is not None


async def _use_invite(db: Writer, code: str, room_id: UUID) -> None:
    """Counts a use. Raises InviteOver. Held by the room: of many at once, no more come in than it says."""
    open_one = (
        update(RoomInvite)
        .where(
            RoomInvite.code == code,
            RoomInvite.room_id == room_id,
            or_(RoomInvite.expires_at.is_(None), RoomInvite.expires_at > func.now()),
            or_(RoomInvite.max_uses.is_(None), RoomInvite.uses < RoomInvite.max_uses),
        )
        .values(uses=RoomInvite.uses + 1)
    )
    if await db.scalar(open_one.returning(RoomInvite.id)) is None:
        raise InviteOver("Ask for a new one.")


async def _let_in(db: Writer, actor: Principal, room: Room) -> RoomDetail:
    if room.member_count >= room.capacity:
        raise RoomFull(f"At most {room.capacity} people have a place here.", capacity=room.capacity)
    mine = {"room_id": room.id, "user_id": actor.user_id}
    room.member_count += 1
    room.last_active_at = datetime.now(UTC)
    limit = await db.scalar(delete(RoomLimit).filter_by(**mine).returning(RoomLimit))
    is_owner = room.owner_id in {actor.user_id, None}
    role: Any = "owner" if is_owner else limit.role or room.entry_role if limit else room.entry_role
    db.add(RoomMember(**mine, role=role, muted_until=limit.muted_until if limit and not is_owner else None))
    visit = insert(RoomVisit).values(mine)
    again = {"visits": RoomVisit.visits + 1, "last_at": func.now()}
    await db.execute(visit.on_conflict_do_update(index_elements=[RoomVisit.user_id, RoomVisit.room_id], set_=again))
    await mark_accepted(db, RoomInvitation, room.id, actor.user_id)
    await start_reading(db, room.id, actor.user_id)
    card = await db.one(select(User).where(User.id == actor.user_id))
    data = {"user": PersonCard.model_validate(card).model_dump(), "role": role, "member_count": room.member_count}
    await append(db, room.id, kind="member.joined", actor_id=actor.user_id, data=data)
    if room.owner_id is None:
        room.owner_id = actor.user_id
        await append(db, room.id, kind="owner.changed", actor_id=actor.user_id, data={"user_id": actor.user_id})
        await tell_of_change(db, room.id, actor_id=actor.user_id)
    return await get_room(db, actor, room.id)
