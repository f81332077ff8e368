"""/rest: the one route of the dialect. It stays out of the OpenAPI document, which could not say what it is."""

from typing import Any

from fastapi import APIRouter
from sqlalchemy.exc import IntegrityError
from starlette.requests import Request
from starlette.responses import Response

from app.compat.subsonic import (
    absent,
    browsing,
    listening,
    lists,
    lyrics,
    marks,
    media,
    playlists,
    queue,
    searching,
    system,
)
from app.compat.subsonic.answers import Body, told
from app.compat.subsonic.calls import CALLS, Asked, Call, run
from app.compat.subsonic.errors import Code, SubsonicError, code_of
from app.compat.subsonic.parameters import Given, read_parameters
from app.compat.subsonic.signing_in import sign_in
from app.core.errors import AppError, NotFound, TooManyRequests, Unavailable
from app.uploads.streaming import RangeNotSatisfiable

__all__ = ["router"]

router = APIRouter()
MODULES = (absent, browsing, listening, lists, lyrics, marks, media, playlists, queue, searching, system)
"""Importing them registers their calls."""
_METHODS = ["GET", "HEAD", "POST"]


class _Named:
    """The route as measurements know it."""

    def __init__(self, name: str) -> None:
        self.path = f"/rest/{name}"


_NAMED = {name: _Named(name) for name in CALLS}


async def answer(request: Request) -> Response:
    """Finds the call, who asks for it, and answers in the format that they want, errors too."""
    name = request.path_params["call"].removesuffix(".view")
    given = Given([])
    try:
        given = await read_parameters(request)
        call = _find(request, name)
        body = await _called(request, call, given)
    except IntegrityError:
        error = SubsonicError(Code.GENERIC, "Something there already contradicts this, or has just gone.")
        return _failed(error, given)
    except AppError as error:
        return _failed(error, given)
    return body if isinstance(body, Response) else told(body, as_json=_wants_json(given))


async def _called(request: Request, call: Call | None, given: Given) -> Body | Response:
    infra = request.app.state.infra
    if call is None:
        return system.extensions(infra)
    return await run(call, Asked(infra, request, given, await sign_in(infra, request, given)))


def _find(request: Request, name: str) -> Call | None:
    """The call; None is the one that tells what this server can do to everybody. Raises NotFound."""
    if name == system.EXTENSIONS:
        return None
    if name not in CALLS:
        raise NotFound(f"There is no call {name[:80]}.")
    request.scope["route"] = _NAMED[name]
    return CALLS[name]


def _failed(error: AppError, given: Given) -> Response:
    """Subsonic's errors are answers like others: what other programs act upon has a status of its own."""
    is_plain = isinstance(error, TooManyRequests | Unavailable | RangeNotSatisfiable)
    body: dict[str, Any] = {"error": {"code": int(code_of(error)), "message": error.detail}}
    return told(
        body,
        as_json=_wants_json(given),
        ok=False,
        status=error.status if is_plain else 200,
        headers=error.headers if is_plain else None,
    )


def _wants_json(given: Given) -> bool:
    return given.text("f").lower() in {"json", "jsonp"}


router.add_route("/rest/{call}", answer, methods=_METHODS, include_in_schema=False)
