"""/export: OpenMusic's playlists by mail."""

from app.compat.openmusic.envelope import Said, dialect_router, failures, said
from app.compat.openmusic.playlists import require_owned
from app.core.auth import CurrentUser
from app.core.http import WriteDB
from app.core.limits import limited
from app.playlists.export import ExportInput, request_playlist_export

__all__ = ["router"]

router = dialect_router("exports")


@router.post(
    "/export/playlists/{playlist_id}",
    status_code=201,
    summary="Mail a playlist",
    responses=failures(401, 403, 404),
    dependencies=[limited("playlists.export", 30, 3600)],
)
async def export_playlist(playlist_id: str, wanted: ExportInput, db: WriteDB, actor: CurrentUser) -> Said:
    """Only its owner may. The mail has `{"playlist": {"id", "name", "songs"}}` as a file, and a table to read."""
    playlist = await require_owned(db, actor, playlist_id)
    await request_playlist_export(db, actor, playlist.id, target_email=wanted.target_email)
    return said("Your request is in the queue.")
