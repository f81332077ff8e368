"""Recordings as they are heard: whole or in parts, by a signed address or with a token."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from app.catalog.service import Merged
from app.core.auth import CurrentUser, MaybeUser
from app.core.errors import Forbidden, Invalid, NotFound, Unauthorized, problems
from app.core.http import Here, ReadDB, Router, WriteDB
from app.core.limits import limited
from app.uploads import plays, streaming, waveforms
from app.uploads.schemas import Play, PlayVerdict, Waveform
from app.uploads.streaming import Format, LinkInvalid, NoRecording, RangeNotSatisfiable, Signed, Wanted

__all__ = ["media", "tracks"]

media = Router(prefix="/media/audio", tags=["media"])
tracks = Router(prefix="/tracks", tags=["tracks"])

_AUDIO: dict[int | str, dict[str, Any]] = {
    200: {"content": {"audio/*": {"schema": {"type": "string", "format": "binary"}}}, "description": "All of it"},
    206: {
        "content": {
            "audio/*": {"schema": {"type": "string", "format": "binary"}},
            "multipart/byteranges": {"schema": {"type": "string", "format": "binary"}},
        },
        "description": "The parts that were asked for",
    },
    302: {"description": "It is in the object store, at a short-lived address"},
    304: {"description": "It has not changed since you got this ETag"},
}
_STREAM: dict[str, Any] = {"response_class": StreamingResponse}
SIGNED = {**_AUDIO, **problems(LinkInvalid, NoRecording, RangeNotSatisfiable)}
HEARD = {**_AUDIO, **problems(NoRecording, RangeNotSatisfiable)}


async def _wanted(
    *,
    format: Annotated[Format, Query(description="the original where there is no such rendition")] = "original",  # noqa: A002
    download: Annotated[bool, Query(description="to be saved rather than heard")] = False,
) -> Wanted:
    return Wanted(format, download)


async def _signed(
    expires: Annotated[int, Query(ge=0, le=2**40)], signature: Annotated[str, Query(max_length=100)]
) -> Signed:
    return Signed(expires, signature)


How = Annotated[Wanted, Depends(_wanted)]
Address = Annotated[Signed, Depends(_signed)]


@media.get("/{track_id}", summary="Hear a track by its signed address", responses=SIGNED, **_STREAM)
async def stream_recording(track_id: UUID, infra: Here, request: Request, wanted: How, signed: Address) -> Response:
    """What `media_url` of a track leads to. Takes Range, If-Range and If-None-Match, and needs no token."""
    return await streaming.stream_signed(infra, request, track_id, wanted, signed)


@media.head("/{track_id}", include_in_schema=False)
async def probe_recording(track_id: UUID, infra: Here, request: Request, wanted: How, signed: Address) -> Response:
    """The same without a body."""
    return await streaming.stream_signed(infra, request, track_id, wanted, signed)


@tracks.get("/{track_id}/stream", summary="Hear a track", responses=HEARD, **_STREAM)
async def stream_track(track_id: UUID, infra: Here, request: Request, actor: MaybeUser, wanted: How) -> Response:
    """If you may hear it. Takes Range, If-Range and If-None-Match."""
    return await streaming.stream_heard(infra, request, actor, track_id, wanted)


@tracks.head("/{track_id}/stream", include_in_schema=False)
async def probe_track(track_id: UUID, infra: Here, request: Request, actor: MaybeUser, wanted: How) -> Response:
    """The same without a body."""
    return await streaming.stream_heard(infra, request, actor, track_id, wanted)


@tracks.get("/{track_id}/waveform", summary="How loud a track is along its length", responses=problems(NotFound))
async def get_waveform(track_id: UUID, db: ReadDB, actor: MaybeUser) -> Waveform:
    """There for WAV files; for the others where the server can decode them."""
    return await waveforms.get_waveform(db, actor, track_id)


@tracks.post(
    "/{track_id}/plays",
    summary="Tell that you heard a track",
    responses=problems(Unauthorized, Forbidden, NotFound, Merged, NoRecording, Invalid),
    dependencies=[limited("uploads.plays", 60, 60)],
)
async def record_play(track_id: UUID, play: Play, db: WriteDB, actor: CurrentUser) -> PlayVerdict:
    """From half a minute on, or half of a shorter track, it is a listen. Told again it stays one."""
    return await plays.record_play(db, actor, track_id, play)
