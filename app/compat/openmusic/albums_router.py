"""/albums: OpenMusic's albums, their covers and likes."""

from fastapi import Request, Response
from starlette.datastructures import UploadFile

from app.catalog.albums import delete_album
from app.catalog.likes import count_album_likes, unlike_album
from app.catalog.models import Album
from app.catalog.pictures import set_picture
from app.compat.openmusic import catalogue
from app.compat.openmusic.catalogue import identify
from app.compat.openmusic.envelope import Given, Said, dialect_router, failures, given, said
from app.compat.openmusic.schemas import AlbumBox, AlbumId, AlbumPayload, Likes
from app.core.auth import CurrentUser
from app.core.errors import Invalid
from app.core.http import Here, ReadDB, WriteDB
from app.core.limits import limited

__all__ = ["router"]

router = dialect_router("albums")
MOST_BYTES = 512_000
COVER = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["cover"],
                    "properties": {"cover": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}


@router.post("/albums", status_code=201, summary="Add an album")
async def add_album(new: AlbumPayload, db: WriteDB) -> Given[AlbumId]:
    """Everybody may. It belongs to various artists; its songs say who performs them."""
    return given(AlbumId(album_id=await catalogue.add_album(db, new)))


@router.get("/albums/{album_id}", summary="An album", responses=failures(404))
async def get_album(album_id: str, request: Request, db: ReadDB) -> Given[AlbumBox]:
    """With its songs. `coverUrl` is null until a cover was sent."""
    settings = request.app.state.settings
    base_url = settings.base_url if settings.public_url else str(request.base_url).rstrip("/")
    album = await catalogue.read_album(db, identify(album_id, Album), base_url=base_url)
    return given(AlbumBox(album=album))


@router.put("/albums/{album_id}", summary="Change an album", responses=failures(404))
async def edit_album(album_id: str, new: AlbumPayload, db: WriteDB) -> Said:
    """Name and year."""
    await catalogue.edit_album(db, identify(album_id, Album), new)
    return said("The album was changed.")


@router.delete("/albums/{album_id}", summary="Delete an album", responses=failures(404))
async def delete_album_and_songs(album_id: str, db: WriteDB) -> Said:
    """With its songs; 400 once people have reviewed or heard it."""
    await delete_album(db, identify(album_id, Album))
    return said("The album was deleted.")


@router.post(
    "/albums/{album_id}/covers",
    status_code=201,
    summary="Send an album's cover",
    responses=failures(404, 413),
    openapi_extra=COVER,
    dependencies=[limited("openmusic.covers", 60, 60)],
)
async def add_cover(album_id: str, request: Request, infra: Here) -> Said:
    """PNG, JPEG, WebP or GIF as the form's `cover`, at most 512,000 bytes."""
    await set_picture(infra, Album, identify(album_id, Album), await _cover(request))
    return said("The cover was stored.")


async def _cover(request: Request) -> bytes:
    async with request.form(max_files=1, max_fields=10) as form:
        file = form.get("cover")
        if not isinstance(file, UploadFile):
            raise Invalid.field("/body/cover", "Send the picture as the form's file `cover`.", "missing")
        # a byte more than is allowed is enough to know that it is too many
        return await file.read(MOST_BYTES + 1)


@router.post("/albums/{album_id}/likes", status_code=201, summary="Like an album", responses=failures(401, 404))
async def like_album_once(album_id: str, db: WriteDB, actor: CurrentUser) -> Said:
    """400 if you like it already."""
    await catalogue.like_once(db, actor, identify(album_id, Album))
    return said("You like the album.")


@router.delete("/albums/{album_id}/likes", summary="No longer like an album", responses=failures(401, 404))
async def take_like_back(album_id: str, db: WriteDB, actor: CurrentUser) -> Said:
    """Done again it changes nothing."""
    await unlike_album(db, actor, identify(album_id, Album))
    return said("You no longer like the album.")


@router.get("/albums/{album_id}/likes", summary="How many like an album", responses=failures(404))
async def count_likes(album_id: str, infra: Here, db: ReadDB, response: Response) -> Given[Likes]:
    """`X-Data-Source: cache` where the number was kept for up to half an hour since nobody changed it."""
    count, cached = await count_album_likes(db, infra.cache, identify(album_id, Album))
    if cached:
        response.headers["X-Data-Source"] = "cache"
    return given(Likes(likes=count.like_count))
