"""Covers of groups."""

import hashlib
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import exists, select

from app.catalog.pictures import MOST_BYTES, PictureTooLarge
from app.catalog.schemas import Picture
from app.core.auth import Principal
from app.core.db import Writer
from app.core.http import API
from app.core.images import as_webp
from app.core.infra import Infra
from app.core.jobs import enqueue, job
from app.groups.models import Group
from app.groups.standing import hold_group, require_reader, tell_of_changes
from app.integrations.storage import storage

__all__ = ["drop_cover", "remove_cover", "set_cover"]

SIDE = 1000


class UnusedCover(BaseModel):
    """A picture that no group may show any longer."""

    key: str


async def set_cover(infra: Infra, actor: Principal, group_id: UUID, data: bytes) -> Picture:
    """Stores a picture and shows it. Raises NotFound, NotMember, RankTooLow, PictureTooLarge, NotAnImage."""
    if len(data) > MOST_BYTES:
        raise PictureTooLarge
    await require_reader(infra.db.reader, actor, group_id, "admin")
    webp = await as_webp(infra, data, side=SIDE)
    key = f"groups/{hashlib.sha256(webp).hexdigest()[:32]}.webp"
    await infra.part(storage).put(key, webp, content_type="image/webp")
    async with infra.db.write() as db:
        await _show(db, actor, group_id, key)
    return Picture(key=key, url=f"{API}/media/{key}")


async def remove_cover(db: Writer, actor: Principal, group_id: UUID) -> None:
    """Shows no picture any longer. Raises NotFound, NotMember, RankTooLow."""
    await _show(db, actor, group_id, None)


async def drop_cover(db: Writer, key: str | None) -> None:
    """Has a picture deleted unless another group shows it."""
    if key is not None:
        await enqueue(db, drop_unused_cover, UnusedCover(key=key))


@job()
async def drop_unused_cover(infra: Any, unused: UnusedCover) -> None:
    """Equal pictures share a file, so it stays while any group shows it."""
    if not await infra.db.reader.one(select(exists().where(Group.cover_key == unused.key))):
        await infra.part(storage).delete(unused.key)


async def _show(db: Writer, actor: Principal, group_id: UUID, key: str | None) -> None:
    held = await hold_group(db, actor, group_id)
    held.require("admin")
    before = held.group.cover_key
    if before == key:
        return
    held.group.cover_key = key
    await drop_cover(db, before)
    await tell_of_changes(db, group_id, actor_id=actor.user_id)
