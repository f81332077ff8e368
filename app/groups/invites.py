"""Invitations from person to person."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Uuid, delete, literal, select, update

from app.core.auth import Principal
from app.core.db import Reader, Writer
from app.core.errors import Conflict, Gone, NotFound
from app.core.ids import uuid7
from app.core.jobs import emit
from app.core.paging import Page, PageRequest
from app.groups.events import GroupInvited
from app.groups.membership import AlreadyMember, admit, find_ban
from app.groups.models import Group, GroupInvite
from app.groups.queries import INVITE, INVITES, MY_INVITES
from app.groups.schemas import GroupDetail, InviteItem, MyInvite
from app.groups.service import get_group
from app.groups.standing import RANKS, find_member, hold_group, require_reader
from app.users.models import User
from app.users.queries import visible

__all__ = [
    "AlreadyInvited",
    "InviteAnswered",
    "InviteExpired",
    "PersonBanned",
    "accept_invite",
    "decline_invite",
    "invite_person",
    "list_invites",
    "list_my_invites",
    "revoke_invite",
]

VALID_FOR = timedelta(days=14)


class AlreadyInvited(Conflict):
    code, title = "already_invited", "They have an invitation that waits for their answer"


class PersonBanned(Conflict):
    code, title = "person_banned", "They are banned from this group"


class InviteAnswered(Conflict):
    code, title = "invite_answered", "This invitation was answered already"


class InviteExpired(Gone):
    code, title = "invite_expired", "This invitation is too old"


async def invite_person(db: Writer, actor: Principal, group_id: UUID, username: str) -> InviteItem:
    """Invites somebody whose profile one may see. Into a private group only moderators and those above them may.

    Raises NotFound, NotMember, RankTooLow, AlreadyMember, AlreadyInvited, PersonBanned.
    """
    held = await hold_group(db, actor, group_id)
    held.require("moderator" if held.group.is_private else "member")
    person_id = await _find_person(db, actor, username)
    await _require_outside(db, group_id, person_id, username)
    await db.execute(delete(GroupInvite).filter_by(group_id=group_id, user_id=person_id))
    invite_id, expires_at = uuid7(), datetime.now(UTC) + VALID_FOR
    people = {"user_id": person_id, "invited_by_id": actor.user_id}
    db.add(GroupInvite(id=invite_id, group_id=group_id, status="pending", expires_at=expires_at, **people))
    await emit(db, GroupInvited(invite_id=invite_id, group_id=group_id, **people))
    item = await INVITE.first(db, invite_id=invite_id, viewer=actor.user_id)
    assert item is not None, "it was just made, and neither blocks the other"
    return item


async def list_invites(db: Reader, actor: Principal, group_id: UUID, page: PageRequest) -> Page[InviteItem]:
    """Who is invited and has not answered, the latest first. Raises NotFound, NotMember, RankTooLow."""
    await require_reader(db, actor, group_id, "moderator")
    return await INVITES.page(db, page, group_id=group_id, viewer=actor.user_id)


async def list_my_invites(db: Reader, actor: Principal, page: PageRequest) -> Page[MyInvite]:
    """What the actor is invited to, the latest first."""
    return await MY_INVITES.page(db, page, viewer=actor.user_id)


async def accept_invite(db: Writer, actor: Principal, invite_id: UUID) -> GroupDetail:
    """Joins the group. Raises NotFound, InviteAnswered, InviteExpired, Banned."""
    group_id = (await _find_own(db, actor, invite_id)).group_id
    held = await hold_group(db, actor, group_id)
    # once more: while we waited for the group it may have been answered, or taken back
    await _find_own(db, actor, invite_id)
    await admit(db, held.group, actor.user_id)
    return await get_group(db, actor, group_id)


async def decline_invite(db: Writer, actor: Principal, invite_id: UUID) -> None:
    """Says no. Raises NotFound, InviteAnswered, InviteExpired."""
    invite = await _find_own(db, actor, invite_id)
    own = update(GroupInvite).where(GroupInvite.id == invite.id, GroupInvite.status == "pending")
    if await db.scalar(own.values(status="declined").returning(GroupInvite.id)) is None:
        raise InviteAnswered


async def revoke_invite(db: Writer, actor: Principal, group_id: UUID, invite_id: UUID) -> None:
    """Takes back one's own invitation; moderators and those above them all. Raises NotFound, NotMember, RankTooLow."""
    held = await hold_group(db, actor, group_id)
    me = held.require()
    own = GroupInvite.group_id == group_id, GroupInvite.id == invite_id, GroupInvite.status == "pending"
    invite = await db.one(select(GroupInvite).where(*own))
    if invite is None or (invite.invited_by_id != me.user_id and RANKS[me.role] > RANKS["moderator"]):
        # an ordinary member does not see what others have sent
        raise NotFound("There is no such invitation.")
    await db.delete(invite)


async def _find_person(db: Writer, actor: Principal, username: str) -> UUID:
    seen = visible(User, literal(actor.user_id, Uuid))
    named = select(User.id).where(User.username_key == username.lower(), User.deleted_at.is_(None), seen)
    person_id = await db.scalar(named)
    if person_id is None:
        raise NotFound(f"There is nobody called {username}.")
    return person_id


async def _require_outside(db: Writer, group_id: UUID, person_id: UUID, username: str) -> None:
    if await find_member(db, group_id, person_id):
        raise AlreadyMember(f"{username} belongs to the group.")
    if await find_ban(db, group_id, person_id):
        raise PersonBanned(f"Lift the ban of {username} first.")
    pending = select(GroupInvite).filter_by(group_id=group_id, user_id=person_id, status="pending")
    waiting = await db.one(pending.where(GroupInvite.expires_at > datetime.now(UTC)))
    if waiting is not None:
        raise AlreadyInvited(f"{username} is invited already.", existing_id=str(waiting.id))


async def _find_own(db: Writer, actor: Principal, invite_id: UUID) -> GroupInvite:
    """The actor's invitation that can be answered. Raises NotFound, InviteAnswered, InviteExpired."""
    mine = select(GroupInvite).where(GroupInvite.id == invite_id, GroupInvite.user_id == actor.user_id)
    invite = await db.one(mine.join(Group, Group.id == GroupInvite.group_id).execution_options(populate_existing=True))
    if invite is None:
        raise NotFound("There is no such invitation.")
    if invite.status != "pending":
        raise InviteAnswered
    if invite.expires_at <= datetime.now(UTC):
        raise InviteExpired("Ask for a new one.")
    return invite
