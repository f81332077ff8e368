"""Playlists out of files and into files."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from starlette.datastructures import UploadFile

from app.core.auth import CurrentUser, MaybeUser
from app.core.errors import Forbidden, Invalid, NotFound, Unauthorized, problems
from app.core.http import Here, Router, WriteDB
from app.core.limits import limited
from app.playlists import files_export, files_import
from app.playlists.files import MOST_BYTES, BadPlaylistFile, FileTooLarge
from app.playlists.files_formats import FORMATS, FormatName
from app.playlists.files_import import ReceivedFile
from app.playlists.files_schemas import ImportedPlaylist
from app.playlists.inputs import Name
from app.playlists.schemas import Visibility
from app.playlists.service import TooManyPlaylists

__all__ = ["router"]

router = Router(prefix="/playlists", tags=["playlists"])

_FILE: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_FORM: dict[str, Any] = {
    "schema": {"type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}}}
}
_TYPES = [format_.media_type for format_ in FORMATS.values()]
_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": dict.fromkeys(_TYPES, _FILE) | {"multipart/form-data": _FORM}},
    "x-most-bytes": MOST_BYTES + 16_384,  # a form takes some more than the file in it
}
FileFormat = Annotated[
    FormatName | None, Query(alias="format", description="Left out: told by the file's name, its type or its beginning")
]


async def _received(request: Request, name: FileFormat = None) -> ReceivedFile:
    """The file, read and understood before a transaction begins: a slow upload holds no connection."""
    content_type, file_name = request.headers.get("content-type", ""), ""
    if content_type.startswith("multipart/form-data"):
        async with request.form(max_files=1, max_fields=10) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise Invalid.field("/body/file", "Send the playlist as the form's `file`.", "missing")
            content_type, file_name, body = file.content_type or "", file.filename or "", await file.read()
    else:
        body = await request.body()
    return await files_import.parse_file(body, name=name, content_type=content_type, file_name=file_name)


@router.post(
    "/import",
    status_code=201,
    summary="Make a playlist out of a file",
    responses=problems(Unauthorized, Forbidden, TooManyPlaylists, FileTooLarge, BadPlaylistFile),
    dependencies=[limited("playlists.import", 20, 60)],
    openapi_extra=_BODY,
)
async def import_playlist(
    actor: CurrentUser,
    file: Annotated[ReceivedFile, Depends(_received)],
    db: WriteDB,
    name: Annotated[Name | None, Query(description="Left out: as the file says, or as it is called")] = None,
    visibility: Visibility = "private",
) -> ImportedPlaylist:
    """M3U8, XSPF, JSPF or CSV as the body, or a form with it as `file`: at most 5 MB and 10,000 entries.

    The order stays. What the catalogue does not have becomes a placeholder. Tracks are known by our id, ISRC, the
    ids of MusicBrainz and Spotify, or by artist and title if the lengths agree within five seconds.
    """
    return await files_import.import_playlist(db, actor, file, name=name, visibility=visibility)


@router.get(
    "/{playlist_id}/export",
    summary="A playlist as a file",
    response_class=Response,
    responses={
        **problems(NotFound),
        200: {"content": dict.fromkeys(_TYPES, _FILE), "description": "The file"},
    },
)
async def download_playlist(
    playlist_id: UUID, infra: Here, viewer: MaybeUser, name: Annotated[FormatName, Query(alias="format")] = "m3u8"
) -> Response:
    """Everything in it, in its order, placeholders too. In M3U8 the addresses of recordings work for some hours."""
    file = await files_export.write_playlist(infra, viewer, playlist_id, name=name)
    return Response(file.body, headers=file.headers)
