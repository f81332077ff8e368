"""Playlists by mail."""

from uuid import UUID

from fastapi import Response

from app.core.auth import CurrentUser
from app.core.errors import Forbidden, NotFound, Unauthorized, problems
from app.core.http import API, ReadDB, Router, WriteDB
from app.core.limits import limited
from app.core.paging import Page, Paged
from app.playlists import export
from app.playlists.export import ExportInput, ExportStatus
from app.playlists.standing import NotCollaborator

__all__ = ["router"]

router = Router(tags=["playlists"])


@router.post(
    "/export/playlists/{playlist_id}",
    status_code=202,
    summary="Mail a playlist",
    responses={
        **problems(Unauthorized, Forbidden, NotFound, NotCollaborator),
        202: {"headers": {"Location": {"schema": {"type": "string"}, "description": "Where to ask for its state"}}},
    },
    dependencies=[limited("playlists.export", 30, 3600)],
)
async def request_playlist_export(
    playlist_id: UUID, wanted: ExportInput, db: WriteDB, actor: CurrentUser, response: Response
) -> ExportStatus:
    """For those who belong to it. The mail has a table and a JSON file. Ask for its state until it is `sent`."""
    made = await export.request_playlist_export(db, actor, playlist_id, target_email=wanted.target_email)
    response.headers["Location"] = f"{API}/exports/{made.id}"
    return made


@router.get("/exports", summary="Your playlist exports", responses=problems(Unauthorized))
async def list_playlist_exports(db: ReadDB, actor: CurrentUser, page: Paged) -> Page[ExportStatus]:
    """Those of the last 30 days, the newest first."""
    return await export.list_playlist_exports(db, actor, page)


@router.get("/exports/{export_id}", summary="A playlist export", responses=problems(Unauthorized, NotFound))
async def get_playlist_export(export_id: UUID, db: ReadDB, actor: CurrentUser) -> ExportStatus:
    """What has become of it."""
    return await export.get_playlist_export(db, actor, export_id)
