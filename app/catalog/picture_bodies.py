"""Pictures in requests: what the documentation says of them, and how they are read."""

from typing import Any

from fastapi import Request
from starlette.datastructures import UploadFile

from app.catalog.pictures import MOST_BYTES, PictureTooLarge
from app.core.errors import Invalid

__all__ = ["PICTURE", "read_picture"]

_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_FORM: dict[str, Any] = {
    "schema": {"type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}}}
}
_KINDS = ("image/png", "image/jpeg", "image/webp", "image/gif")
PICTURE: dict[str, Any] = {
    "requestBody": {"required": True, "content": dict.fromkeys(_KINDS, _BINARY) | {"multipart/form-data": _FORM}}
}
"""For `openapi_extra=` of a route that takes a picture."""


async def read_picture(request: Request) -> bytes:
    """The body, or the file in its form. Raises PictureTooLarge before it has read more than is allowed."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form(max_files=1, max_fields=10) as form:
            file = form.get("file") or form.get("cover")
            if not isinstance(file, UploadFile):
                raise Invalid.field("/body/file", "Send the picture as the form's `file`.", "missing")
            return await file.read(MOST_BYTES + 1)
    if int(request.headers.get("content-length") or 0) > MOST_BYTES:
        raise PictureTooLarge
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise PictureTooLarge
    return bytes(body)
