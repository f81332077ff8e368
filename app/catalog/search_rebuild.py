"""Search from the ground up after a bulk load, and what is made good of it at night: fame and word counts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import asyncpg
from sqlalchemy import (
    NullPool,
    Select,
    Table,
    Update,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateIndex, DropIndex

from app.catalog.models import SearchDocument, SearchWord
from app.catalog.search_index import COLUMNS, DOCUMENTS, people_documents
from app.catalog.spelling import remains
from app.core.database_url import engine_for
from app.core.db import Base
from app.core.ids import MIN_UUID
from app.users.models import User

__all__ = ["rebuild_search", "refresh_search"]

_NOTICEABLE = 0.01
_BATCH = 20_000
_COUNT_CHANGES = text(
    "UPDATE search_words SET documents = counted.documents"
    " FROM unnest(CAST(:words AS text[]), CAST(:counts AS int[])) AS counted (word, documents)"
    " WHERE search_words.word = counted.word AND search_words.documents <> counted.documents"
)
_COUNTS = text("SELECT word, ndoc FROM ts_stat('SELECT terms FROM search_documents')")


async def rebuild_search(database_url: str) -> None:
    """Fills the index from all that is there. Searches and edits wait until it is done."""
    async with _patient(database_url) as connection:
        await connection.execute(text("TRUNCATE search_documents, search_words"))
        async with _without_index(connection, SearchDocument, "ix_search_documents_terms"):
            await _fill(connection)
        async with _without_index(connection, SearchWord, "ix_search_words_remains"):
            await _learn_all(connection)
        await connection.execute(text("ANALYZE search_documents, search_words"))


async def refresh_search(database_url: str) -> None:
    """Brings fame and word counts up to date while everybody goes on."""
    for documents in DOCUMENTS.values():
        async with _patient(database_url) as connection:
            await connection.execute(_fame_changes(documents))
    async with _patient(database_url) as connection:
        await _recount(connection)


@asynccontextmanager
async def _patient(database_url: str) -> AsyncIterator[AsyncConnection]:
    """A transaction on a connection of its own, since those of requests give up after seconds."""
    engine = engine_for(database_url, poolclass=NullPool)
    async with engine.begin() as connection:
        yield connection


@asynccontextmanager
async def _without_index(connection: AsyncConnection, model: type[Base], name: str) -> AsyncIterator[None]:
    """An inverted index is made in a fraction of the time that filling it row by row takes."""
    (index,) = (index for index in cast(Table, model.__table__).indexes if index.name == name)
    await connection.execute(DropIndex(index))
    yield
    await connection.execute(CreateIndex(index))


async def _fill(connection: AsyncConnection) -> None:
    for documents in DOCUMENTS.values():
        # the famous beside each other: a common beginning looks through thousands of them
        by_fame = documents.order_by(documents.selected_columns.weight.desc())
        await connection.execute(insert(SearchDocument).from_select(COLUMNS, by_fame))
    people = select(User.id, User.display_name, User.username).where(User.deleted_at.is_(None)).order_by(User.id)
    last = MIN_UUID
    while batch := (await connection.execute(people.where(User.id > last).limit(_BATCH))).all():
        await connection.execute(insert(SearchDocument).from_select(COLUMNS, people_documents(batch)))
        last = batch[-1].id


async def _learn_all(connection: AsyncConnection) -> None:
    counted = (await connection.execute(_COUNTS)).all()
    words = [(word, documents, remains(word)) for word, documents in counted]
    raw = await connection.get_raw_connection()
    driver = raw.driver_connection
    assert isinstance(driver, asyncpg.Connection)
    await driver.copy_records_to_table("search_words", records=words, columns=["word", "documents", "remains"])


async def _recount(connection: AsyncConnection) -> None:
    """Words that no document has any longer stay: they do no harm, and one may be on its way back."""
    counted = (await connection.execute(_COUNTS)).all()
    words, counts = [row.word for row in counted], [row.ndoc for row in counted]
    await connection.execute(_COUNT_CHANGES, {"words": words, "counts": counts})


def _fame_changes(documents: Select[Any]) -> Update:
    now = documents.subquery()
    differs = func.abs(SearchDocument.weight - now.c.weight) > _NOTICEABLE
    change = update(SearchDocument).where(SearchDocument.entity_id == now.c.entity_id, differs)
    return change.values(weight=now.c.weight)
