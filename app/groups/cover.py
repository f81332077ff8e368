"""Covers of groups."""

from typing import BinaryIO, Final
from uuid import UUID

from app.core.auth import Principal
from app.core.db import Writer
from app.core.infra import Infra
from app.groups.models import Group
from app.groups.standing import hold_group, require_reader, tell_of_changes
from app.pictures.schemas import Picture
from app.pictures.service import Kind, store_picture
from app.pictures.unused import drop_picture, shows

__all__ = ["GROUP_COVER", "remove_cover", "set_cover"]

GROUP_COVER: Final = Kind("groups")
shows(GROUP_COVER.folder, Group.cover_key)


async def set_cover(infra: Infra, actor: Principal, group_id: UUID, picture: BinaryIO) -> Picture:
    """Stores a picture and shows it. Raises NotFound, NotMember, RankTooLow, PictureTooLarge, NotAnImage."""
    await require_reader(infra.db.reader, actor, group_id, "admin")
    stored = await store_picture(infra, GROUP_COVER, picture)
    async with infra.db.write() as db:
        await _show(db, actor, group_id, stored.key)
    return stored


async def remove_cover(db: Writer, actor: Principal, group_id: UUID) -> None:
    """Shows no picture any longer. Raises NotFound, NotMember, RankTooLow."""
    await _show(db, actor, group_id, None)


async def _show(db: Writer, actor: Principal, group_id: UUID, key: str | None) -> None:
    held = await hold_group(db, actor, group_id)
    held.require("admin")
    before = held.group.cover_key
    if before == key:
        return
    held.group.cover_key = key
    await drop_picture(db, before)
    await tell_of_changes(db, group_id, actor_id=actor.user_id)
