"""Pictures in requests: what the documentation says of them, and how they are read."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from app.core.errors import Invalid
from app.pictures.service import Kind

__all__ = ["picture_in", "taking"]

_FORM_BYTES = 65_536
_IN_MEMORY = 65_536
_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_FORM: dict[str, Any] = {
    "schema": {"type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}}}
}
_TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif")


def taking(kind: Kind) -> dict[str, Any]:
    """For `openapi_extra=` of a route that takes a picture: it also lets so large a body in."""
    body = {"required": True, "content": dict.fromkeys(_TYPES, _BINARY) | {"multipart/form-data": _FORM}}
    return {"requestBody": body, "x-most-bytes": kind.most_bytes + _FORM_BYTES}


@asynccontextmanager
async def picture_in(request: Request, kind: Kind) -> AsyncIterator[BinaryIO]:
    """The body, or the file in its form: on disk, since many may come at once.

    Raises PictureTooLarge before it has read more than is allowed.
    """
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        form = await _form(request)
        try:
            file = form.get("file") or form.get("cover")
            if not isinstance(file, UploadFile):
                raise Invalid.field("/body/file", "Send the picture as the form's `file`.", "missing")
            kind.check(file.size or 0)
            yield file.file
        finally:
            await form.close()
        return
    kind.check(int(request.headers.get("content-length") or 0))
    with SpooledTemporaryFile(_IN_MEMORY) as spooled:
        async for piece in request.stream():
            spooled.write(piece)
            kind.check(spooled.tell())
        yield cast(BinaryIO, spooled)


async def _form(request: Request) -> FormData:
    try:
        return await request.form(max_files=1, max_fields=10)
    except HTTPException as error:
        if error.status_code != 400:
            raise
        raise Invalid.field("/body", f"The form cannot be read: {error.detail}", "form") from error
