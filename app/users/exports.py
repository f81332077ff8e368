"""All of one's data as a zip: each module registers what it keeps, a job writes it down.

@exported("mutes")
def export_mutes(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    return every_row(db, select(Mute.muted_id, Mute.created_at).where(Mute.muter_id == user_id), key=Mute.muted_id)
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryFile
from typing import IO, Any
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile

from pydantic import BaseModel
from pydantic_core import to_json
from sqlalchemy import Select, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from app.core.auth import Principal
from app.core.db import Reader, Writer
from app.core.errors import Conflict, NotFound
from app.core.jobs import enqueue, every, job
from app.core.paging import Page, PageRequest
from app.core.query import Runs
from app.integrations.storage import Storage, storage
from app.users.models import DataExport, User
from app.users.queries import EXPORT, EXPORTS
from app.users.schemas import DataExportStatus

__all__ = [
    "ExportNotReady",
    "every_row",
    "exported",
    "get_data_export",
    "list_data_exports",
    "open_data_export",
    "request_data_export",
]

KEPT = timedelta(days=7)
STUCK = timedelta(hours=1)
ROWS = 500
CHUNK_BYTES = 256 * 1024

Exporter = Callable[[Reader, UUID], AsyncIterator[dict[str, Any]]]
_exporters: dict[str, Exporter] = {}


class ExportNotReady(Conflict):
    code, title = "export_not_ready", "The export is not ready"


class ExportOrder(BaseModel):
    """Which export to make."""

    export_id: UUID


def exported(name: str) -> Callable[[Exporter], Exporter]:
    """Registers what is kept about a person: it becomes `NAME.json` in their export."""

    def register(function: Exporter) -> Exporter:
        if name in _exporters:
            raise ValueError(f"there are two exports called {name}")
        _exporters[name] = function
        return function

    return register


async def every_row(db: Reader, statement: Select[*tuple[Any, ...]], *, key: Any) -> AsyncIterator[dict[str, Any]]:
    """All rows in the order of a unique column, read in batches."""
    batch = statement.add_columns(key.label("_key")).order_by(key).limit(ROWS)
    rows = await db.rows(batch)
    while rows:
        for row in rows:
            yield {name: value for name, value in row._mapping.items() if name != "_key"}
        rows = await db.rows(batch.where(key > rows[-1]._key)) if len(rows) == ROWS else []


async def request_data_export(db: Writer, actor: Principal) -> DataExportStatus:
    """Has all of the actor's data written into a zip; the one that is already waiting if there is one."""
    waiting = text("status = 'waiting'")
    add = insert(DataExport).values(user_id=actor.user_id)
    add = add.on_conflict_do_update(
        index_elements=[DataExport.user_id], index_where=waiting, set_={"status": "waiting"}
    )
    export_id = (await db.scalars(add.returning(DataExport.id))).one()
    export = await get_data_export(db, actor, export_id)
    await enqueue(db, build_export, ExportOrder(export_id=export_id), key=str(export_id))
    return export


async def get_data_export(db: Runs, actor: Principal, export_id: UUID) -> DataExportStatus:
    """An export of the actor. Raises NotFound, also when it is too old."""
    export = await EXPORT.first(db, export_id=export_id, viewer=actor.user_id)
    if export is None:
        raise NotFound("There is no such export. They are kept for 7 days.")
    return export


async def list_data_exports(db: Reader, actor: Principal, page: PageRequest) -> Page[DataExportStatus]:
    """The actor's exports of the last days, the newest first."""
    return await EXPORTS.page(db, page, viewer=actor.user_id)


async def open_data_export(
    db: Reader, actor: Principal, export_id: UUID, files: Storage
) -> tuple[AsyncIterator[bytes], int]:
    """The finished zip in pieces, and its size. Raises NotFound, ExportNotReady."""
    export = await get_data_export(db, actor, export_id)
    if export.status != "ready":
        raise ExportNotReady(f"The export is {export.status}.", export_status=export.status)
    stat, pieces = await files.stat(_key(export_id)), await files.get(_key(export_id))
    if stat is None or pieces is None:
        raise NotFound("The file is gone. Ask for another export.")
    return pieces, stat.size


@job(seconds=900.0, at_most=2)
async def build_export(infra: Any, order: ExportOrder) -> None:
    """Writes the zip and makes it known."""
    waiting = select(DataExport.user_id).filter_by(id=order.export_id, status="waiting")
    user_id = await infra.db.reader.one(waiting)
    if user_id is None:
        return
    # a nameless file: a process that is killed leaves nothing of anybody's data behind
    with TemporaryFile() as file:
        await write_zip(infra.db.reader, user_id, file)
        await infra.part(storage).put(_key(order.export_id), _pieces(file), content_type="application/zip")
    done = update(DataExport).filter_by(id=order.export_id, status="waiting")
    async with infra.db.write() as db:
        await db.execute(done.values(status="ready", expires_at=func.now() + KEPT))


async def write_zip(db: Reader, user_id: UUID, target: IO[bytes]) -> None:
    """One JSON file for each registered name and an index. Memory holds some hundred rows, however many there are."""
    files = {}
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        for name, rows in sorted(_exporters.items()):
            with archive.open(f"{name}.json", "w", force_zip64=True) as file:
                files[f"{name}.json"] = await _write_rows(file, rows(db, user_id))
        username = await db.one(select(User.username).where(User.id == user_id))
        index = {"user_id": user_id, "username": username, "made_at": datetime.now(UTC), "files": files}
        archive.writestr("index.json", to_json(index, indent=2))


async def _write_rows(file: IO[bytes], rows: AsyncIterator[dict[str, Any]]) -> int:
    """Writes a JSON array, a row in a line; returns how many there were."""
    count, chunk = 0, bytearray(b"[")
    async for row in rows:
        chunk += b",\n" if count else b"\n"
        chunk += to_json(row)
        count += 1
        if len(chunk) >= CHUNK_BYTES:
            await asyncio.to_thread(file.write, bytes(chunk))  # compressing would hold up the event loop
            chunk.clear()
    file.write(chunk + b"\n]\n")
    return count


async def _pieces(file: IO[bytes]) -> AsyncIterator[bytes]:
    file.seek(0)
    while piece := await asyncio.to_thread(file.read, CHUNK_BYTES):
        yield piece


@every("23 * * * *")
async def remove_old_exports(infra: Any) -> None:
    """Files go first, so that a crash between leaves the rows to find them by."""
    stuck = update(DataExport).where(DataExport.status == "waiting", DataExport.created_at < func.now() - STUCK)
    async with infra.db.write() as db:
        await db.execute(stuck.values(status="failed", expires_at=func.now() + KEPT))
    old = await infra.db.reader.all(select(DataExport.id).where(DataExport.expires_at < func.now()))
    for export_id in old:
        await infra.part(storage).delete(_key(export_id))
    async with infra.db.write() as db:
        await db.execute(delete(DataExport).where(DataExport.id.in_(old)))


def _key(export_id: UUID) -> str:
    return f"exports/{export_id}.zip"
