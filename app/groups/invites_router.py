"""Ways into groups: invitations and links."""

from typing import Annotated
from uuid import UUID

from fastapi import Path

from app.chat.invitations import AlreadyInvited, InviteAnswered, InviteExpired, PersonBanned
from app.chat.schemas import InvitationInput, InvitationItem
from app.core.auth import CurrentUser
from app.core.errors import Forbidden, NotFound, Unauthorized, problems
from app.core.http import ReadDB, Router, WriteDB
from app.core.limits import limited
from app.core.paging import Page, Paged
from app.groups import invites, links
from app.groups.links import LinkEnded
from app.groups.membership import AlreadyMember, Banned
from app.groups.schemas import (
    GroupDetail,
    LinkInput,
    LinkItem,
    LinkPreview,
    MyInvite,
    NewLink,
)
from app.groups.standing import NotMember, RankTooLow

__all__ = ["router"]

router = Router(prefix="/groups", tags=["groups"])

RANKED = problems(Unauthorized, NotMember, RankTooLow, NotFound)
ANSWERED = problems(Unauthorized, Forbidden, NotFound, InviteAnswered, InviteExpired)
# the tokens are too long to be guessed; whoever tries all the same is slow
LINKS = [limited("groups.links", 60, 60)]
Token = Annotated[str, Path(max_length=100, examples=["Zk3v0Yx1rJmQp5sT8uWd2aBc"])]


@router.get("/invites", summary="Your invitations", responses=problems(Unauthorized, Forbidden))
async def list_my_group_invites(db: ReadDB, actor: CurrentUser, page: Paged) -> Page[MyInvite]:
    """Those that wait for your answer, the latest first."""
    return await invites.list_my_invites(db, actor, page)


@router.post(
    "/invites/{invite_id}/accept",
    summary="Accept an invitation",
    responses=ANSWERED | problems(Forbidden, Banned) | problems(InviteAnswered, AlreadyMember),
)
async def accept_group_invite(invite_id: UUID, db: WriteDB, actor: CurrentUser) -> GroupDetail:
    """You belong to the group then."""
    return await invites.accept_invite(db, actor, invite_id)


@router.post("/invites/{invite_id}/decline", status_code=204, summary="Decline an invitation", responses=ANSWERED)
async def decline_group_invite(invite_id: UUID, db: WriteDB, actor: CurrentUser) -> None:
    """Whoever invited you is not told."""
    await invites.decline_invite(db, actor, invite_id)


@router.get(
    "/links/{token}",
    summary="Where a link leads",
    responses=problems(Unauthorized, Forbidden, NotFound, LinkEnded),
    dependencies=LINKS,
)
async def look_at_group_link(token: Token, db: ReadDB, actor: CurrentUser) -> LinkPreview:
    """The group, also a private one; looking does not use the link up."""
    return await links.look_at_link(db, actor, token)


@router.post(
    "/links/{token}/redeem",
    summary="Join by a link",
    responses=problems(Unauthorized, Forbidden, Banned, NotFound, AlreadyMember, LinkEnded),
    dependencies=LINKS,
)
async def redeem_group_link(token: Token, db: WriteDB, actor: CurrentUser) -> GroupDetail:
    """Counts as one use; not if you are there already."""
    return await links.redeem_link(db, actor, token)


@router.post(
    "/{group_id}/invites",
    status_code=201,
    summary="Invite somebody",
    responses=RANKED | problems(AlreadyMember, AlreadyInvited, PersonBanned),
    dependencies=[limited("groups.invite", 60, 600)],
)
async def invite_to_group(group_id: UUID, body: InvitationInput, db: WriteDB, actor: CurrentUser) -> InvitationItem:
    """Members invite to public groups; to private ones moderators and above. It is valid for 14 days."""
    return await invites.invite_person(db, actor, group_id, body.username)


@router.get("/{group_id}/invites", summary="Who is invited", responses=RANKED)
async def list_group_invites(group_id: UUID, db: ReadDB, actor: CurrentUser, page: Paged) -> Page[InvitationItem]:
    """For moderators and above: those who have not answered yet, the latest first."""
    return await invites.list_invites(db, actor, group_id, page)


@router.delete("/{group_id}/invites/{invite_id}", status_code=204, summary="Take back an invitation", responses=RANKED)
async def revoke_group_invite(group_id: UUID, invite_id: UUID, db: WriteDB, actor: CurrentUser) -> None:
    """Your own; moderators and above everybody's."""
    await invites.revoke_invite(db, actor, group_id, invite_id)


@router.post(
    "/{group_id}/links",
    status_code=201,
    summary="Make a link",
    responses=RANKED,
    dependencies=[limited("groups.write", 60, 60)],
)
async def create_group_link(group_id: UUID, body: LinkInput, db: WriteDB, actor: CurrentUser) -> NewLink:
    """For moderators and above. Whoever has the token may join; it is shown this once."""
    return await links.create_link(db, actor, group_id, body)


@router.get("/{group_id}/links", summary="A group's links", responses=RANKED)
async def list_group_links(group_id: UUID, db: ReadDB, actor: CurrentUser, page: Paged) -> Page[LinkItem]:
    """For moderators and above; the latest first, also those that are used up."""
    return await links.list_links(db, actor, group_id, page)


@router.delete("/{group_id}/links/{link_id}", status_code=204, summary="Revoke a link", responses=RANKED)
async def revoke_group_link(group_id: UUID, link_id: UUID, db: WriteDB, actor: CurrentUser) -> None:
    """It lets nobody in any longer; who came by it stays."""
    await links.revoke_link(db, actor, group_id, link_id)
