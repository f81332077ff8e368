"""Pictures as everybody sees them."""

from typing import Annotated

from fastapi import Path, Query, Response
from fastapi.responses import StreamingResponse

from app.core.errors import NotFound, problems
from app.core.etags import NOT_MODIFIED, IfNoneMatch, known_tag
from app.core.http import Here, Router
from app.pictures.service import Size, open_picture, require_key

__all__ = ["router"]

router = Router(prefix="/media", tags=["media"])
FOREVER = "public, max-age=31536000, immutable"
ANSWERS = {**NOT_MODIFIED, 200: {"content": {"image/webp": {}}, "description": "The picture"}}


@router.get("/{key:path}", summary="A picture", response_class=Response, responses={**problems(NotFound), **ANSWERS})
async def get_picture(
    key: Annotated[str, Path(max_length=200, examples=["covers/0f3a….webp"])],
    infra: Here,
    size: Annotated[Size | None, Query(description="Pixels of the longer side; without it as large as it is")] = None,
    known: IfNoneMatch = None,
) -> Response:
    """A cover, a portrait, a picture of a message. What is under a key never changes, so keep it for ever."""
    require_key(key)
    tag = f'"{key}{f"-{size}" if size else ""}"'
    headers = {"etag": tag, "cache-control": FOREVER, "cross-origin-resource-policy": "cross-origin"}
    if known not in {None, "*"} and known_tag(known or "", tag):
        return Response(status_code=304, headers=headers)
    pieces, length = await open_picture(infra, key, size)
    return StreamingResponse(pieces, headers=headers | {"content-length": str(length)}, media_type="image/webp")
