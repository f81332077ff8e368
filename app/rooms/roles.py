"""Who has which role, what each role may do, and to whom the room belongs. All of it is the owner's to say."""

from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from app.core.auth import Principal
from app.core.db import Writer
from app.core.errors import Invalid
from app.rooms.members import change_role, find_member, make_owner
from app.rooms.models import Room, RoomPermission
from app.rooms.rights import DEFAULTS, Changeable, Permission, standing
from app.rooms.schemas import MemberItem, RoomDetail
from app.rooms.service import NotOwner, get_room, load_room, tell_of_change

__all__ = ["change_permissions", "give_role", "hand_over"]


async def give_role(db: Writer, actor: Principal, room_id: UUID, username: str, role: Changeable) -> MemberItem:
    """Makes a member dj, member or guest. Raises NotFound, NotOwner, Invalid for the owner."""
    await _as_owner(db, actor, room_id)
    member = await find_member(db, room_id, username)
    if member.role == "owner":
        raise Invalid.field("/path/username", "An owner hands the room over to somebody else.", "owner")
    if member.role != role:
        await change_role(db, room_id, member.user.id, role, actor_id=actor.user_id)
    return await find_member(db, room_id, username)


async def change_permissions(
    db: Writer, actor: Principal, room_id: UUID, role: Changeable, wanted: dict[Permission, bool | None]
) -> RoomDetail:
    """Gives a role permissions, takes some, or goes back to the usual ones. Raises NotFound, NotOwner."""
    await _as_owner(db, actor, room_id)
    named = {"room_id": room_id, "role": role}
    await db.execute(delete(RoomPermission).filter_by(**named).where(RoomPermission.permission.in_(list(wanted))))
    unusual = [
        {**named, "permission": permission, "allowed": allowed}
        for permission, allowed in wanted.items()
        if allowed is not None and allowed != (permission in DEFAULTS[role])
    ]
    if unusual:
        await db.execute(insert(RoomPermission).values(unusual))
    await tell_of_change(db, room_id, actor_id=actor.user_id)
    return await get_room(db, actor, room_id)


async def hand_over(db: Writer, actor: Principal, room_id: UUID, username: str) -> RoomDetail:
    """Gives the room to another member; the actor stays as a dj. Raises NotFound, NotOwner, Invalid."""
    room = await _as_owner(db, actor, room_id)
    member = await find_member(db, room_id, username)
    if member.user.id == actor.user_id:
        raise Invalid.field("/body/username", "The room is yours already.", "self")
    await change_role(db, room_id, actor.user_id, "dj", actor_id=actor.user_id)
    await make_owner(db, room, member.user.id, actor_id=actor.user_id)
    return await get_room(db, actor, room_id)


async def _as_owner(db: Writer, actor: Principal, room_id: UUID) -> Room:
    room = await load_room(db, room_id)
    if (await standing(db, room_id, actor.user_id)).role != "owner":
        raise NotOwner("Ask the owner of the room.")
    return room
