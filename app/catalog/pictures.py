"""Covers of albums and pictures of artists."""

from typing import BinaryIO, Final
from uuid import UUID

from app.catalog.locking import locked
from app.catalog.models import Album, Artist
from app.catalog.service import require
from app.core.db import Writer
from app.core.infra import Infra
from app.pictures.schemas import Picture
from app.pictures.service import Kind, store_picture
from app.pictures.unused import drop_picture, shows

__all__ = ["ARTIST", "COVER", "remove_picture", "set_picture"]

COVER: Final = Kind("covers", most_bytes=512_000)
ARTIST: Final = Kind("artists")
shows(COVER.folder, Album.cover_key)
shows(ARTIST.folder, Artist.image_key)


async def set_picture(
    infra: Infra, entity: type[Album] | type[Artist], entity_id: UUID, picture: BinaryIO | bytes
) -> Picture:
    """Stores a picture and shows it. Raises NotFound, IsDuplicate, PictureTooLarge, NotAnImage, Unavailable."""
    await require(infra.db.reader, entity, entity_id)
    stored = await store_picture(infra, COVER if entity is Album else ARTIST, picture)
    async with infra.db.write() as db:
        await _show(db, entity, entity_id, stored.key)
    return stored


async def remove_picture(db: Writer, entity: type[Album] | type[Artist], entity_id: UUID) -> None:
    """Shows no picture any longer. Raises NotFound, IsDuplicate."""
    await _show(db, entity, entity_id, None)


async def _show(db: Writer, entity: type[Album] | type[Artist], entity_id: UUID, key: str | None) -> None:
    row = await locked(db, entity, entity_id)
    field = "cover_key" if entity is Album else "image_key"
    before: str | None = getattr(row, field)
    setattr(row, field, key)
    await drop_picture(db, before)
