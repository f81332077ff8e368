"""Coming, going, and the roles of members."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from app.chat.invitations import mark_accepted
from app.chat.log import append
from app.chat.models import ChannelReader
from app.chat.reading import start_reading
from app.core.auth import Principal
from app.core.db import Reader, Writer
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.paging import Page, PageRequest
from app.groups.models import Group, GroupBan, GroupInvite, GroupMember, GroupMute
from app.groups.queries import MEMBERS, ONE_MEMBER
from app.groups.schemas import GroupDetail, MemberItem, MemberState, Role
from app.groups.service import get_group
from app.groups.standing import RANKS, RankTooLow, find_member, hold_group

__all__ = [
    "AlreadyMember",
    "Banned",
    "CloseItInstead",
    "TransferFirst",
    "admit",
    "change_role",
    "find_ban",
    "hand_over",
    "join_group",
    "leave_group",
    "list_members",
    "member_state",
    "remove",
    "require_member",
    "transfer_group",
]


class AlreadyMember(Conflict):
    code, title = "already_member", "They belong to the group already"


class Banned(Forbidden):
    code, title = "banned", "You are banned from this group"


class TransferFirst(Conflict):
    code, title = "transfer_ownership_first", "The owner cannot leave before the group belongs to somebody else"


class CloseItInstead(Conflict):
    code, title = "delete_group_instead", "The owner is the only member; a group without members is deleted"


async def join_group(db: Writer, actor: Principal, group_id: UUID) -> GroupDetail:
    """Joins a group that is public or to which one is invited. Raises NotFound, AlreadyMember, Banned."""
    held = await hold_group(db, actor, group_id)
    await admit(db, held.group, actor.user_id)
    return await get_group(db, actor, group_id)


async def leave_group(db: Writer, actor: Principal, group_id: UUID) -> None:
    """Leaves a group. Raises NotFound, NotMember, TransferFirst, CloseItInstead."""
    held = await hold_group(db, actor, group_id)
    me = held.require()
    if me.role == "owner" and held.group.member_count == 1:
        raise CloseItInstead("Nobody else is here. Delete the group.")
    if me.role == "owner":
        raise TransferFirst("Give the group to another member first, or delete it.")
    await remove(db, held.group, me, kind="member.left", actor_id=actor.user_id)


async def list_members(db: Reader, actor: Principal, group_id: UUID, page: PageRequest) -> Page[MemberItem]:
    """The owner first, then by role and time, without people who block the actor or are blocked. Raises NotFound."""
    found = await MEMBERS.page(db, page, group_id=group_id, viewer=actor.user_id)
    if not found.items:
        await get_group(db, actor, group_id)
    return found


async def change_role(db: Writer, actor: Principal, group_id: UUID, user_id: UUID, role: Role) -> MemberState:
    """Gives a role below one's own to somebody below oneself, or takes a lower one. Raises NotFound, RankTooLow."""
    held = await hold_group(db, actor, group_id)
    member = await require_member(db, group_id, user_id)
    me = held.require()
    steps_down = me is member and me.role != "owner" and RANKS[role] >= RANKS[me.role]
    if not steps_down:
        held.require_above(member, "admin")
        if RANKS[role] <= RANKS[me.role]:
            raise RankTooLow("Give roles below your own.")
    if member.role != role:
        member.role = role
        data = {"user_id": user_id, "role": role}
        await append(db, group_id, kind="member.role", actor_id=actor.user_id, data=data)
    return member_state(member)


async def transfer_group(db: Writer, actor: Principal, group_id: UUID, user_id: UUID) -> GroupDetail:
    """Gives the group to another member; its owner becomes an admin.

    Raises NotFound, NotMember, RankTooLow, Invalid.
    """
    held = await hold_group(db, actor, group_id)
    if (me := held.require()).role != "owner":
        raise RankTooLow("Only its owner may give a group away.")
    heir = await require_member(db, group_id, user_id)
    if heir is me:
        raise Invalid.field("/body/user_id", "The group is yours already.", "same")
    me.role = "admin"
    await db.flush()
    await hand_over(db, held.group, heir, actor_id=actor.user_id, previous_id=actor.user_id)
    return await get_group(db, actor, group_id)


async def hand_over(
    db: Writer, group: Group, heir: GroupMember, *, actor_id: UUID | None, previous_id: UUID | None
) -> None:
    """Makes a member the owner of a group that has none now."""
    heir.role = "owner"
    heir.muted_until = None
    group.owner_id = heir.user_id
    data = {"user_id": heir.user_id, "previous_id": previous_id}
    await append(db, group.id, kind="owner.changed", actor_id=actor_id, data=data)


async def admit(db: Writer, group: Group, user_id: UUID) -> None:
    """Lets somebody into a group that is held. Raises AlreadyMember, Banned."""
    if await find_member(db, group.id, user_id):
        raise AlreadyMember("You belong to this group already.", group_id=str(group.id))
    if ban := await find_ban(db, group.id, user_id):
        end: dict[str, Any] = {"until": ban.until.isoformat()} if ban.until else {}
        raise Banned(ban.reason and f"The reason: {ban.reason}", **end)
    mine = {"group_id": group.id, "user_id": user_id}
    muted_until = await db.scalar(delete(GroupMute).filter_by(**mine).returning(GroupMute.until))
    db.add(GroupMember(**mine, role="member", muted_until=muted_until))
    group.member_count += 1
    await mark_accepted(db, GroupInvite, group.id, user_id)
    await start_reading(db, group.id, user_id)
    item = await ONE_MEMBER.first(db, **mine)
    assert item is not None, "they have just come in"
    data = {**item.model_dump(), "member_count": group.member_count}
    await append(db, group.id, kind="member.joined", actor_id=user_id, data=data)


async def remove(
    db: Writer, group: Group, member: GroupMember, *, kind: str, actor_id: UUID | None, **said: Any
) -> None:
    """Takes a membership in a group that is held, and ends the person's sockets in it."""
    mine = {"group_id": group.id, "user_id": member.user_id}
    if member.muted_until and member.muted_until > datetime.now(UTC):
        keep = insert(GroupMute).values(**mine, until=member.muted_until)
        await db.execute(keep.on_conflict_do_update(index_elements=list(mine), set_={"until": keep.excluded.until}))
    await db.delete(member)
    group.member_count -= 1
    # who comes again has nothing unread
    await db.execute(delete(ChannelReader).filter_by(channel_id=group.id, user_id=member.user_id))
    data = {"user_id": member.user_id, "member_count": group.member_count, **said}
    await append(db, group.id, kind=kind, actor_id=actor_id, data=data, removes=member.user_id)


async def require_member(db: Writer, group_id: UUID, user_id: UUID) -> GroupMember:
    """Somebody's membership. Raises NotFound."""
    member = await find_member(db, group_id, user_id)
    if member is None:
        raise NotFound("There is no such member.")
    return member


async def find_ban(db: Writer, group_id: UUID, user_id: UUID) -> GroupBan | None:
    """The ban that keeps somebody out now."""
    ban = await db.one(select(GroupBan).where(GroupBan.group_id == group_id, GroupBan.user_id == user_id))
    return ban if ban and (ban.until is None or ban.until > datetime.now(UTC)) else None


def member_state(member: GroupMember) -> MemberState:
    """How somebody stands now."""
    muted = member.muted_until if member.muted_until and member.muted_until > datetime.now(UTC) else None
    return MemberState(user_id=member.user_id, role=member.role, muted_until=muted)
