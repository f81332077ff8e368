"""Pictures for messages."""

from uuid import UUID

from fastapi import Request

from app.chat.pictures import CHAT, add_picture
from app.core.auth import CurrentUser
from app.core.errors import Forbidden, NotFound, Unauthorized, problems
from app.core.http import Here, Router
from app.core.images import NotAnImage
from app.core.limits import limited
from app.pictures.bodies import picture_in, taking
from app.pictures.schemas import Picture
from app.pictures.service import PictureTooLarge

__all__ = ["router"]

router = Router(prefix="/chat", tags=["chat"])


@router.post(
    "/{channel_id}/pictures",
    status_code=201,
    summary="Store a picture for a message",
    responses=problems(Unauthorized, Forbidden, NotFound, PictureTooLarge, NotAnImage),
    dependencies=[limited("chat.pictures", 30, 60)],
    openapi_extra=taking(CHAT),
)
async def add_chat_picture(channel_id: UUID, request: Request, infra: Here, actor: CurrentUser) -> Picture:
    """For one message of yours in this channel, within a day: name its key there.

    The picture itself as the body, or a form with it as `file`: PNG, JPEG, WebP or GIF, at most 5,000,000 bytes.
    Whoever knows the key can see it, so it is as private as the message.
    """
    async with picture_in(request, CHAT) as file:
        return await add_picture(infra, actor, channel_id, file)
