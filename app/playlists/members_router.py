"""Who works on playlists."""

from uuid import UUID

from app.core.auth import CurrentUser, MaybeUser
from app.core.errors import Forbidden, NotFound, Unauthorized, problems
from app.core.http import ReadDB, Router, WriteDB
from app.core.limits import limited
from app.core.paging import Page, Paged
from app.playlists import members
from app.playlists.inputs import InviteInput, OwnerInput, RoleInput
from app.playlists.members import AlreadyCollaborator, AlreadyInvited, NotInvited, OwnerStays, TooManyCollaborators
from app.playlists.schemas import MemberItem, PlaylistDetail, PlaylistInvite
from app.playlists.standing import NotOwner

__all__ = ["router"]

router = Router(prefix="/playlists", tags=["playlists"])

OWNED = problems(Unauthorized, NotOwner, NotFound)
INVITED = problems(Unauthorized, Forbidden, NotFound, NotInvited)
ORDERS = [limited("playlists.members", 60, 60)]


@router.get("/invites", summary="Your invitations", responses=problems(Unauthorized, Forbidden))
async def list_my_playlist_invites(db: ReadDB, actor: CurrentUser, page: Paged) -> Page[PlaylistInvite]:
    """Those that wait for your answer, the latest first."""
    return await members.list_invites(db, actor, page)


@router.post(
    "/{playlist_id}/accept",
    summary="Accept an invitation",
    responses=INVITED | problems(AlreadyCollaborator),
    dependencies=ORDERS,
)
async def accept_playlist_invite(playlist_id: UUID, db: WriteDB, actor: CurrentUser) -> PlaylistDetail:
    """You belong to the playlist then."""
    return await members.accept(db, actor, playlist_id)


@router.post(
    "/{playlist_id}/decline", status_code=204, summary="Decline an invitation", responses=INVITED, dependencies=ORDERS
)
async def decline_playlist_invite(playlist_id: UUID, db: WriteDB, actor: CurrentUser) -> None:
    """Whoever invited you is not told."""
    await members.decline(db, actor, playlist_id)


@router.get("/{playlist_id}/members", summary="Who belongs to a playlist", responses=problems(NotFound))
async def list_playlist_members(playlist_id: UUID, db: ReadDB, actor: MaybeUser, page: Paged) -> Page[MemberItem]:
    """In the order in which they were asked. Those who have not answered yet see only those who belong to it."""
    return await members.list_members(db, actor, playlist_id, page)


@router.post(
    "/{playlist_id}/members",
    status_code=201,
    summary="Invite somebody to a playlist",
    responses=OWNED | problems(AlreadyCollaborator, AlreadyInvited, TooManyCollaborators),
    dependencies=ORDERS,
)
async def invite_to_playlist(playlist_id: UUID, body: InviteInput, db: WriteDB, actor: CurrentUser) -> MemberItem:
    """For its owner. They are notified, and belong to it once they accept."""
    return await members.invite(db, actor, playlist_id, body.username, role=body.role)


@router.patch(
    "/{playlist_id}/members/{user_id}",
    summary="Change a collaborator's role",
    responses=OWNED | problems(OwnerStays),
    dependencies=ORDERS,
)
async def change_playlist_role(
    playlist_id: UUID, user_id: UUID, body: RoleInput, db: WriteDB, actor: CurrentUser
) -> MemberItem:
    """For its owner. Editors change what is in it, viewers see it though it is private."""
    return await members.change_role(db, actor, playlist_id, user_id, body.role)


@router.delete(
    "/{playlist_id}/members/{user_id}",
    status_code=204,
    summary="Take somebody out of a playlist",
    responses=OWNED | problems(OwnerStays),
    dependencies=ORDERS,
)
async def remove_from_playlist(playlist_id: UUID, user_id: UUID, db: WriteDB, actor: CurrentUser) -> None:
    """For its owner, also to take an invitation back. Everybody may leave; what they added stays."""
    await members.remove_collaborator(db, actor, playlist_id, user_id)


@router.put("/{playlist_id}/owner", summary="Give a playlist away", responses=OWNED, dependencies=ORDERS)
async def transfer_playlist(playlist_id: UUID, body: OwnerInput, db: WriteDB, actor: CurrentUser) -> PlaylistDetail:
    """To somebody who belongs to it. You stay as an editor."""
    return await members.transfer(db, actor, playlist_id, body.user_id)
