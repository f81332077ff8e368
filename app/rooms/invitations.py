"""Invitations to rooms, from person to person. Links are in `invites`."""

from uuid import UUID

from sqlalchemy import Uuid, literal, select

from app.chat.invitations import PersonBanned, add_invitation, decline, find_invitee, find_own, take_back
from app.chat.schemas import InvitationItem
from app.core.auth import Principal
from app.core.db import Reader, Writer
from app.core.errors import Conflict, NotFound
from app.core.jobs import emit
from app.core.paging import Page, PageRequest
from app.rooms.events import RoomInvited
from app.rooms.members import admit, find_ban
from app.rooms.models import Room, RoomInvitation, RoomMember
from app.rooms.queries import INVITATION, INVITATIONS, MY_INVITATIONS
from app.rooms.rights import require, standing
from app.rooms.schemas import MyInvitation, RoomDetail
from app.rooms.service import load_room
from app.users.queries import not_blocked

__all__ = ["PersonInRoom", "accept_invitation", "decline_invitation", "invite_person", "list_invitations"]
__all__ += ["list_my_invitations", "revoke_invitation"]


class PersonInRoom(Conflict):
    code, title = "person_in_room", "They are in this room"


async def invite_person(db: Writer, actor: Principal, room_id: UUID, username: str) -> InvitationItem:
    """Invites somebody whose profile one may see, and whom the owner does not keep out.

    Raises NotFound, Forbidden, PersonInRoom, AlreadyInvited, PersonBanned.
    """
    await load_room(db, room_id)
    require(await standing(db, room_id, actor.user_id), "members.invite")
    person_id = await find_invitee(db, actor, username)
    await _require_welcome(db, room_id, person_id, username)
    invitation_id = await add_invitation(db, actor, RoomInvitation, room_id, person_id)
    people = {"user_id": person_id, "invited_by_id": actor.user_id}
    await emit(db, RoomInvited(invite_id=invitation_id, room_id=room_id, **people))
    item = await INVITATION.first(db, invitation_id=invitation_id, viewer=actor.user_id)
    assert item is not None, "it was just made, and neither blocks the other"
    return item


async def list_invitations(db: Reader, actor: Principal, room_id: UUID, page: PageRequest) -> Page[InvitationItem]:
    """Who is invited and has not answered, the latest first. Raises NotFound, Forbidden."""
    require(await standing(db, room_id, actor.user_id), "members.invite")
    return await INVITATIONS.page(db, page, room_id=room_id, viewer=actor.user_id)


async def list_my_invitations(db: Reader, actor: Principal, page: PageRequest) -> Page[MyInvitation]:
    """The rooms that the actor is invited to, the latest first."""
    return await MY_INVITATIONS.page(db, page, viewer=actor.user_id)


async def accept_invitation(db: Writer, actor: Principal, invitation_id: UUID) -> RoomDetail:
    """Comes in, without a password.

    Raises NotFound, InviteAnswered, InviteExpired, AlreadyInRoom, BannedFromRoom, RoomFull.
    """
    room_id = (await find_own(db, actor, RoomInvitation, invitation_id)).room_id
    room = await load_room(db, room_id)
    # once more: while we waited for the room it may have been answered, or taken back
    await find_own(db, actor, RoomInvitation, invitation_id)
    return await admit(db, actor, room)


async def decline_invitation(db: Writer, actor: Principal, invitation_id: UUID) -> None:
    """Says no. Raises NotFound, InviteAnswered, InviteExpired."""
    await decline(db, actor, RoomInvitation, invitation_id)


async def revoke_invitation(db: Writer, actor: Principal, room_id: UUID, invitation_id: UUID) -> None:
    """Takes an invitation back, whoever sent it. Raises NotFound, Forbidden."""
    await load_room(db, room_id)
    require(await standing(db, room_id, actor.user_id), "members.invite")
    await take_back(db, actor, RoomInvitation, room_id, invitation_id, every=True)


async def _require_welcome(db: Writer, room_id: UUID, person_id: UUID, username: str) -> None:
    if await db.get(RoomMember, (room_id, person_id)):
        raise PersonInRoom(f"{username} is here.")
    if await find_ban(db, room_id, person_id):
        raise PersonBanned(f"Lift the ban of {username} first.")
    apart = not_blocked(Room.owner_id, literal(person_id, Uuid))
    if await db.one(select(Room.id).where(Room.id == room_id, apart)) is None:
        raise NotFound(f"There is nobody called {username} who could come in.")
