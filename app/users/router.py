"""People: profiles, privacy, follows, blocks, mutes, exports."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Request, Response
from fastapi.responses import StreamingResponse

from app.core.auth import Account, CurrentUser, MaybeUser
from app.core.errors import Forbidden, NotFound, Unauthorized, problems
from app.core.etags import NOT_MODIFIED, IfNoneMatch, tagged
from app.core.http import ReadDB, Router, WriteDB
from app.core.limits import limited
from app.core.paging import Page, Paged
from app.integrations.storage import storage
from app.users import blocks, exports, follows, service
from app.users.exports import ExportNotReady
from app.users.schemas import (
    USERNAME,
    BlockedPerson,
    DataExportStatus,
    FollowState,
    MutedPerson,
    OwnProfile,
    PersonDetail,
    PersonItem,
    ProfileChanges,
)
from app.users.service import ProfileRestricted, UsernameTaken

__all__ = ["router"]

router = Router(prefix="/users", tags=["users"])

Username = Annotated[str, Path(pattern=USERNAME, description="Case does not matter", examples=["ana"])]
SIGNED_IN = problems(Unauthorized, Forbidden)
MEETS = problems(Unauthorized, Forbidden, NotFound)
FOLLOWS = [limited("users.follow", 120, 60)]
LISTS = [limited("users.block", 60, 60)]


@router.get("/me", summary="Your profile", responses=MEETS)
async def get_own_profile(db: ReadDB, actor: CurrentUser) -> OwnProfile:
    """Your profile as it is kept, with your privacy settings and your role."""
    return await service.get_own_profile(db, actor)


@router.patch(
    "/me",
    summary="Change your profile",
    responses=problems(Unauthorized, Forbidden, NotFound, UsernameTaken),
    dependencies=[limited("users.profile", 30, 60)],
)
async def update_own_profile(changes: ProfileChanges, db: WriteDB, actor: CurrentUser) -> OwnProfile:
    """Changes the fields that you send. A new username takes effect at once and your tokens stay good."""
    return await service.update_profile(db, actor, changes)


@router.get("/me/blocks", summary="Whom you blocked", responses=SIGNED_IN)
async def list_blocks(db: ReadDB, actor: CurrentUser, page: Paged) -> Page[BlockedPerson]:
    """The latest first."""
    return await blocks.list_blocks(db, actor, page)


@router.get("/me/mutes", summary="Whom you muted", responses=SIGNED_IN)
async def list_mutes(db: ReadDB, actor: CurrentUser, page: Paged) -> Page[MutedPerson]:
    """The latest first."""
    return await blocks.list_mutes(db, actor, page)


@router.delete(
    "/me/followers/{username}", summary="Remove a follower", status_code=204, responses=MEETS, dependencies=FOLLOWS
)
async def remove_follower(username: Username, db: WriteDB, actor: CurrentUser) -> None:
    """The person no longer follows you and is not told. Block them if they must not follow you again."""
    await follows.remove_follower(db, actor, username)


@router.post(
    "/me/exports",
    summary="Ask for all your data",
    status_code=202,
    responses=SIGNED_IN,
    dependencies=[limited("users.export", 10, 3600)],
)
async def request_data_export(db: WriteDB, actor: Account) -> DataExportStatus:
    """A zip of everything kept about you is made in the background; ask for its status until it is `ready`."""
    return await exports.request_data_export(db, actor)


@router.get("/me/exports", summary="Your data exports", responses=SIGNED_IN)
async def list_data_exports(db: ReadDB, actor: Account, page: Paged) -> Page[DataExportStatus]:
    """Those of the last 7 days, the newest first."""
    return await exports.list_data_exports(db, actor, page)


@router.get("/me/exports/{export_id}", summary="A data export", responses=MEETS)
async def get_data_export(export_id: UUID, db: ReadDB, actor: Account) -> DataExportStatus:
    """Whether it is ready, and where to get it."""
    return await exports.get_data_export(db, actor, export_id)


@router.get(
    "/me/exports/{export_id}/file",
    summary="Download a data export",
    response_class=StreamingResponse,
    responses={
        **problems(Unauthorized, Forbidden, NotFound, ExportNotReady),
        200: {"content": {"application/zip": {}}, "description": "The zip"},
    },
)
async def download_data_export(export_id: UUID, db: ReadDB, actor: Account, request: Request) -> StreamingResponse:
    """A zip with a JSON file for each kind of data, and `index.json`. It is kept for 7 days."""
    files = request.app.state.infra.part(storage)
    pieces, size = await exports.open_data_export(db, actor, export_id, files)
    name = 'attachment; filename="soundscore-export.zip"'
    headers = {"content-length": str(size), "content-disposition": name, "cache-control": "private, no-store"}
    return StreamingResponse(pieces, headers=headers, media_type="application/zip")


@router.get(
    "/{username}",
    summary="A profile",
    response_model=PersonDetail,
    responses={**problems(NotFound), **NOT_MODIFIED},
)
async def get_person(username: Username, db: ReadDB, actor: MaybeUser, known: IfNoneMatch = None) -> Response:
    """The profile, and how you stand to the person. A `restricted` one shows only names, picture and counts."""
    return tagged(await service.get_person(db, actor, username), known)


@router.get("/{username}/followers", summary="Who follows a person", responses=problems(NotFound, ProfileRestricted))
async def list_followers(username: Username, db: ReadDB, actor: MaybeUser, page: Paged) -> Page[PersonItem]:
    """The newest first."""
    return await follows.list_followers(db, actor, username, page)


@router.get("/{username}/following", summary="Whom a person follows", responses=problems(NotFound, ProfileRestricted))
async def list_following(username: Username, db: ReadDB, actor: MaybeUser, page: Paged) -> Page[PersonItem]:
    """The newest first."""
    return await follows.list_following(db, actor, username, page)


@router.put("/{username}/follow", summary="Follow a person", responses=MEETS, dependencies=FOLLOWS)
async def follow_person(username: Username, db: WriteDB, actor: CurrentUser) -> FollowState:
    """Their reviews come into your feed. Following again changes nothing."""
    return await follows.follow(db, actor, username)


@router.delete("/{username}/follow", summary="Follow no longer", responses=MEETS, dependencies=FOLLOWS)
async def unfollow_person(username: Username, db: WriteDB, actor: CurrentUser) -> FollowState:
    """Doing so again changes nothing."""
    return await follows.unfollow(db, actor, username)


@router.put("/{username}/block", summary="Block a person", status_code=204, responses=MEETS, dependencies=LISTS)
async def block_person(username: Username, db: WriteDB, actor: CurrentUser) -> None:
    """Neither of you sees the other any longer, and neither follows the other."""
    await blocks.block(db, actor, username)


@router.delete("/{username}/block", summary="Unblock a person", status_code=204, responses=MEETS, dependencies=LISTS)
async def unblock_person(username: Username, db: WriteDB, actor: CurrentUser) -> None:
    """You see each other again; who followed before does not follow again by itself."""
    await blocks.unblock(db, actor, username)


@router.put("/{username}/mute", summary="Mute a person", status_code=204, responses=MEETS, dependencies=LISTS)
async def mute_person(username: Username, db: WriteDB, actor: CurrentUser) -> None:
    """Their doings stay out of your lists and notifications. They do not learn of it."""
    await blocks.mute(db, actor, username)


@router.delete("/{username}/mute", summary="Unmute a person", status_code=204, responses=MEETS, dependencies=LISTS)
async def unmute_person(username: Username, db: WriteDB, actor: CurrentUser) -> None:
    """Their doings come back into your lists."""
    await blocks.unmute(db, actor, username)
