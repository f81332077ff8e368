"""Rows that an edit is about, held until it is committed.

Every edit takes albums before artists and artists before tracks, and among its like by id: so none waits for another
crosswise.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.catalog.models import Album, Artist, Track
from app.catalog.service import explain_absence
from app.core.db import Writer
from app.core.errors import Conflict, Invalid

__all__ = ["hold_albums_of", "locked", "referred", "unless_in_use"]

E = TypeVar("E", bound=Artist | Album | Track)


async def locked(db: Writer, entity: type[E], entity_id: UUID) -> E:
    """The row, which nobody else changes meanwhile. Raises NotFound, Merged."""
    row = await db.one(select(entity).where(entity.id == entity_id, entity.merged_into_id.is_(None)).with_for_update())
    if row is None:
        table: type[Any] = entity
        await explain_absence(db, table, entity_id)
    return row


async def referred(db: Writer, entity: type[E], pointers: Mapping[UUID | None, str]) -> None:
    """Holds rows that the input refers to; `pointers` says where it does. Raises Invalid for one that is not there."""
    wanted = sorted(entity_id for entity_id in pointers if entity_id is not None)
    there = select(entity.id).where(entity.id.in_(wanted), entity.merged_into_id.is_(None)).order_by(entity.id)
    found = set(await db.all(there.with_for_update(key_share=True)))
    for entity_id in wanted:
        if entity_id not in found:
            raise Invalid.field(pointers[entity_id], f"There is no such {entity.__name__.lower()}.", "unknown_id")


async def hold_albums_of(db: Writer, track_id: UUID, *others: UUID | None) -> None:
    """Holds the album that a track is on, and the others: their tracks are counted anew afterwards."""
    mine = await db.scalar(select(Track.album_id).where(Track.id == track_id))
    await referred(db, Album, dict.fromkeys((mine, *others), "/body/album_id"))


@asynccontextmanager
async def unless_in_use(db: Writer, error: Conflict) -> AsyncIterator[None]:
    """Raises the error when something refers to what the block deletes: what people heard is not taken from them."""
    try:
        yield
        await db.flush()
    except IntegrityError as refused:
        raise error from refused
