"""Recordings as they go out: whole, in parts, or as a short signed link to the object store."""

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any, Literal
from urllib.parse import quote
from uuid import UUID

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from app.catalog.media import check_media_url
from app.core.auth import Principal
from app.core.errors import AppError, Forbidden, NotFound
from app.core.infra import Infra
from app.integrations.storage import Storage, storage
from app.uploads.queries import HEARD_RECORDING, RECORDING
from app.uploads.ranges import Span, Unsatisfiable, is_current, read_ranges
from app.uploads.schemas import Recording

__all__ = [
    "OWN",
    "Format",
    "LinkInvalid",
    "NoRecording",
    "RangeNotSatisfiable",
    "Signed",
    "Wanted",
    "heard",
    "send",
    "stream_heard",
    "stream_signed",
]

Format = Literal["original", "mp3", "opus"]
SIGNED = {"cache-control": "private, max-age=21600"}
OWN = {"cache-control": "private, no-cache", "vary": "Authorization"}
LINK_SECONDS = 600
_EXTENSIONS = {
    "audio/mpeg": "mp3",
    "audio/flac": "flac",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "audio/mp4": "m4a",
    "audio/aac": "aac",
}


class NoRecording(NotFound):
    code, title = "no_recording", "This track has no recording that you may hear"


class LinkInvalid(Forbidden):
    code, title = "media_link_invalid", "This address is not signed by this server, or its time is over"


class RangeNotSatisfiable(AppError):
    status, code, title = 416, "range_not_satisfiable", "The recording has no such part"


