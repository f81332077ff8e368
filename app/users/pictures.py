"""The pictures that people have of themselves: a portrait, and a banner above their profile."""

from typing import BinaryIO, Final
from uuid import UUID

from sqlalchemy import select, update

from app.core.auth import Principal
from app.core.db import Writer
from app.core.errors import NotFound
from app.core.infra import Infra
from app.pictures.schemas import Picture
from app.pictures.service import Kind, store_picture
from app.pictures.unused import drop_picture, shows
from app.users.models import User

__all__ = ["AVATAR", "BANNER", "kept_pictures", "remove_own_picture", "set_own_picture"]

AVATAR: Final = Kind("avatars")
BANNER: Final = Kind("banners", side=1280)
shows(AVATAR.folder, User.avatar_key)
shows(BANNER.folder, User.banner_key)


async def set_own_picture(infra: Infra, actor: Principal, kind: Kind, picture: BinaryIO) -> Picture:
    """Stores the actor's AVATAR or BANNER. Raises NotFound, PictureTooLarge, NotAnImage, Unavailable."""
    stored = await store_picture(infra, kind, picture)
    async with infra.db.write() as db:
        await _show(db, actor.user_id, kind, stored.key)
    return stored


async def remove_own_picture(db: Writer, actor: Principal, kind: Kind) -> None:
    """Without one nothing changes. Raises NotFound when the actor has just left."""
    await _show(db, actor.user_id, kind, None)


async def kept_pictures(db: Writer, user_id: UUID) -> list[str]:
    """The keys of a person's pictures, whose row is held from now on."""
    keys = select(User.avatar_key, User.banner_key).where(User.id == user_id).with_for_update(key_share=True)
    return [key for row in await db.rows(keys) for key in row if key is not None]


async def _show(db: Writer, user_id: UUID, kind: Kind, key: str | None) -> None:
    column = User.avatar_key if kind is AVATAR else User.banner_key
    mine = (User.id == user_id, User.deleted_at.is_(None))
    held = await db.rows(select(column).where(*mine).with_for_update(key_share=True))
    if not held:
        raise NotFound("This account is gone.")
    await db.execute(update(User).where(*mine).values({column: key}))
    await drop_picture(db, held[0][0])
