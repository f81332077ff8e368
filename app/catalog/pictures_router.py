"""Covers of albums and pictures of artists."""

from uuid import UUID

from fastapi import Request

from app.catalog import pictures
from app.catalog.editing_router import Editor
from app.catalog.locking import IsDuplicate
from app.catalog.models import Album, Artist
from app.catalog.pictures import ARTIST, COVER
from app.core.errors import Forbidden, NotFound, Unauthorized, problems
from app.core.http import Here, Router, WriteDB
from app.core.images import NotAnImage
from app.core.limits import limited
from app.pictures.bodies import picture_in, taking
from app.pictures.schemas import Picture
from app.pictures.service import PictureTooLarge

__all__ = ["albums", "artists"]

albums = Router(prefix="/albums", tags=["albums"])
artists = Router(prefix="/artists", tags=["artists"])

REMOVED = problems(Unauthorized, Forbidden, NotFound, IsDuplicate)
STORED = REMOVED | problems(PictureTooLarge, NotAnImage)
UPLOADS = [limited("catalog.pictures", 30, 60)]


@albums.put(
    "/{album_id}/cover",
    summary="Set an album's cover",
    responses=STORED,
    dependencies=UPLOADS,
    openapi_extra=taking(COVER),
)
async def set_album_cover(album_id: UUID, request: Request, infra: Here, actor: Editor) -> Picture:
    """The picture itself as the body, or a form with it as `file`: PNG, JPEG, WebP or GIF, at most 512,000 bytes."""
    async with picture_in(request, COVER) as file:
        return await pictures.set_picture(infra, Album, album_id, file)


@albums.delete("/{album_id}/cover", status_code=204, summary="Remove an album's cover", responses=REMOVED)
async def remove_album_cover(album_id: UUID, db: WriteDB, actor: Editor) -> None:
    """Without one nothing changes."""
    await pictures.remove_picture(db, Album, album_id)


@artists.put(
    "/{artist_id}/picture",
    summary="Set an artist's picture",
    responses=STORED,
    dependencies=UPLOADS,
    openapi_extra=taking(ARTIST),
)
async def set_artist_picture(artist_id: UUID, request: Request, infra: Here, actor: Editor) -> Picture:
    """The picture itself as the body, or a form with it as `file`: PNG, JPEG, WebP or GIF, at most 5,000,000 bytes."""
    async with picture_in(request, ARTIST) as file:
        return await pictures.set_picture(infra, Artist, artist_id, file)


@artists.delete("/{artist_id}/picture", status_code=204, summary="Remove an artist's picture", responses=REMOVED)
async def remove_artist_picture(artist_id: UUID, db: WriteDB, actor: Editor) -> None:
    """Without one nothing changes."""
    await pictures.remove_picture(db, Artist, artist_id)
