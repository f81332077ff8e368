"""What follows for groups when people leave, and what this module adds to an export. Loads what registers itself."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import select

from app.chat.invitations import every_invitation
from app.core.db import Reader, Writer
from app.core.jobs import enqueue, job, on
from app.groups import channel, cover
from app.groups.leaving import forget_memberships
from app.groups.models import Group, GroupInvite, GroupMember
from app.users.events import AccountDeleted
from app.users.exports import every_row, exported

__all__ = ["begin_to_leave_groups", "channel", "cover", "leave_groups"]


class GroupLeaver(BaseModel):
    """Who left."""

    user_id: UUID


@on(AccountDeleted)
async def begin_to_leave_groups(db: Writer, event: AccountDeleted) -> None:
    """Each of their groups takes a transaction of its own."""
    await enqueue(db, leave_groups, GroupLeaver(user_id=event.user_id))


@job()
async def leave_groups(infra: Any, leaver: GroupLeaver) -> None:
    """What belongs to them passes to the next. A second run finds what the first has left."""
    await forget_memberships(infra.db, leaver.user_id)


@exported("groups")
def export_groups(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """Where the person belongs."""
    groups = select(GroupMember.group_id, Group.name, GroupMember.role, GroupMember.joined_at)
    groups = groups.join(Group, Group.id == GroupMember.group_id).where(GroupMember.user_id == user_id)
    return every_row(db, groups, key=GroupMember.group_id)


@exported("group_invites")
def export_invites(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """Invitations to the person and by them."""
    return every_invitation(db, GroupInvite, user_id)
