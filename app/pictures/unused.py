"""Pictures that nothing shows any longer are removed: at once when they are replaced, and what is left by night.

`shows("covers", Album.cover_key)` tells where a folder's pictures are shown. A folder of which nothing was told is
left alone.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from itertools import islice
from typing import Any

from pydantic import BaseModel
from sqlalchemy import ARRAY, Text, any_, bindparam, select, union_all

from app.core.db import Writer
from app.core.jobs import enqueue, every, job
from app.core.query import Runs
from app.integrations.storage import storage
from app.pictures.service import keys_of

__all__ = ["drop_picture", "remove_unused", "shows"]

STORED_BEFORE = timedelta(days=1)
"""So old is a picture that nothing shows before the nightly search removes it: it may still be shown."""
BATCH = 500
_columns: defaultdict[str, list[Any]] = defaultdict(list)


class Unused(BaseModel):
    """A picture that something else has replaced."""

    key: str


def shows(folder: str, *columns: Any) -> None:
    """Registers columns that hold keys of a folder's pictures. Each needs an index."""
    _columns[folder] += columns


async def drop_picture(db: Writer, key: str | None) -> None:
    """Has a picture removed, unless something else shows it too. Call it in the transaction that shows it no longer."""
    if key is not None:
        await enqueue(db, drop_unused_picture, Unused(key=key))


@job()
async def drop_unused_picture(infra: Any, picture: Unused) -> None:
    """Albums that were merged may show the same one."""
    folder = picture.key.partition("/")[0]
    if folder in _columns and not await _shown(infra.db.reader, folder, [picture.key]):
        for key in keys_of(picture.key):
            await infra.part(storage).delete(key)


@every("41 3 * * *")
async def remove_unused(infra: Any) -> None:
    """What was stored and never shown, or belonged to what was deleted."""
    for folder in list(_columns):
        names: dict[str, list[str]] = defaultdict(list)
        async for stored in infra.part(storage).list(f"{folder}/", older_than=STORED_BEFORE):
            names[_largest(stored.key)].append(stored.key)
        for batch in _batches(names):
            shown = await _shown(infra.db.reader, folder, batch)
            for key in (name for largest in batch if largest not in shown for name in names[largest]):
                await infra.part(storage).delete(key)


async def _shown(db: Runs, folder: str, keys: list[str]) -> set[str]:
    """Which of these keys are shown somewhere: one statement."""
    sought = any_(bindparam("keys", type_=ARRAY(Text)))
    statement = union_all(*(select(column.label("key")).where(column == sought) for column in _columns[folder]))
    found = await db.rows(statement.params(keys=keys))  # type: ignore[attr-defined]
    return {row.key for row in found}


def _largest(key: str) -> str:
    """The key of the picture of which this is a rendition."""
    stem, _, ending = key.rpartition(".")
    head, _, size = stem.rpartition("-")
    return f"{head}.{ending}" if key in keys_of(f"{head}.{ending}") and size else key


def _batches(names: Iterable[str]) -> Iterable[list[str]]:
    rest = iter(names)
    while batch := list(islice(rest, BATCH)):
        yield batch
