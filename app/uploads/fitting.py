"""Recordings for players that say what they can take: a rendition that fits, else one made while it is sent."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import structlog
from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.core.auth import Principal
from app.core.errors import Unavailable
from app.core.infra import Infra
from app.uploads.schemas import Recording
from app.uploads.streaming import OWN, Format, NoRecording, Wanted, heard, send
from app.uploads.transcoding import Encoding, Transcoding, can_transcode, transcode

__all__ = ["Fit", "choose", "stream_fitting"]

_ALREADY = {"mp3": "audio/mpeg"}
_TYPES = {"mp3": "audio/mpeg", "opus": "audio/ogg"}
_USUAL_KBPS = {"mp3": 192, "opus": 96}
_MP3_KBPS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_OPUS_KBPS = (16, 256)
_TOLERANCE = 1.1
"""A rendition of variable rate needs as much on average, more or less."""
_PAGE_BYTES, _SPARE_BYTES = 90, 8192
"""Of Ogg for each second, and what a length that is told beforehand allows for: the rest is filled with zeros."""
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Fit:
    """What a player takes. Without a format it takes the original, if that needs no more than `most_kbps`; else MP3."""

    format: Literal["mp3", "opus"] | None = None
    most_kbps: int | None = None
    offset: int = 0
    tells_length: bool = False


def choose(recording: Recording, fit: Fit) -> Format | Encoding:
    """The file that fits as it lies there, or what is to be made."""
    kbps = recording.bitrate_kbps or _rate_of(recording, recording.size)
    wanted = fit.format or "mp3"
    if not fit.offset:
        is_small = fit.most_kbps is None or kbps <= fit.most_kbps
        if is_small and (fit.format is None or recording.audio_type == _ALREADY.get(fit.format)):
            return "original"
        made = next((made["size"] for made in recording.renditions if made["format"] == wanted), None)
        if made is not None and (fit.most_kbps is None or _rate_of(recording, made) <= _TOLERANCE * fit.most_kbps):
            return wanted
    offset = min(fit.offset, max(0, recording.duration_ms // 1000 - 1))
    rate = _rate(wanted, min(fit.most_kbps or _USUAL_KBPS[wanted], kbps, _rate_of(recording, recording.size)))
    return Encoding(wanted, rate, offset=offset, is_steady=fit.tells_length)


async def stream_fitting(infra: Infra, request: Request, actor: Principal, track_id: UUID, fit: Fit) -> Response:
    """The recording as it fits, for somebody who may hear the track.

    Where nothing can be made, what is there that is nearest. Raises NoRecording, RangeNotSatisfiable, Unavailable.
    """
    recording = await heard(infra, actor, track_id)
    if recording is None:
        raise NoRecording("There is no such track, or nothing of it to hear.")
    chosen = choose(recording, fit)
    if isinstance(chosen, Encoding):
        encoded = await _encoded(infra, request, actor, recording, chosen) if can_transcode(infra) else None
        if encoded is not None:
            return encoded
        chosen = chosen.format
    return await send(infra, request, recording, Wanted(chosen), dict(OWN))


async def _encoded(
    infra: Infra, request: Request, actor: Principal, recording: Recording, encoding: Encoding
) -> Response | None:
    """None if it cannot be made, or not now and it would do to send something else."""
    seconds = recording.duration_ms / 1000 - encoding.offset
    length = _length(encoding, seconds)
    headers = OWN | {"accept-ranges": "none", "content-type": _TYPES[encoding.format]}
    headers |= {"x-content-duration": f"{seconds:.3f}", "cross-origin-resource-policy": "cross-origin"}
    if encoding.is_steady:
        headers["content-length"] = str(length)
    if request.method == "HEAD":
        return Response(headers=headers)
    try:
        transcoding = await transcode(infra, actor.user_id, recording.key, encoding, most_bytes=4 * length + 2**20)
        first = await _first(transcoding)
    except Unavailable:
        if encoding.offset:
            raise
        return None
    except OSError as error:
        log.warning("not_transcoded", track=str(recording.track_id), reason=str(error))
        return None
    return _Sent(transcoding, _pieces(transcoding, first, length if encoding.is_steady else None), headers)


async def _first(transcoding: Transcoding) -> bytes:
    """The first piece, before anything is promised."""
    try:
        return await transcoding.read()
    except BaseException:
        await transcoding.end()
        raise


class _Sent(StreamingResponse):
    """What is made while it is sent. When the listener leaves, nothing more is made."""

    def __init__(self, transcoding: Transcoding, pieces: AsyncIterator[bytes], headers: dict[str, str]) -> None:
        super().__init__(pieces, headers=headers)
        self._transcoding = transcoding

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._transcoding.end()


async def _pieces(transcoding: Transcoding, piece: bytes, length: int | None) -> AsyncIterator[bytes]:
    """All of it; with a length exactly so much, which is too much by a moment of zeros unless the file told wrong."""
    left = length
    while piece and left != 0:
        if left is not None:
            piece = piece[:left]
            left -= len(piece)
        yield piece
        piece = await transcoding.read()
    if left:
        yield b"\0" * left


def _length(encoding: Encoding, seconds: float) -> int:
    pages = _PAGE_BYTES if encoding.format == "opus" else 0
    return int(seconds * (encoding.kbps * 125 + pages)) + _SPARE_BYTES


def _rate_of(recording: Recording, size: int) -> float:
    """Kilobits for each second."""
    return size * 8 / recording.duration_ms


def _rate(name: Literal["mp3", "opus"], kbps: float) -> int:
    """What the format has that needs no more."""
    if name == "opus":
        least, most = _OPUS_KBPS
        return max(least, min(int(kbps), most))
    return max((step for step in _MP3_KBPS if step <= kbps), default=_MP3_KBPS[0])