@dataclass(frozen=True, slots=True)
class Wanted:
    """How somebody wants a recording."""

    format: Format = "original"
    download: bool = False


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signed address says of itself."""

    expires: int
    signature: str


@dataclass(frozen=True, slots=True)
class File:
    """One object of a recording, and what is said of it."""

    key: str
    size: int
    audio_type: str
    tag: str
    modified_at: datetime
    filename: str


async def stream_signed(infra: Infra, request: Request, track_id: UUID, wanted: Wanted, signed: Signed) -> Response:
    """The recording for whoever has a signed address. Raises LinkInvalid, NoRecording, RangeNotSatisfiable."""
    recording = await RECORDING.first(infra.db.reader, track_id=track_id)
    visibility = recording.visibility if recording else "public"
    secret = infra.settings.secret
    if not check_media_url(secret, track_id, visibility, expires=signed.expires, signature=signed.signature):
        raise LinkInvalid("Ask for the track again: it names a new address.")
    return await send(infra, request, recording, wanted, dict(SIGNED))


async def stream_heard(
    infra: Infra, request: Request, actor: Principal | None, track_id: UUID, wanted: Wanted
) -> Response:
    """The recording for somebody who may hear the track. Raises NoRecording, RangeNotSatisfiable."""
    return await send(infra, request, await heard(infra, actor, track_id), wanted, dict(OWN))


async def heard(infra: Infra, actor: Principal | None, track_id: UUID) -> Recording | None:
    """The recording, if there is one that the actor may hear."""
    viewer = actor.user_id if actor else None
    return await HEARD_RECORDING.first(infra.db.reader, track_id=track_id, viewer=viewer)


async def send(
    infra: Infra, request: Request, recording: Recording | None, wanted: Wanted, headers: dict[str, str]
) -> Response:
    """A recording to somebody who may have it. Raises NoRecording, RangeNotSatisfiable."""
    if recording is None:
        raise NoRecording("There is no such track, or nothing of it to hear.")
    file = _file(recording, wanted.format)
    headers |= _headers(file, download=wanted.download)
    if _is_known(request, file):
        return Response(status_code=304, headers=headers)
    if infra.settings.stream_via == "redirect" and request.method == "GET":
        link = await _link(infra.part(storage), file, download=wanted.download)
        if link:
            return Response(status_code=302, headers={"location": link, "cache-control": "private, max-age=60"})
    return await _answer(infra.part(storage), request, file, headers)


def _file(recording: Recording, wanted: Format) -> File:
    rendition = next((made for made in recording.renditions if made["format"] == wanted), None)
    name = f"{recording.artist} - {recording.title}"
    if rendition is None:
        audio_type, key, size = recording.audio_type, recording.key, recording.size
    else:
        audio_type, key, size = rendition["audio_type"], rendition["key"], rendition["size"]
    suffix = f"-{wanted}" if rendition else ""
    return File(
        key=key,
        size=size,
        audio_type=audio_type,
        tag=f'"{recording.sha256[:32]}{suffix}"',
        modified_at=recording.finalised_at,
        filename=f"{name}.{_EXTENSIONS[audio_type]}",
    )


def _headers(file: File, *, download: bool) -> dict[str, str]:
    name, _, extension = file.filename.rpartition(".")
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)
    disposition = "attachment" if download else "inline"
    return {
        "accept-ranges": "bytes",
        "etag": file.tag,
        "last-modified": format_datetime(file.modified_at.replace(microsecond=0), usegmt=True),
        "content-disposition": f"{disposition}; filename=\"{plain}.{extension}\"; filename*=UTF-8''"
        f"{quote(file.filename, safe='')}",
        "cross-origin-resource-policy": "cross-origin",
    }


def _is_known(request: Request, file: File) -> bool:
    known = request.headers.get("if-none-match")
    tags = {item.strip().removeprefix("W/") for item in (known or "").split(",", 50)}
    return file.tag in tags or tags == {"*"}


async def _link(files: Storage, file: File, *, download: bool) -> str | None:
    return await files.presign_get(
        file.key,
        seconds=LINK_SECONDS,
        filename=file.filename if download else None,
        content_type=file.audio_type,
    )


async def _answer(files: Storage, request: Request, file: File, headers: dict[str, str]) -> Response:
    spans = _spans(request, file)
    is_head = request.method == "HEAD"
    if spans is None or len(spans) == 1:
        span = spans[0] if spans else Span(0, file.size)
        headers |= {"content-type": file.audio_type, "content-length": str(span.size)}
        if spans:
            headers["content-range"] = _content_range(span, file.size)
        status = 206 if spans else 200
        return (
            Response(status_code=status, headers=headers) if is_head else await _one(files, file, span, status, headers)
        )
    parts = _parts(spans, file)
    length = sum(len(head) + span.size for head, span in parts) + len(parts.end)
    headers |= {"content-type": f"multipart/byteranges; boundary={parts.boundary}", "content-length": str(length)}
    if is_head:
        return Response(status_code=206, headers=headers)
    return StreamingResponse(_all_parts(files, file, parts), 206, headers)


def _spans(request: Request, file: File) -> list[Span] | None:
    header = request.headers.get("range")
    if not is_current(request.headers.get("if-range"), tag=file.tag, modified_at=file.modified_at):
        return None
    try:
        return read_ranges(header, file.size)
    except Unsatisfiable as error:
        detail = f"It has {file.size:,} bytes; ask for at most a few parts of them."
        raise RangeNotSatisfiable(detail, headers={"Content-Range": f"bytes */{file.size}"}) from error


async def _one(files: Storage, file: File, span: Span, status: int, headers: Mapping[str, str]) -> Response:
    pieces = await files.get(file.key, start=span.start, end=span.end)
    if pieces is None:
        raise NoRecording("The file is gone.")
    return StreamingResponse(pieces, status, headers)


class Parts(list[tuple[bytes, Span]]):
    """The parts of a multipart answer, each with what stands before it."""

    boundary: str
    end: bytes


def _parts(spans: Sequence[Span], file: File) -> Parts:
    parts = Parts()
    parts.boundary = secrets.token_hex(16)
    parts.end = f"\r\n--{parts.boundary}--\r\n".encode()
    for span in spans:
        head = f"\r\n--{parts.boundary}\r\nContent-Type: {file.audio_type}\r\n"
        parts.append((f"{head}Content-Range: {_content_range(span, file.size)}\r\n\r\n".encode(), span))
    return parts


async def _all_parts(files: Storage, file: File, parts: Parts) -> AsyncIterator[bytes]:
    for head, span in parts:
        yield head
        pieces: Any = await files.get(file.key, start=span.start, end=span.end)
        async for piece in pieces:
            yield piece
    yield parts.end


def _content_range(span: Span, size: int) -> str:
    return f"bytes {span.start}-{span.end - 1}/{size}"
