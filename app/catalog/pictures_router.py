"""Covers of albums and pictures of artists."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Request, Response
from fastapi.responses import StreamingResponse

from app.catalog import pictures
from app.catalog.editing_router import Editor
from app.catalog.models import Album, Artist
from app.catalog.picture_bodies import PICTURE, read_picture
from app.catalog.pictures import PictureTooLarge
from app.catalog.schemas import Picture
from app.catalog.service import Merged
from app.core.errors import Forbidden, NotFound, Unauthorized, problems
from app.core.etags import NOT_MODIFIED, IfNoneMatch
from app.core.http import Here, Router, WriteDB
from app.core.images import NotAnImage
from app.core.limits import limited

__all__ = ["albums", "artists", "media"]

albums = Router(prefix="/albums", tags=["albums"])
artists = Router(prefix="/artists", tags=["artists"])
media = Router(prefix="/media", tags=["media"])

REMOVED = problems(Unauthorized, Forbidden, NotFound, Merged)
STORED = REMOVED | problems(PictureTooLarge, NotAnImage)
UPLOADS = [limited("catalog.pictures", 30, 60)]
FOREVER = "public, max-age=31536000, immutable"


@albums.put(
    "/{album_id}/cover",
    summary="Set an album's cover",
    responses=STORED,
    dependencies=UPLOADS,
    openapi_extra=PICTURE,
)
async def set_album_cover(album_id: UUID, request: Request, infra: Here, actor: Editor) -> Picture:
    """The picture itself as the body, or a form with it as `file`: PNG, JPEG, WebP or GIF, at most 512,000 bytes."""
    return await pictures.set_picture(infra, Album, album_id, await read_picture(request))


@albums.delete("/{album_id}/cover", status_code=204, summary="Remove an album's cover", responses=REMOVED)
async def remove_album_cover(album_id: UUID, db: WriteDB, actor: Editor) -> None:
    """Without one nothing changes."""
    await pictures.remove_picture(db, Album, album_id)


@artists.put(
    "/{artist_id}/picture",
    summary="Set an artist's picture",
    responses=STORED,
    dependencies=UPLOADS,
    openapi_extra=PICTURE,
)
async def set_artist_picture(artist_id: UUID, request: Request, infra: Here, actor: Editor) -> Picture:
    """The picture itself as the body, or a form with it as `file`: PNG, JPEG, WebP or GIF, at most 512,000 bytes."""
    return await pictures.set_picture(infra, Artist, artist_id, await read_picture(request))


@artists.delete("/{artist_id}/picture", status_code=204, summary="Remove an artist's picture", responses=REMOVED)
async def remove_artist_picture(artist_id: UUID, db: WriteDB, actor: Editor) -> None:
    """Without one nothing changes."""
    await pictures.remove_picture(db, Artist, artist_id)


@media.get(
    "/{key:path}",
    summary="A picture",
    response_class=StreamingResponse,
    responses={
        **problems(NotFound),
        **NOT_MODIFIED,
        200: {"content": {"image/webp": {}}, "description": "The picture"},
    },
)
async def get_picture(
    key: Annotated[str, Path(max_length=200, examples=["covers/0f3a….webp"])], infra: Here, known: IfNoneMatch = None
) -> Response:
    """A cover, an artist's picture or an avatar. What is under a key never changes, so keep it for ever."""
    tag = f'"{key}"'
    headers = {"etag": tag, "cache-control": FOREVER, "cross-origin-resource-policy": "cross-origin"}
    if known is not None and tag in known:
        return Response(status_code=304, headers=headers)
    pieces, size = await pictures.open_picture(infra, key)
    return StreamingResponse(pieces, headers=headers | {"content-length": str(size)}, media_type="image/webp")
