"""What keeps a group in order: kicking, banning, muting. Always downwards."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from app.chat.log import append
from app.core.auth import Principal
from app.core.db import Reader, Writer
from app.core.errors import Invalid, NotFound
from app.core.paging import Page, PageRequest
from app.groups.membership import member_state, remove, require_member
from app.groups.models import GroupBan, GroupInvite
from app.groups.queries import BANS
from app.groups.schemas import BanInput, BanItem, MemberState
from app.groups.standing import RankTooLow, find_member, hold_group, require_reader
from app.users.models import User

__all__ = ["ban", "kick", "list_bans", "mute_member", "require_future", "unban"]


async def kick(db: Writer, actor: Principal, group_id: UUID, user_id: UUID, *, reason: str) -> None:
    """Puts a member out; they may come again. Raises NotFound, NotMember, RankTooLow."""
    held = await hold_group(db, actor, group_id)
    held.require("moderator")
    member = await require_member(db, group_id, user_id)
    held.require_above(member)
    await remove(db, held.group, member, kind="member.kicked", actor_id=actor.user_id, reason=reason)


async def ban(db: Writer, actor: Principal, group_id: UUID, user_id: UUID, given: BanInput) -> None:
    """Puts somebody out and keeps them out, also who never was in. Raises NotFound, NotMember, RankTooLow, Invalid."""
    require_future(given.until, "until")
    held = await hold_group(db, actor, group_id)
    held.require("moderator")
    member = await find_member(db, group_id, user_id)
    if user_id == actor.user_id:
        raise RankTooLow("You cannot ban yourself.")
    held.require_above(member)
    await _require_person(db, user_id)
    values = {"banned_by_id": actor.user_id, **given.model_dump()}
    put = insert(GroupBan).values(group_id=group_id, user_id=user_id, **values)
    await db.execute(put.on_conflict_do_update(index_elements=["group_id", "user_id"], set_=values))
    mine = {"group_id": group_id, "user_id": user_id}
    await db.execute(delete(GroupInvite).filter_by(**mine, status="pending"))
    if member is not None:
        said = given.model_dump()
        await remove(db, held.group, member, kind="member.banned", actor_id=actor.user_id, **said)


async def unban(db: Writer, actor: Principal, group_id: UUID, user_id: UUID) -> None:
    """Lets somebody come again. Raises NotFound, NotMember, RankTooLow."""
    held = await hold_group(db, actor, group_id)
    held.require("moderator")
    await db.execute(delete(GroupBan).filter_by(group_id=group_id, user_id=user_id))


async def list_bans(db: Reader, actor: Principal, group_id: UUID, page: PageRequest) -> Page[BanItem]:
    """Who may not come in, the latest first. Raises NotFound, NotMember, RankTooLow."""
    await require_reader(db, actor, group_id, "moderator")
    return await BANS.page(db, page, group_id=group_id, viewer=actor.user_id)


async def mute_member(
    db: Writer, actor: Principal, group_id: UUID, user_id: UUID, *, until: datetime | None
) -> MemberState:
    """Lets a member not speak until a moment, or speak again. Raises NotFound, NotMember, RankTooLow, Invalid."""
    require_future(until, "until")
    held = await hold_group(db, actor, group_id)
    held.require("moderator")
    member = await require_member(db, group_id, user_id)
    held.require_above(member)
    if member.muted_until != until:
        member.muted_until = until
        data = {"user_id": user_id, "until": until}
        await append(db, group_id, kind="member.muted", actor_id=actor.user_id, data=data)
    return member_state(member)


def require_future(moment: datetime | None, field: str) -> None:
    """Raises Invalid for a moment that has passed."""
    if moment is not None and moment <= datetime.now(UTC):
        raise Invalid.field(f"/body/{field}", "Name a moment to come.", "past")


async def _require_person(db: Writer, user_id: UUID) -> None:
    if await db.one(select(User.id).where(User.id == user_id, User.deleted_at.is_(None))) is None:
        raise NotFound("There is no such person.")
