"""Groups: making, finding, changing and closing them, coming and going."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request

from app.core.auth import CurrentUser, MaybeUser
from app.core.errors import Forbidden, NotFound, Unauthorized, problems
from app.core.http import Here, ReadDB, Router, WriteDB
from app.core.images import NotAnImage
from app.core.limits import limited
from app.core.paging import Page, Paged
from app.groups import cover, membership, service
from app.groups.cover import GROUP_COVER
from app.groups.membership import AlreadyMember, Banned, CloseItInstead, TransferFirst
from app.groups.schemas import (
    Category,
    GroupChanges,
    GroupDetail,
    GroupInput,
    GroupItem,
    GroupSort,
    MyGroup,
    OwnerInput,
)
from app.groups.standing import NotMember, RankTooLow
from app.pictures.bodies import picture_in, taking
from app.pictures.schemas import Picture
from app.pictures.service import PictureTooLarge

__all__ = ["router"]

router = Router(prefix="/groups", tags=["groups"])

SIGNED_IN = problems(Unauthorized, Forbidden)
RANKED = problems(Unauthorized, NotMember, RankTooLow, NotFound)
WRITES = [limited("groups.write", 60, 60)]


@router.post("", status_code=201, summary="Make a group", responses=SIGNED_IN, dependencies=WRITES)
async def create_group(new: GroupInput, db: WriteDB, actor: CurrentUser) -> GroupDetail:
    """You own it. Everybody sees and may join a public group; a private one only who is invited."""
    return await service.create_group(db, actor, new)


@router.get("", summary="Groups")
async def list_groups(
    *,
    db: ReadDB,
    actor: MaybeUser,
    page: Paged,
    q: Annotated[str, Query(max_length=100, description="Words of the name, or how they begin")] = "",
    category: Category | None = None,
    sort: Annotated[GroupSort, Query(description="The newest, or those with most members first")] = "new",
) -> Page[GroupItem]:
    """Public groups, and private ones of yours."""
    return await service.list_groups(db, actor, page, q=q, category=category, sort=sort)


@router.get("/mine", summary="Your groups", responses=SIGNED_IN)
async def list_my_groups(db: ReadDB, actor: CurrentUser, page: Paged) -> Page[MyGroup]:
    """The one with the newest message first, with the number of messages that you have not read."""
    return await service.list_my_groups(db, actor, page)


@router.get("/{group_id}", summary="A group", responses=problems(NotFound))
async def get_group(group_id: UUID, db: ReadDB, actor: MaybeUser) -> GroupDetail:
    """Its socket is at `/ws/groups/{group_id}`, its messages at `/chat/{group_id}/messages`."""
    return await service.get_group(db, actor, group_id)


@router.patch("/{group_id}", summary="Change a group", responses=RANKED, dependencies=WRITES)
async def update_group(group_id: UUID, changes: GroupChanges, db: WriteDB, actor: CurrentUser) -> GroupDetail:
    """For its admins and its owner. What is left out stays."""
    return await service.update_group(db, actor, group_id, changes)


@router.delete("/{group_id}", status_code=204, summary="Delete a group", responses=RANKED)
async def delete_group(group_id: UUID, db: WriteDB, actor: CurrentUser) -> None:
    """For its owner. Everybody is sent away, and all that was said is deleted."""
    await service.delete_group(db, actor, group_id)


@router.put(
    "/{group_id}/cover",
    summary="Set a group's cover",
    responses=RANKED | problems(PictureTooLarge, NotAnImage),
    dependencies=[limited("groups.pictures", 30, 60)],
    openapi_extra=taking(GROUP_COVER),
)
async def set_group_cover(group_id: UUID, request: Request, infra: Here, actor: CurrentUser) -> Picture:
    """The picture itself as the body, or a form with it as `file`: PNG, JPEG, WebP or GIF, at most 5,000,000 bytes."""
    async with picture_in(request, GROUP_COVER) as file:
        return await cover.set_cover(infra, actor, group_id, file)


@router.delete("/{group_id}/cover", status_code=204, summary="Remove a group's cover", responses=RANKED)
async def remove_group_cover(group_id: UUID, db: WriteDB, actor: CurrentUser) -> None:
    """Without one nothing changes."""
    await cover.remove_cover(db, actor, group_id)


@router.post(
    "/{group_id}/join",
    summary="Join a group",
    responses=problems(Unauthorized, Forbidden, Banned, NotFound, AlreadyMember),
    dependencies=WRITES,
)
async def join_group(group_id: UUID, db: WriteDB, actor: CurrentUser) -> GroupDetail:
    """A public one, or one to which you are invited."""
    return await membership.join_group(db, actor, group_id)


@router.post(
    "/{group_id}/leave",
    status_code=204,
    summary="Leave a group",
    responses=problems(Unauthorized, NotMember, NotFound, TransferFirst, CloseItInstead),
    dependencies=WRITES,
)
async def leave_group(group_id: UUID, db: WriteDB, actor: CurrentUser) -> None:
    """Its owner cannot: give it to somebody first (`PUT /groups/{group_id}/owner`), or delete it."""
    await membership.leave_group(db, actor, group_id)


@router.put("/{group_id}/owner", summary="Give a group away", responses=RANKED, dependencies=WRITES)
async def transfer_group(group_id: UUID, body: OwnerInput, db: WriteDB, actor: CurrentUser) -> GroupDetail:
    """To another member. You become an admin of it."""
    return await membership.transfer_group(db, actor, group_id, body.user_id)
