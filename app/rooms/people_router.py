"""Roles, rights, kicks, bans and mutes in rooms."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query

from app.core.auth import CurrentUser
from app.core.errors import Forbidden, Invalid, NotFound, Unauthorized, problems
from app.core.http import ReadDB, Router, WriteDB
from app.core.limits import limited
from app.core.paging import Page, Paged
from app.rooms import discipline, roles
from app.rooms.rights import Changeable, NotAllowed, NotMember
from app.rooms.schemas import (
    BanInput,
    BanItem,
    HandOver,
    MemberItem,
    MuteInput,
    PermissionChanges,
    RoleInput,
    RoomDetail,
)
from app.rooms.service import NotOwner
from app.users.schemas import USERNAME

__all__ = ["router"]

router = Router(prefix="/rooms/{room_id}", tags=["rooms"], dependencies=[limited("rooms.people", 120, 60)])

OWNERS = problems(Unauthorized, Forbidden, NotMember, NotOwner, NotFound, Invalid)
RIGHTS = problems(Unauthorized, Forbidden, NotMember, NotAllowed, NotFound)
Username = Annotated[str, Path(pattern=USERNAME, description="Case does not matter", examples=["bruno"])]
Reason = Annotated[str, Query(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$", description="Shown to them and the room")]


@router.put("/owner", summary="Hand a room over", responses=OWNERS)
async def hand_over_room(room_id: UUID, body: HandOver, db: WriteDB, actor: CurrentUser) -> RoomDetail:
    """To somebody who is in it; you stay as a dj. Only the owner can."""
    return await roles.hand_over(db, actor, room_id, body.username)


@router.patch("/permissions/{role}", summary="Change what a role may do", responses=OWNERS)
async def change_room_permissions(
    room_id: UUID, role: Changeable, body: PermissionChanges, db: WriteDB, actor: CurrentUser
) -> RoomDetail:
    """Permissions that are not named stay as they are. Only the owner can."""
    return await roles.change_permissions(db, actor, room_id, role, body.permissions)


@router.put("/members/{username}/role", summary="Give somebody a role", responses=OWNERS)
async def set_room_role(
    room_id: UUID, username: Username, body: RoleInput, db: WriteDB, actor: CurrentUser
) -> MemberItem:
    """Only the owner can."""
    return await roles.give_role(db, actor, room_id, username, body.role)


@router.delete("/members/{username}", status_code=204, summary="Put somebody out", responses=RIGHTS)
async def kick_from_room(
    room_id: UUID, username: Username, db: WriteDB, actor: CurrentUser, reason: Reason = ""
) -> None:
    """Their sockets close at once; they may come back. Needs `members.kick`, and a role above theirs."""
    await discipline.kick(db, actor, room_id, username, reason=reason)


@router.put("/members/{username}/mute", summary="Mute somebody", responses=RIGHTS)
async def mute_in_room(
    room_id: UUID, username: Username, body: MuteInput, db: WriteDB, actor: CurrentUser
) -> MemberItem:
    """They hear and read, but cannot post. Needs `members.mute`, and a role above theirs."""
    return await discipline.mute(db, actor, room_id, username, minutes=body.minutes)


@router.delete("/members/{username}/mute", summary="Let somebody post again", responses=RIGHTS)
async def unmute_in_room(room_id: UUID, username: Username, db: WriteDB, actor: CurrentUser) -> MemberItem:
    """Needs `members.mute`, and a role above theirs."""
    return await discipline.unmute(db, actor, room_id, username)


@router.get("/bans", summary="Who is banned", responses=RIGHTS)
async def list_room_bans(room_id: UUID, db: ReadDB, actor: CurrentUser, page: Paged) -> Page[BanItem]:
    """The last one first. Needs `members.ban`."""
    return await discipline.list_bans(db, actor, room_id, page)


@router.put("/bans/{username}", status_code=204, summary="Ban somebody", responses=RIGHTS)
async def ban_from_room(room_id: UUID, username: Username, body: BanInput, db: WriteDB, actor: CurrentUser) -> None:
    """Puts them out and keeps them out. Needs `members.ban`, and a role above theirs."""
    await discipline.ban(db, actor, room_id, username, body)


@router.delete("/bans/{username}", status_code=204, summary="Lift a ban", responses=RIGHTS)
async def unban_from_room(room_id: UUID, username: Username, db: WriteDB, actor: CurrentUser) -> None:
    """They may come in again. Needs `members.ban`."""
    await discipline.unban(db, actor, room_id, username)
