"""Kicks, bans and mutes. People act only on those whose role is below theirs."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from app.chat.log import append
from app.core.auth import Principal
from app.core.db import Reader, Writer
from app.core.errors import NotFound
from app.core.paging import Page, PageRequest
from app.rooms.members import find_member, take_out
from app.rooms.models import Room, RoomBan, RoomInvitation, RoomMember
from app.rooms.queries import BANS
from app.rooms.rights import NotAllowed, Permission, Role, Standing, require, require_rank, standing
from app.rooms.schemas import BanInput, BanItem, MemberItem
from app.rooms.service import load_room
from app.users.models import User

__all__ = ["ban", "kick", "list_bans", "mute", "unban", "unmute"]

FOR_EVER = datetime(9999, 12, 31, tzinfo=UTC)
"""Until when somebody is muted whom nobody means to hear again."""


async def kick(db: Writer, actor: Principal, room_id: UUID, username: str, *, reason: str) -> None:
    """Puts somebody out; they may come back. Raises NotFound, Forbidden."""
    room, mine = await _begin(db, actor, room_id, "members.kick")
    member = await _below(db, mine, room_id, username)
    said = {"reason": reason}
    await take_out(db, room, member.user.id, kind="member.kicked", actor_id=actor.user_id, said=said)


async def ban(db: Writer, actor: Principal, room_id: UUID, username: str, terms: BanInput) -> None:
    """Keeps somebody out, whether they are in the room or not; puts them out. Raises NotFound, Forbidden."""
    room, mine = await _begin(db, actor, room_id, "members.ban")
    user_id = await _person_id(db, username)
    role: Role | None = await db.scalar(select(RoomMember.role).filter_by(room_id=room_id, user_id=user_id))
    if user_id == room.owner_id:
        raise NotAllowed("Nobody bans the owner from their room.")
    if role is not None:
        require_rank(mine, role)
    until = _until(terms.minutes)
    values = {"banned_by_id": actor.user_id, "reason": terms.reason, "until": until, "created_at": datetime.now(UTC)}
    row = insert(RoomBan).values(room_id=room_id, user_id=user_id, **values)
    await db.execute(row.on_conflict_do_update(index_elements=[RoomBan.room_id, RoomBan.user_id], set_=values))
    await db.execute(delete(RoomInvitation).filter_by(room_id=room_id, user_id=user_id, status="pending"))
    said = {"until": until, "reason": terms.reason}
    if role is not None:
        await take_out(db, room, user_id, kind="member.banned", actor_id=actor.user_id, said=said)


async def unban(db: Writer, actor: Principal, room_id: UUID, username: str) -> None:
    """Lets somebody come in again. Raises NotFound, Forbidden."""
    await _begin(db, actor, room_id, "members.ban")
    user_id = await _person_id(db, username)
    gone = delete(RoomBan).filter_by(room_id=room_id, user_id=user_id).returning(RoomBan.user_id)
    if await db.scalar(gone) is None:
        raise NotFound(f"{username} is not banned.")


async def mute(db: Writer, actor: Principal, room_id: UUID, username: str, *, minutes: int | None) -> MemberItem:
    """Keeps somebody from posting, for so many minutes or for ever. Raises NotFound, Forbidden."""
    return await _mute(db, actor, room_id, username, until=_until(minutes) or FOR_EVER)


async def unmute(db: Writer, actor: Principal, room_id: UUID, username: str) -> MemberItem:
    """Lets somebody post again. Raises NotFound, Forbidden."""
    return await _mute(db, actor, room_id, username, until=None)


async def list_bans(db: Reader, actor: Principal, room_id: UUID, page: PageRequest) -> Page[BanItem]:
    """Who may not come in now, the last one first. Raises NotFound, Forbidden."""
    require(await standing(db, room_id, actor.user_id), "members.ban")
    return await BANS.page(db, page, room_id=room_id)


async def _mute(db: Writer, actor: Principal, room_id: UUID, username: str, *, until: datetime | None) -> MemberItem:
    _, mine = await _begin(db, actor, room_id, "members.mute")
    member = await _below(db, mine, room_id, username)
    theirs = update(RoomMember).filter_by(room_id=room_id, user_id=member.user.id)
    await db.execute(theirs.values(muted_until=until))
    data = {"user_id": member.user.id, "until": until}
    await append(db, room_id, kind="member.muted", actor_id=actor.user_id, data=data)
    return await find_member(db, room_id, username)


async def _begin(db: Writer, actor: Principal, room_id: UUID, permission: Permission) -> tuple[Room, Standing]:
    room = await load_room(db, room_id)
    mine = await standing(db, room_id, actor.user_id)
    require(mine, permission)
    return room, mine


async def _below(db: Writer, mine: Standing, room_id: UUID, username: str) -> MemberItem:
    member = await find_member(db, room_id, username)
    require_rank(mine, member.role)
    return member


async def _person_id(db: Writer, username: str) -> UUID:
    """Also of somebody who blocked the actor: to keep each other out is what both want."""
    found = await db.one(select(User.id).where(User.username_key == username.lower(), User.deleted_at.is_(None)))
    if found is None:
        raise NotFound(f"There is nobody called {username}.")
    return found


def _until(minutes: int | None) -> datetime | None:
    return datetime.now(UTC) + timedelta(minutes=minutes) if minutes is not None else None
