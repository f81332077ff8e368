"""The pictures on a profile."""

from fastapi import Request

from app.core.auth import CurrentUser
from app.core.errors import Forbidden, NotFound, Unauthorized, problems
from app.core.http import Here, Router, WriteDB
from app.core.images import NotAnImage
from app.core.limits import limited
from app.pictures.bodies import picture_in, taking
from app.pictures.schemas import Picture
from app.pictures.service import PictureTooLarge
from app.users.pictures import AVATAR, BANNER, remove_own_picture, set_own_picture

__all__ = ["router"]

router = Router(prefix="/users/me", tags=["users"])

REMOVED = problems(Unauthorized, Forbidden, NotFound)
STORED = REMOVED | problems(PictureTooLarge, NotAnImage)
LIMITS = [limited("users.pictures", 30, 60)]


@router.put("/avatar", summary="Set your portrait", responses=STORED, dependencies=LIMITS, openapi_extra=taking(AVATAR))
async def set_own_avatar(request: Request, infra: Here, actor: CurrentUser) -> Picture:
    """The picture itself as the body, or a form with it as `file`: PNG, JPEG, WebP or GIF, at most 5,000,000 bytes."""
    async with picture_in(request, AVATAR) as file:
        return await set_own_picture(infra, actor, AVATAR, file)


@router.delete("/avatar", status_code=204, summary="Remove your portrait", responses=REMOVED, dependencies=LIMITS)
async def remove_own_avatar(db: WriteDB, actor: CurrentUser) -> None:
    """Without one nothing changes."""
    await remove_own_picture(db, actor, AVATAR)


@router.put("/banner", summary="Set your banner", responses=STORED, dependencies=LIMITS, openapi_extra=taking(BANNER))
async def set_own_banner(request: Request, infra: Here, actor: CurrentUser) -> Picture:
    """What is shown above your profile, at most 1,280 pixels wide. It comes as a portrait does."""
    async with picture_in(request, BANNER) as file:
        return await set_own_picture(infra, actor, BANNER, file)


@router.delete("/banner", status_code=204, summary="Remove your banner", responses=REMOVED, dependencies=LIMITS)
async def remove_own_banner(db: WriteDB, actor: CurrentUser) -> None:
    """Without one nothing changes."""
    await remove_own_picture(db, actor, BANNER)
