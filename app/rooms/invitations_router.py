"""Invitations to rooms, for one person each."""

from uuid import UUID

from app.chat.invitations import AlreadyInvited, InviteAnswered, InviteExpired, PersonBanned
from app.chat.schemas import InvitationInput, InvitationItem
from app.core.auth import CurrentUser
from app.core.errors import Forbidden, NotFound, Unauthorized, problems
from app.core.http import ReadDB, Router, WriteDB
from app.core.limits import limited
from app.core.paging import Page, Paged
from app.rooms import invitations
from app.rooms.invitations import PersonInRoom
from app.rooms.members import AlreadyInRoom, BannedFromRoom, RoomFull
from app.rooms.rights import NotAllowed, NotMember
from app.rooms.schemas import MyInvitation, RoomDetail

__all__ = ["router"]

router = Router(prefix="/rooms", tags=["rooms"])

RIGHTS = problems(Unauthorized, Forbidden, NotMember, NotAllowed, NotFound)
ANSWERED = problems(Unauthorized, Forbidden, NotFound, InviteAnswered, InviteExpired)


@router.get("/invitations", summary="Your invitations to rooms", responses=problems(Unauthorized, Forbidden))
async def list_my_room_invitations(db: ReadDB, actor: CurrentUser, page: Paged) -> Page[MyInvitation]:
    """Those that wait for your answer, the latest first."""
    return await invitations.list_my_invitations(db, actor, page)


@router.post(
    "/invitations/{invitation_id}/accept",
    summary="Accept an invitation to a room",
    responses=ANSWERED | problems(Forbidden, BannedFromRoom, RoomFull) | problems(InviteAnswered, AlreadyInRoom),
)
async def accept_room_invitation(invitation_id: UUID, db: WriteDB, actor: CurrentUser) -> RoomDetail:
    """You are in the room then; no password is needed."""
    return await invitations.accept_invitation(db, actor, invitation_id)


@router.post(
    "/invitations/{invitation_id}/decline",
    status_code=204,
    summary="Decline an invitation to a room",
    responses=ANSWERED,
)
async def decline_room_invitation(invitation_id: UUID, db: WriteDB, actor: CurrentUser) -> None:
    """Whoever invited you is not told."""
    await invitations.decline_invitation(db, actor, invitation_id)


@router.post(
    "/{room_id}/invitations",
    status_code=201,
    summary="Invite somebody to a room",
    responses=RIGHTS | problems(PersonInRoom, AlreadyInvited, PersonBanned),
    dependencies=[limited("rooms.invite", 60, 600)],
)
async def invite_to_room(room_id: UUID, body: InvitationInput, db: WriteDB, actor: CurrentUser) -> InvitationItem:
    """They are notified, and come in without the password. It is valid for 14 days. Needs `members.invite`."""
    return await invitations.invite_person(db, actor, room_id, body.username)


@router.get("/{room_id}/invitations", summary="Who is invited to a room", responses=RIGHTS)
async def list_room_invitations(room_id: UUID, db: ReadDB, actor: CurrentUser, page: Paged) -> Page[InvitationItem]:
    """Those who have not answered yet, the latest first. Needs `members.invite`."""
    return await invitations.list_invitations(db, actor, room_id, page)


@router.delete(
    "/{room_id}/invitations/{invitation_id}",
    status_code=204,
    summary="Take back an invitation to a room",
    responses=RIGHTS,
)
async def revoke_room_invitation(room_id: UUID, invitation_id: UUID, db: WriteDB, actor: CurrentUser) -> None:
    """Whoever sent it. Needs `members.invite`."""
    await invitations.revoke_invitation(db, actor, room_id, invitation_id)
