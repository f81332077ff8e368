"""Playlists: making, finding, changing, copying and liking them."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from app.core.auth import CurrentUser, MaybeUser
from app.core.errors import Forbidden, NotFound, Unauthorized, problems
from app.core.etags import NOT_MODIFIED, IfNoneMatch, tagged
from app.core.http import Here, ReadDB, Router, WriteDB
from app.core.images import NotAnImage
from app.core.limits import limited
from app.core.paging import Page, Paged
from app.pictures.bodies import picture_in, taking
from app.pictures.schemas import Picture
from app.pictures.service import PictureTooLarge
from app.playlists import copying, cover, likes, service, smart
from app.playlists.cover import PLAYLIST_COVER
from app.playlists.inputs import CopyInput, PlaylistChanges, PlaylistInput, RulesInput
from app.playlists.schemas import (
    LikedPlaylist,
    MyPlaylist,
    PlaylistDetail,
    PlaylistItem,
    PlaylistSort,
    PreviewedTracks,
)
from app.playlists.service import NotSmart, TooManyPlaylists
from app.playlists.standing import NotOwner
from app.reactions.schemas import Liked
from app.users.schemas import PersonCard, Username
from app.users.service import ProfileRestricted

__all__ = ["people", "router"]

router = Router(prefix="/playlists", tags=["playlists"])
people = Router(prefix="/users", tags=["playlists"])

SIGNED_IN = problems(Unauthorized, Forbidden)
READ = problems(Unauthorized, Forbidden, NotFound)
OWNED = problems(Unauthorized, NotOwner, NotFound)
WRITES = [limited("playlists.write", 60, 60)]


@router.post(
    "",
    status_code=201,
    summary="Make a playlist",
    responses=SIGNED_IN | problems(TooManyPlaylists),
    dependencies=WRITES,
)
async def create_playlist(new: PlaylistInput, db: WriteDB, actor: CurrentUser) -> PlaylistDetail:
    """You own it. With `rules` it is a smart one: what is in it follows from them whenever it is read."""
    said = new.model_dump(exclude={"rules"})
    return await service.readable(db, actor, await service.create_playlist(db, actor, **said, rules=new.rules))


@router.get("", summary="Public playlists")
async def list_playlists(
    *,
    db: ReadDB,
    actor: MaybeUser,
    page: Paged,
    q: Annotated[str, Query(max_length=100, description="Words of the name, or how they begin")] = "",
    sort: Annotated[PlaylistSort, Query(description="The newest, or the most liked first")] = "new",
) -> Page[PlaylistItem]:
    """Those of people whose profile is open to you."""
    return await service.list_playlists(db, actor, page, q=q, sort=sort)


@router.get("/mine", summary="Your playlists", responses=SIGNED_IN)
async def list_my_playlists(db: ReadDB, actor: CurrentUser, page: Paged) -> Page[MyPlaylist]:
    """Your own and those to which you belong, the last one first."""
    return await service.list_my_playlists(db, actor, page)


@router.get("/liked", summary="Playlists that you like", responses=SIGNED_IN)
async def list_liked_playlists(db: ReadDB, actor: CurrentUser, page: Paged) -> Page[LikedPlaylist]:
    """The last liked first, as far as you may still see them."""
    return await likes.list_liked_playlists(db, actor, page)


@router.post(
    "/preview",
    summary="Try rules",
    responses=SIGNED_IN,
    dependencies=[limited("playlists.preview", 30, 60)],
)
async def preview_playlist_rules(body: RulesInput, db: WriteDB, actor: CurrentUser) -> PreviewedTracks:
    """What a smart playlist of yours would have by these rules. Nothing is kept."""
    return await smart.preview(db, actor, body.rules)


@router.get(
    "/{playlist_id}",
    summary="A playlist",
    response_model=PlaylistDetail,
    responses={**problems(NotFound), **NOT_MODIFIED},
)
async def get_playlist(playlist_id: UUID, db: ReadDB, actor: MaybeUser, known: IfNoneMatch = None) -> Response:
    """Its entries are a list of their own; its socket is at `/ws/playlists/{playlist_id}`."""
    return tagged(await service.readable(db, actor, playlist_id), known)


@router.patch("/{playlist_id}", summary="Change a playlist", responses=OWNED | problems(NotSmart), dependencies=WRITES)
async def update_playlist(
    playlist_id: UUID, changes: PlaylistChanges, db: WriteDB, actor: CurrentUser
) -> PlaylistDetail:
    """For its owner. What is left out stays."""
    given = {name: getattr(changes, name) for name in changes.model_fields_set}
    await service.update_playlist(db, actor, playlist_id, **given)
    return await service.readable(db, actor, playlist_id)


@router.delete("/{playlist_id}", status_code=204, summary="Delete a playlist", responses=OWNED)
async def delete_playlist(playlist_id: UUID, db: WriteDB, actor: CurrentUser) -> None:
    """For its owner, with everything in it."""
    await service.delete_playlist(db, actor, playlist_id)


@router.put(
    "/{playlist_id}/cover",
    summary="Set a playlist's cover",
    responses=OWNED | problems(PictureTooLarge, NotAnImage),
    dependencies=[limited("playlists.pictures", 30, 60)],
    openapi_extra=taking(PLAYLIST_COVER),
)
async def set_playlist_cover(playlist_id: UUID, request: Request, infra: Here, actor: CurrentUser) -> Picture:
    """The picture itself as the body, or a form with it as `file`: PNG, JPEG, WebP or GIF, at most 5,000,000 bytes."""
    async with picture_in(request, PLAYLIST_COVER) as file:
        return await cover.set_cover(infra, actor, playlist_id, file)


@router.delete("/{playlist_id}/cover", status_code=204, summary="Remove a playlist's cover", responses=OWNED)
async def remove_playlist_cover(playlist_id: UUID, db: WriteDB, actor: CurrentUser) -> None:
    """Without one nothing changes."""
    await cover.remove_cover(db, actor, playlist_id)


@router.post(
    "/{playlist_id}/copy",
    status_code=201,
    summary="Copy a playlist",
    responses=READ | problems(TooManyPlaylists),
    dependencies=[limited("playlists.copy", 20, 60)],
)
async def copy_playlist(playlist_id: UUID, body: CopyInput, db: WriteDB, actor: CurrentUser) -> PlaylistDetail:
    """A private one of yours with the same in it. The rules of a smart one then speak of you."""
    copied = await copying.copy_playlist(db, actor, playlist_id, name=body.name, frozen=body.frozen)
    return await service.readable(db, actor, copied)


@router.put("/{playlist_id}/like", summary="Like a playlist", responses=READ, dependencies=WRITES)
async def like_playlist(playlist_id: UUID, db: WriteDB, actor: CurrentUser) -> Liked:
    """Done again it changes nothing."""
    return await likes.like_playlist(db, actor, playlist_id)


@router.delete("/{playlist_id}/like", summary="No longer like a playlist", responses=READ, dependencies=WRITES)
async def unlike_playlist(playlist_id: UUID, db: WriteDB, actor: CurrentUser) -> Liked:
    """Done again it changes nothing."""
    return await likes.unlike_playlist(db, actor, playlist_id)


@router.get("/{playlist_id}/likers", summary="Who likes a playlist", responses=problems(NotFound))
async def list_playlist_likers(playlist_id: UUID, db: ReadDB, actor: MaybeUser, page: Paged) -> Page[PersonCard]:
    """Those who let you see what they like, the last one first."""
    return await likes.list_likers(db, actor, page, playlist_id=playlist_id)


@people.get("/{username}/playlists", summary="Playlists of a person", responses=problems(ProfileRestricted, NotFound))
async def list_user_playlists(username: Username, db: ReadDB, actor: MaybeUser, page: Paged) -> Page[PlaylistItem]:
    """The public ones, the last one first."""
    return await service.list_user_playlists(db, actor, page, username=username)
