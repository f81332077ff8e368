"""Playlists by mail: asking for it, and what has become of it. `exporting.py` does the work."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field
from sqlalchemy import Uuid, bindparam, select
from sqlalchemy.dialects.postgresql import insert

from app.auth.schemas import EmailAddress
from app.core.auth import Principal
from app.core.db import Reader, Writer
from app.core.errors import NotFound
from app.core.jobs import enqueue
from app.core.paging import Page, PageRequest
from app.core.query import PageQuery, Query, Runs
from app.core.schemas import Input, Output, Timestamp
from app.playlists.exporting import ExportOrder, hand_over
from app.playlists.models import PlaylistExport
from app.playlists.standing import NotCollaborator, require_readable
from app.users.exports import every_row, exported
from app.users.queries import VIEWER

__all__ = [
    "ExportInput",
    "ExportStatus",
    "get_playlist_export",
    "list_playlist_exports",
    "request_playlist_export",
]

State = Literal["queued", "working", "sent", "failed"]
Failure = Literal["refused", "unreachable", "playlist_gone", "broken"]


class ExportInput(Input):
    """Where the playlist is to be mailed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"targetEmail": "ana@example.com"}]})

    target_email: Annotated[EmailAddress, Field(alias="targetEmail")]


class ExportStatus(Output):
    """What has become of an export.

    `failure` says why a `failed` one was given up: the address was `refused`, the mail server was `unreachable` in all
    attempts, the playlist is `playlist_gone` or not yours to export any more, or the work was `broken` each time.
    """

    id: UUID
    playlist_id: UUID | None
    target_email: str
    state: State
    attempts: int
    failure: Failure | None
    created_at: Timestamp
    sent_at: Timestamp | None


_COLUMNS = (
    PlaylistExport.id,
    PlaylistExport.playlist_id,
    PlaylistExport.target_email,
    PlaylistExport.state,
    PlaylistExport.attempts,
    PlaylistExport.failure,
    PlaylistExport.created_at,
    PlaylistExport.sent_at,
)
_MINE = select(*_COLUMNS).where(PlaylistExport.user_id == VIEWER)
EXPORT = Query(_MINE.where(PlaylistExport.id == bindparam("export_id", type_=Uuid)), into=ExportStatus)
EXPORTS = PageQuery(_MINE, into=ExportStatus, order=[PlaylistExport.id])


async def request_playlist_export(
    db: Writer, actor: Principal, playlist_id: UUID, *, target_email: str
) -> ExportStatus:
    """Has a playlist of the actor's, or one on which they work, mailed to an address. Raises NotFound, NotCollaborator.

    The order is written with the export: there is no moment in which one is there without the other.
    """
    playlist = await require_readable(db, actor, playlist_id)
    if playlist.role is None:
        raise NotCollaborator("Only those who belong to the playlist export it. Copy it, then export the copy.")
    row = {"playlist_id": playlist_id, "user_id": actor.user_id, "target_email": target_email}
    added = await db.scalars(insert(PlaylistExport).values(row).returning(PlaylistExport.id))
    export_id = added.one()
    export = await get_playlist_export(db, actor, export_id)
    await enqueue(db, hand_over, ExportOrder(export_id=export_id))
    return export


async def get_playlist_export(db: Runs, actor: Principal, export_id: UUID) -> ExportStatus:
    """An export of the actor's. Raises NotFound, also when it is too old."""
    export = await EXPORT.first(db, export_id=export_id, viewer=actor.user_id)
    if export is None:
        raise NotFound("There is no such export. They are kept for 30 days.")
    return export


async def list_playlist_exports(db: Reader, actor: Principal, page: PageRequest) -> Page[ExportStatus]:
    """The actor's exports of the last days, the newest first."""
    return await EXPORTS.page(db, page, viewer=actor.user_id)


@exported("playlist_exports")
def export_exports(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """Which playlists the person had mailed, and where."""
    rows = select(PlaylistExport.playlist_id, PlaylistExport.target_email, PlaylistExport.state)
    rows = rows.add_columns(PlaylistExport.created_at, PlaylistExport.sent_at)
    return every_row(db, rows.where(PlaylistExport.user_id == user_id), key=PlaylistExport.id)
