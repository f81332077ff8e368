"""Playlists out of files and into files."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from app.core.auth import CurrentUser, MaybeUser
from app.core.errors import Forbidden, Invalid, NotFound, Unauthorized, problems
from app.core.http import Here, Router, WriteDB
from app.core.limits import limited
from app.playlists import files_export, files_import
from app.playlists.entries import PlaylistFull
from app.playlists.files import MOST_BYTES, BadPlaylistFile, FileTooLarge
from app.playlists.files_formats import FORMATS, FormatName
from app.playlists.files_import import ReceivedFile
from app.playlists.files_schemas import ImportedPlaylist, MatchedEntries
from app.playlists.inputs import Name, Position
from app.playlists.rematching import match_placeholders
from app.playlists.schemas import Visibility
from app.playlists.service import TooManyPlaylists, version_of
from app.playlists.standing import NotCollaborator, PlaylistIsSmart

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
_WRITTEN = dict.fromkeys(_TYPES, _FILE) | {FORMATS["jspf"].media_type: {"schema": {"type": "object"}}}
FileFormat = Annotated[
    FormatName | None, Query(alias="format", description="Left out: told by the file's name, its type or its beginning")
]


async def _received(request: Request, name: FileFormat = None) -> ReceivedFile:
    """The file, read and understood before a transaction begins: a slow upload holds no connection."""
    content_type, file_name = request.headers.get("content-type", ""), ""
    if content_type.startswith("multipart/form-data"):
        content_type, file_name, body = await _in_form(request)
    else:
        body = await request.body()
    return await files_import.parse_file(body, name=name, content_type=content_type, file_name=file_name)


async def _in_form(request: Request) -> tuple[str, str, bytes]:
    """The type, the name and the file itself."""
    try:
        async with request.form(max_files=1, max_fields=10) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise Invalid.field("/body/file", "Send the playlist as the form's `file`.", "missing")
            return file.content_type or "", file.filename or "", await file.read()
    except HTTPException as error:
        if error.status_code != 400:
            raise
        raise Invalid.field("/body", f"This is no form: {error.detail}", "form") from error


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


@router.post(
    "/{playlist_id}/import",
    status_code=201,
    summary="Add a file to a playlist",
    responses=problems(
        Unauthorized, NotCollaborator, NotFound, PlaylistIsSmart, PlaylistFull, FileTooLarge, BadPlaylistFile
    ),
    dependencies=[limited("playlists.import", 20, 60)],
    openapi_extra=_BODY,
)
async def add_file_to_playlist(
    playlist_id: UUID,
    actor: CurrentUser,
    file: Annotated[ReceivedFile, Depends(_received)],
    db: WriteDB,
    at: Annotated[Position | None, Query(description="Where the first comes to stand; left out: at the end")] = None,
) -> ImportedPlaylist:
    """For its owner and editors. What is in the file is added; what the file says of itself is not looked at."""
    return await files_import.add_file(db, actor, playlist_id, file, at=at)


@router.post(
    "/{playlist_id}/match",
    summary="Look for placeholders again",
    responses=problems(Unauthorized, NotCollaborator, NotFound, PlaylistIsSmart),
    dependencies=[limited("playlists.match", 20, 60)],
)
async def match_playlist_placeholders(playlist_id: UUID, db: WriteDB, actor: CurrentUser) -> MatchedEntries:
    """For its owner and editors. What the catalogue has by now becomes a track, at the place that was held for it."""
    matched = await match_placeholders(db, actor, playlist_id)
    version = await version_of(db, playlist_id)
    return MatchedEntries(matched=matched, **version.model_dump())


@router.get(
    "/{playlist_id}/export",
    summary="A playlist as a file",
    response_class=Response,
    responses={
        **problems(NotFound),
        200: {"content": _WRITTEN, "description": "The file"},
    },
)
async def download_playlist(
    playlist_id: UUID, infra: Here, viewer: MaybeUser, name: Annotated[FormatName, Query(alias="format")] = "m3u8"
) -> Response:
    """Everything in it, in its order, placeholders too. In M3U8 the addresses of recordings work for some hours."""
    file = await files_export.write_playlist(infra, viewer, playlist_id, name=name)
    return Response(file.body, headers=file.headers)
