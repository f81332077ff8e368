"""What becomes of the groups of people who leave SoundScore."""

from uuid import UUID

from sqlalchemy import delete, select

from app.chat.invitations import forget_invitations
from app.chat.log import hold
from app.core.db import Database, Writer
from app.groups.membership import hand_over, remove
from app.groups.models import Group, GroupBan, GroupInvite, GroupMember, GroupMute
from app.groups.service import close_group
from app.groups.standing import find_member

__all__ = ["forget_memberships"]


async def forget_memberships(db: Database, user_id: UUID) -> None:
    """Takes the person out of all groups, one transaction for each, and deletes what else speaks of them there."""
    mine = select(GroupMember.group_id).where(GroupMember.user_id == user_id).limit(1)
    while (group_id := await db.reader.one(mine)) is not None:
        async with db.write() as writer:
            await _leave(writer, group_id, user_id)
    async with db.write() as writer:
        await forget_invitations(writer, GroupInvite, user_id)
        await writer.execute(delete(GroupBan).where(GroupBan.user_id == user_id))
        await writer.execute(delete(GroupMute).where(GroupMute.user_id == user_id))


async def _leave(db: Writer, group_id: UUID, user_id: UUID) -> None:
    await hold(db, group_id, kind="group")
    group = await db.one(select(Group).where(Group.id == group_id))
    member = await find_member(db, group_id, user_id)
    if group is None or member is None:
        return
    if group.member_count == 1:
        await close_group(db, group, actor_id=user_id)
        return
    was_owner = member.role == "owner"
    await remove(db, group, member, kind="member.left", actor_id=user_id)
    if was_owner:
        by_rank = select(GroupMember).where(GroupMember.group_id == group_id, GroupMember.user_id != user_id)
        heir = await db.one(by_rank.order_by(GroupMember.rank, GroupMember.joined_at, GroupMember.user_id).limit(1))
        assert heir is not None, "there is another member"
        await hand_over(db, group, heir, actor_id=None, previous_id=user_id)
