"""Ids of other catalogues: each belongs to one row, and whoever gives it twice is told to which."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.catalog.models import Album, Artist, Entity, Track
from app.core.db import Writer
from app.core.errors import Conflict

__all__ = ["EXTERNAL_IDS", "ExternalIdTaken", "naming_owners", "take_over"]

EXTERNAL_IDS: dict[Entity, tuple[str, ...]] = {
    Artist: ("spotify_id", "musicbrainz_id"),
    Album: ("spotify_id", "musicbrainz_id"),
    Track: ("isrc", "spotify_id", "musicbrainz_id"),
}


class ExternalIdTaken(Conflict):
    code, title = "external_id_taken", "Another entry has this external id"


@asynccontextmanager
async def naming_owners(db: Writer, *changes: tuple[Entity, dict[str, Any]]) -> AsyncIterator[None]:
    """Raises ExternalIdTaken with the owner's id where a write inside would give an external id to a second row.

    `changes` says what is written: a table and values of a row.
    """
    try:
        async with db.begin_nested():
            yield
    except IntegrityError as error:
        for entity, values in changes:
            await _name_owner(db, entity, values, error)
        raise


async def _name_owner(db: Writer, entity: Entity, values: dict[str, Any], error: IntegrityError) -> None:
    for field in EXTERNAL_IDS[entity]:
        column = getattr(entity, field)
        if values.get(field) is None or f"uq_{entity.__tablename__}_{field}" not in str(error.orig):
            continue
        owner: UUID | None = await db.scalar(select(entity.id).where(column == values[field]))
        if owner is not None:
            detail = f"The {field} {values[field]} belongs to {entity.__name__.lower()} {owner}."
            raise ExternalIdTaken(detail, field=field, existing_id=owner) from error


async def take_over(db: Writer, pairs: Sequence[tuple[Any, Any]], *, also: Sequence[str]) -> None:
    """Gives the second row of each pair what only the first has: external ids, and the fields that `also` names."""
    moved: list[tuple[Any, dict[str, Any]]] = []
    for duplicate, kept in pairs:
        ids = EXTERNAL_IDS[type(kept)]
        lacks = [name for name in (*ids, *also) if not getattr(kept, name) and getattr(duplicate, name)]
        moved.append((kept, {name: getattr(duplicate, name) for name in lacks}))
        for name in ids:
            if name in lacks:
                setattr(duplicate, name, None)
    await db.flush()  # an id is free only when the duplicate has let go of it
    for kept, values in moved:
        for name, value in values.items():
            setattr(kept, name, value)
    await db.flush()
