"""Recordings and pictures."""

from typing import Literal, get_args

from starlette.responses import Response, StreamingResponse

from app.compat.subsonic.calls import Asked, sends
from app.compat.subsonic.things import picture_of
from app.core.errors import NotFound
from app.pictures.service import SIZES, Size, open_picture
from app.uploads.fitting import Fit, stream_fitting
from app.uploads.streaming import Wanted, stream_heard
from app.users.service import get_person

__all__: list[str] = []

MOST_PIXELS, MOST_KBPS, MOST_SECONDS = 10_000, 10_000, 24 * 3600
_FORMATS: dict[str, Literal["mp3", "opus"]] = {"mp3": "mp3", "opus": "opus", "ogg": "opus", "oga": "opus"}
KEPT = "private, max-age=31536000, immutable"
ASKED_AGAIN = "private, max-age=600"


@sends("stream", needs="stream")
async def stream(asked: Asked) -> Response:
    """A recording as the client can take it: as it is, a rendition of it, or one that is made while it is sent."""
    track_id, given = asked.given.id(), asked.given
    written = given.text("format").lower()
    if written == "raw":
        return await stream_heard(asked.infra, asked.request, asked.actor, track_id, Wanted())
    fit = Fit(
        format=_FORMATS.get(written),
        most_kbps=given.number("maxBitRate", 0, most=MOST_KBPS) or None,
        offset=given.number("timeOffset", 0, most=MOST_SECONDS),
        tells_length=given.flag("estimateContentLength", False),
    )
    return await stream_fitting(asked.infra, asked.request, asked.actor, track_id, fit)


@sends("download", needs="stream")
async def download(asked: Asked) -> Response:
    """A recording as it was uploaded."""
    return await stream_heard(asked.infra, asked.request, asked.actor, asked.given.id(), Wanted(download=True))


@sends("getCoverArt")
async def get_cover_art(asked: Asked) -> Response:
    """The picture of an album, an artist, a playlist, or of a song's album, in one of the sizes there are."""
    key = await picture_of(asked.db, asked.viewer, asked.given.id())
    changes_with_its_picture = "_" in asked.given.text("id")
    return await _picture(asked, key, KEPT if changes_with_its_picture else ASKED_AGAIN)


@sends("getAvatar")
async def get_avatar(asked: Asked) -> Response:
    """The picture of a person."""
    person = await get_person(asked.db, asked.actor, asked.given.needed("username"))
    if person.avatar_key is None:
        raise NotFound("This person shows no picture.")
    return await _picture(asked, person.avatar_key, ASKED_AGAIN)


async def _picture(asked: Asked, key: str, kept: str) -> Response:
    side = asked.given.maybe_number("size", least=1, most=MOST_PIXELS)
    size = next((known for known in sorted(SIZES) if side is not None and side <= known), None)
    tag = f'"{key}-{size}"'
    headers = {"etag": tag, "cache-control": kept, "cross-origin-resource-policy": "cross-origin"}
    if asked.request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    pieces, length = await open_picture(asked.infra, key, _known(size))
    return StreamingResponse(pieces, headers=headers | {"content-length": str(length)}, media_type="image/webp")


def _known(size: int | None) -> Size | None:
    return next((known for known in get_args(get_args(Size)[0]) if known == size), None)
