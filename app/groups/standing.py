"""How people stand in a group: the roles, who is above whom, and what a change of the group begins with."""

from dataclasses import dataclass
from typing import Final, get_args
from uuid import UUID

from sqlalchemy import select

from app.chat.log import append, hold
from app.core.auth import Principal
from app.core.db import Writer
from app.core.errors import Forbidden, NotFound
from app.core.query import Runs
from app.groups.models import Group, GroupMember
from app.groups.queries import CARD, GROUP, seen
from app.groups.schemas import GroupDetail, Role

__all__ = ["RANKS", "Held", "NotMember", "RankTooLow", "find_member", "hold_group", "require_reader", "tell_of_changes"]

RANKS: Final[dict[str, int]] = {role: number for number, role in enumerate(get_args(Role), 1)}
"""The lower the number, the higher the role."""


class NotMember(Forbidden):
    code, title = "not_member", "Only members may do this"


class RankTooLow(Forbidden):
    code, title = "rank_too_low", "Your role in this group does not allow it"


@dataclass(frozen=True, slots=True)
class Held:
    """A group in which nothing else happens until the transaction ends, and the actor's membership."""

    group: Group
    me: GroupMember | None

    def require(self, least: Role = "member") -> GroupMember:
        """The actor's membership, of this role or a higher one. Raises NotMember, RankTooLow."""
        if self.me is None:
            raise NotMember("Join the group first.")
        if RANKS[self.me.role] > RANKS[least]:
            raise RankTooLow(f"Only a group's {least} or somebody above may do this.")
        return self.me

    def require_above(self, other: GroupMember | None, least: Role = "moderator") -> GroupMember:
        """The actor's membership if it is above the other's. Raises NotMember, RankTooLow."""
        me = self.require(least)
        if other is not None and RANKS[me.role] >= RANKS[other.role]:
            raise RankTooLow("You may do this only to people below you.")
        return me


async def hold_group(db: Writer, actor: Principal, group_id: UUID) -> Held:
    """What every change of a group begins with. Raises NotFound, also for what the actor may not see."""
    await hold(db, group_id, kind="group")
    found = await db.execute(
        select(Group, GroupMember)
        .outerjoin(GroupMember, (GroupMember.group_id == Group.id) & (GroupMember.user_id == actor.user_id))
        .where(Group.id == group_id, seen()),
        {"viewer": actor.user_id},
    )
    row = found.one_or_none()
    if row is None:
        raise NotFound("There is no such group.")
    return Held(row[0], row[1])


async def find_member(db: Writer, group_id: UUID, user_id: UUID) -> GroupMember | None:
    """Somebody's membership."""
    return await db.get(GroupMember, (group_id, user_id))


async def require_reader(db: Runs, actor: Principal, group_id: UUID, least: Role = "member") -> GroupDetail:
    """The group for somebody who reads what is not for all. Raises NotFound, NotMember, RankTooLow."""
    group = await GROUP.first(db, group_id=group_id, viewer=actor.user_id)
    if group is None:
        raise NotFound("There is no such group.")
    if group.role is None:
        raise NotMember("Join the group first.")
    if RANKS[group.role] > RANKS[least]:
        raise RankTooLow(f"Only a group's {least} or somebody above may read this.")
    return group


async def tell_of_changes(db: Writer, group_id: UUID, *, actor_id: UUID) -> None:
    """Gives the group's sockets its card."""
    card = await CARD.first(db, group_id=group_id)
    assert card is not None, "its channel is held"
    await append(db, group_id, kind="channel.updated", actor_id=actor_id, data=card.model_dump())
