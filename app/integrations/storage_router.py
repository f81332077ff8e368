"""Uploads to the folder that stands in for an object store."""

from typing import Annotated

from fastapi import Path, Request

from app.core.errors import NotFound, problems
from app.core.http import Here, Router
from app.integrations.grants import UploadLinkExpired, UploadLinkInvalid, UploadMismatch
from app.integrations.storage import UPLOADS, LocalStorage, storage

__all__ = ["router"]

router = Router(prefix=UPLOADS, tags=["media"])
MOST_BYTES = 100 * 1024 * 1024
_BYTES = {"schema": {"type": "string", "format": "binary"}}
_FILE = {"requestBody": {"required": True, "content": {"application/octet-stream": _BYTES}}}


@router.put(
    "/{token}",
    status_code=204,
    summary="Upload a file",
    responses=problems(NotFound, UploadLinkInvalid, UploadLinkExpired, UploadMismatch),
    openapi_extra={**_FILE, "x-most-bytes": MOST_BYTES},
)
async def put_upload(token: Annotated[str, Path(max_length=1000)], request: Request, infra: Here) -> None:
    """The second of the three steps of an upload: send the file to the link that the first one gave.

    Type and length are those that you announced. With an object store the link leads there and not here.
    """
    files = infra.part(storage)
    if not isinstance(files, LocalStorage):
        raise NotFound("Files are uploaded to the object store.")
    length = request.headers.get("content-length", "")
    await files.receive(
        token,
        request.stream(),
        content_type=request.headers.get("content-type"),
        length=int(length) if length.isdecimal() else None,
    )
