"""Members of groups: their roles, and what keeps order."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from app.core.auth import CurrentUser
from app.core.errors import Forbidden, NotFound, Unauthorized, problems
from app.core.http import ReadDB, Router, WriteDB
from app.core.limits import limited
from app.core.paging import Page, Paged
from app.groups import membership, moderation
from app.groups.schemas import BanInput, BanItem, MemberItem, MemberState, MuteMemberInput, Reason, RoleInput
from app.groups.standing import NotMember, RankTooLow

__all__ = ["router"]

router = Router(prefix="/groups/{group_id}", tags=["groups"])

RANKED = problems(Unauthorized, NotMember, RankTooLow, NotFound)
ORDERS = [limited("groups.moderate", 240, 60)]


@router.get("/members", summary="Members of a group", responses=problems(Unauthorized, Forbidden, NotFound))
async def list_group_members(group_id: UUID, db: ReadDB, actor: CurrentUser, page: Paged) -> Page[MemberItem]:
    """The owner first, then by role and by the time when they came."""
    return await membership.list_members(db, actor, group_id, page)


@router.patch("/members/{user_id}", summary="Change a member's role", responses=RANKED, dependencies=ORDERS)
async def change_group_role(
    group_id: UUID, user_id: UUID, body: RoleInput, db: WriteDB, actor: CurrentUser
) -> MemberState:
    """For admins and the owner: a role below their own, for people below them. Everybody may step down."""
    return await membership.change_role(db, actor, group_id, user_id, body.role)


@router.delete("/members/{user_id}", status_code=204, summary="Put a member out", responses=RANKED, dependencies=ORDERS)
async def kick_group_member(
    group_id: UUID, user_id: UUID, db: WriteDB, actor: CurrentUser, reason: Annotated[Reason, Query()] = ""
) -> None:
    """For moderators and above: people below them. Who was put out may come again."""
    await moderation.kick(db, actor, group_id, user_id, reason=reason)


@router.put("/members/{user_id}/mute", summary="Mute a member", responses=RANKED, dependencies=ORDERS)
async def mute_group_member(
    group_id: UUID, user_id: UUID, body: MuteMemberInput, db: WriteDB, actor: CurrentUser
) -> MemberState:
    """They read, but do not speak until then. To leave and come again does not help."""
    return await moderation.mute_member(db, actor, group_id, user_id, until=body.until)


@router.delete("/members/{user_id}/mute", summary="Let a member speak again", responses=RANKED, dependencies=ORDERS)
async def unmute_group_member(group_id: UUID, user_id: UUID, db: WriteDB, actor: CurrentUser) -> MemberState:
    """Who is not muted stays so."""
    return await moderation.mute_member(db, actor, group_id, user_id, until=None)


@router.get("/bans", summary="Who is banned from a group", responses=RANKED)
async def list_group_bans(group_id: UUID, db: ReadDB, actor: CurrentUser, page: Paged) -> Page[BanItem]:
    """For moderators and above; the latest first."""
    return await moderation.list_bans(db, actor, group_id, page)


@router.put(
    "/bans/{user_id}", status_code=204, summary="Ban somebody from a group", responses=RANKED, dependencies=ORDERS
)
async def ban_from_group(group_id: UUID, user_id: UUID, body: BanInput, db: WriteDB, actor: CurrentUser) -> None:
    """A member is put out at once; who is no member can be banned too. Again, it changes the end and the reason."""
    await moderation.ban(db, actor, group_id, user_id, body)


@router.delete("/bans/{user_id}", status_code=204, summary="Lift a ban", responses=RANKED, dependencies=ORDERS)
async def unban_from_group(group_id: UUID, user_id: UUID, db: WriteDB, actor: CurrentUser) -> None:
    """Without one nothing changes."""
    await moderation.unban(db, actor, group_id, user_id)
