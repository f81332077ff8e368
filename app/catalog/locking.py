"""Rows that an edit is about, held until it is committed.

Every edit takes albums before artists and artists before tracks, and among its like by id: so none waits for another
crosswise.
"""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, NoReturn, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.exc import IntegrityError

from app.catalog.models import Album, Artist, Track
from app.catalog.service import Merged, require
from app.core.db import Writer
from app.core.errors import Conflict, Forbidden, Invalid
from app.core.holds import hold

__all__ = [
    "MERGE",
    "IsDuplicate",
    "NotOfTheCatalogue",
    "editable",
    "hold_albums_of",
    "locked",
    "referred",
    "refuse",
    "unknown",
    "unless_in_use",
]

MERGE: Final = ("merge", UUID(int=0))
"""Held by the one merge that goes on, and shared by those who put something where names lead them."""

E = TypeVar("E", bound=Artist | Album | Track)


class IsDuplicate(Conflict):
    code, title = "is_duplicate", "This was merged into another one, which is to be changed in its place"


class NotOfTheCatalogue(Forbidden):
    code, title = "not_of_the_catalogue", "This is not the catalogue's to change"


async def locked(db: Writer, entity: type[E], entity_id: UUID) -> E:
    """The row, which nobody else changes meanwhile. Raises NotFound, IsDuplicate, NotOfTheCatalogue."""
    row = await db.one(select(entity).where(entity.id == entity_id, editable(entity)).with_for_update())
    if row is None:
        await refuse(db, entity, entity_id)
    return row


def editable(entity: type[E]) -> ColumnElement[bool]:
    """Curators edit the catalogue, not what people have uploaded; but artists whom everybody finds."""
    of_catalog = Artist.listed if entity is Artist else entity.owner_id.is_(None)
    return and_(entity.merged_into_id.is_(None), of_catalog)


async def refuse(db: Writer, entity: type[E], entity_id: UUID) -> NoReturn:
    """Raises what tells why a row cannot be edited: NotFound, IsDuplicate, NotOfTheCatalogue.

    Reads of a duplicate are redirected to what it became. An edit is not: clients follow redirects by themselves, and a
    DELETE of the duplicate would take away the one that was kept.
    """
    table: type[Any] = entity
    try:
        await require(db, table, entity_id)
    except Merged as merged:
        raise IsDuplicate(merged.detail, **merged.extra) from None
    raise NotOfTheCatalogue(f"Somebody has uploaded this {entity.__name__.lower()}: it is theirs to change.")


async def referred(db: Writer, entity: type[E], pointers: Mapping[UUID | None, str]) -> None:
    """Holds rows that the input refers to; `pointers` says where it does. Raises Invalid for one that is not there."""
    wanted = sorted(entity_id for entity_id in pointers if entity_id is not None)
    there = select(entity.id).where(entity.id.in_(wanted), editable(entity)).order_by(entity.id)
    found = set(await db.all(there.with_for_update(key_share=True)))
    for entity_id in wanted:
        if entity_id not in found:
            raise unknown(entity, pointers[entity_id])


def unknown(entity: type[Any], pointer: str) -> Invalid:
    """The input refers to something that is not there."""
    return Invalid.field(pointer, f"There is no such {entity.__name__.lower()}.", "unknown_id")


async def hold_albums_of(db: Writer, track_ids: Collection[UUID], to: UUID | None = None) -> set[UUID]:
    """Holds the albums that tracks are on, whose tracks are counted anew afterwards, and the one that they come to.

    Answers the albums that they are on. Raises Invalid if there is none to come to.
    """
    await hold(db, "track", *track_ids)  # a track on no album has nothing else to wait for
    theirs = select(Track.album_id).where(Track.id.in_(track_ids), Track.album_id.is_not(None))
    while True:
        async with db.begin_nested() as held:
            albums = set(await db.all(theirs))
            there = select(Album.id).where(Album.id.in_([*albums, to]), editable(Album))
            found = await db.all(there.order_by(Album.id).with_for_update(key_share=True))
            if albums == set(await db.all(theirs)):
                break
            # moved while we waited: let go, since to hold one more now could be crosswise
            await held.rollback()
    if to is not None and to not in found:
        raise unknown(Album, "/body/album_id")
    return {album_id for album_id in albums if album_id is not None}


@asynccontextmanager
async def unless_in_use(db: Writer, error: Conflict) -> AsyncIterator[None]:
    """Raises the error when something refers to what the block deletes: what people heard is not taken from them."""
    try:
        yield
        await db.flush()
    except IntegrityError as refused:
        raise error from refused
