"""Covers of albums and pictures of artists: how they come, and how they are given out."""

import hashlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import exists, or_, select

from app.catalog.locking import locked
from app.catalog.models import Album, Artist
from app.catalog.schemas import Picture
from app.catalog.service import require
from app.core.db import Writer
from app.core.errors import NotFound, PayloadTooLarge
from app.core.http import API
from app.core.images import as_webp
from app.core.infra import Infra
from app.core.jobs import enqueue, job
from app.integrations.storage import BadKey, storage

__all__ = ["MOST_BYTES", "PictureTooLarge", "open_picture", "remove_picture", "set_picture"]

MOST_BYTES = 512_000
SIDE = 1000
_SHOWN_FOLDERS = frozenset({"artists", "avatars", "covers", "groups", "playlists"})
"""What anybody may fetch by its key; the storage keeps private things too."""


class PictureTooLarge(PayloadTooLarge):
    code, title = "picture_too_large", f"A picture may have at most {MOST_BYTES:,} bytes"


class Unused(BaseModel):
    """A picture that something else has replaced."""

    key: str


async def set_picture(infra: Infra, entity: type[Album] | type[Artist], entity_id: UUID, data: bytes) -> Picture:
    """Stores a picture and shows it. Raises NotFound, Merged, PictureTooLarge, NotAnImage."""
    if len(data) > MOST_BYTES:
        raise PictureTooLarge
    await require(infra.db.reader, entity, entity_id)
    webp = await as_webp(infra, data, side=SIDE)
    folder = "covers" if entity is Album else "artists"
    key = f"{folder}/{hashlib.sha256(webp).hexdigest()[:32]}.webp"
    await infra.part(storage).put(key, webp, content_type="image/webp")
    async with infra.db.write() as db:
        await _show(db, entity, entity_id, key)
    return Picture(key=key, url=f"{API}/media/{key}")


async def remove_picture(db: Writer, entity: type[Album] | type[Artist], entity_id: UUID) -> None:
    """Shows no picture any longer. Raises NotFound, Merged."""
    await _show(db, entity, entity_id, None)


async def open_picture(infra: Infra, key: str) -> tuple[AsyncIterator[bytes], int]:
    """A picture in pieces, and its size. Raises NotFound."""
    files = infra.part(storage)
    try:
        stat = await files.stat(key) if key.partition("/")[0] in _SHOWN_FOLDERS else None
        pieces = await files.get(key) if stat is not None else None
    except BadKey:
        stat = pieces = None
    if stat is None or pieces is None:
        raise NotFound("There is no such picture.")
    return pieces, stat.size


@job()
async def drop_unused_picture(infra: Any, picture: Unused) -> None:
    """Equal pictures share a file, so it stays while anything shows it."""
    shown = or_(exists().where(Album.cover_key == picture.key), exists().where(Artist.image_key == picture.key))
    if not await infra.db.reader.one(select(shown)):
        await infra.part(storage).delete(picture.key)


async def _show(db: Writer, entity: type[Album] | type[Artist], entity_id: UUID, key: str | None) -> None:
    row = await locked(db, entity, entity_id)
    field = "cover_key" if entity is Album else "image_key"
    before: str | None = getattr(row, field)
    setattr(row, field, key)
    if before not in {None, key}:
        await enqueue(db, drop_unused_picture, Unused(key=before or ""))
