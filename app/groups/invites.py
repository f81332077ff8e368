"""Invitations to groups, from person to person."""

from uuid import UUID

from app.chat.invitations import PersonBanned, add_invitation, decline, find_invitee, find_own, take_back
from app.chat.schemas import InvitationItem
from app.core.auth import Principal
from app.core.db import Reader, Writer
from app.core.jobs import emit
from app.core.paging import Page, PageRequest
from app.groups.events import GroupInvited
from app.groups.membership import AlreadyMember, admit, find_ban
from app.groups.models import GroupInvite
from app.groups.queries import INVITE, INVITES, MY_INVITES
from app.groups.schemas import GroupDetail, MyInvite
from app.groups.service import get_group
from app.groups.standing import RANKS, find_member, hold_group, require_reader

__all__ = ["accept_invite", "decline_invite", "invite_person", "list_invites", "list_my_invites", "revoke_invite"]


async def invite_person(db: Writer, actor: Principal, group_id: UUID, username: str) -> InvitationItem:
    """Invites somebody whose profile one may see. Into a private group only moderators and those above them may.

    Raises NotFound, NotMember, RankTooLow, AlreadyMember, AlreadyInvited, PersonBanned.
    """
    held = await hold_group(db, actor, group_id)
    held.require("moderator" if held.group.is_private else "member")
    person_id = await find_invitee(db, actor, username)
    if await find_member(db, group_id, person_id):
        raise AlreadyMember(f"{username} belongs to the group.")
    if await find_ban(db, group_id, person_id):
        raise PersonBanned(f"Lift the ban of {username} first.")
    invite_id = await add_invitation(db, actor, GroupInvite, group_id, person_id)
    people = {"user_id": person_id, "invited_by_id": actor.user_id}
    await emit(db, GroupInvited(invite_id=invite_id, group_id=group_id, **people))
    item = await INVITE.first(db, invite_id=invite_id, viewer=actor.user_id)
    assert item is not None, "it was just made, and neither blocks the other"
    return item


async def list_invites(db: Reader, actor: Principal, group_id: UUID, page: PageRequest) -> Page[InvitationItem]:
    """Who is invited and has not answered, the latest first. Raises NotFound, NotMember, RankTooLow."""
    await require_reader(db, actor, group_id, "moderator")
    return await INVITES.page(db, page, group_id=group_id, viewer=actor.user_id)


async def list_my_invites(db: Reader, actor: Principal, page: PageRequest) -> Page[MyInvite]:
    """What the actor is invited to, the latest first."""
    return await MY_INVITES.page(db, page, viewer=actor.user_id)


async def accept_invite(db: Writer, actor: Principal, invite_id: UUID) -> GroupDetail:
    """Joins the group. Raises NotFound, InviteAnswered, InviteExpired, Banned."""
    group_id = (await find_own(db, actor, GroupInvite, invite_id)).group_id
    held = await hold_group(db, actor, group_id)
    # once more: while we waited for the group it may have been answered, or taken back
    await find_own(db, actor, GroupInvite, invite_id)
    await admit(db, held.group, actor.user_id)
    return await get_group(db, actor, group_id)


async def decline_invite(db: Writer, actor: Principal, invite_id: UUID) -> None:
    """Says no. Raises NotFound, InviteAnswered, InviteExpired."""
    await decline(db, actor, GroupInvite, invite_id)


async def revoke_invite(db: Writer, actor: Principal, group_id: UUID, invite_id: UUID) -> None:
    """Takes back one's own invitation; moderators and those above them all. Raises NotFound, NotMember."""
    held = await hold_group(db, actor, group_id)
    every = RANKS[held.require().role] <= RANKS["moderator"]
    await take_back(db, actor, GroupInvite, group_id, invite_id, every=every)
