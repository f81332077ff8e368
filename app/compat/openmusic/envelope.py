"""OpenMusic's envelope: `{"status": "success", ...}`, and what every error becomes on its paths."""

import json
from typing import Any, Generic, Literal, TypeVar

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from pydantic import ConfigDict
from pydantic.alias_generators import to_camel
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.lean import LeanRoute
from app.core.problems import unexpected
from app.core.schemas import Input, Output

__all__ = [
    "SEGMENTS",
    "Camel",
    "CamelInput",
    "Envelope",
    "Given",
    "Said",
    "dialect_router",
    "failures",
    "given",
    "said",
]

SEGMENTS = frozenset({"albums", "authentications", "collaborations", "export", "playlists", "songs", "users"})
"""The first segments of the paths that speak this dialect."""
_PROBLEM = b"application/problem+json"
_STATUSES = {308: 404, 409: 400, 410: 404, 422: 400}
"""Statuses that OpenMusic does not know: a name that is taken is a bad request, a duplicate that was merged is gone."""
_CODES = {"bad_refresh_token": 400, "is_duplicate": 404}
_LENGTH, _TYPE = b"content-length", b"content-type"
_CAMEL = ConfigDict(alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

D = TypeVar("D")


class Camel(Output):
    """An answer whose names are written `likeThis`."""

    model_config = _CAMEL


class CamelInput(Input):
    """A payload whose names are written `likeThis`."""

    model_config = ConfigDict(alias_generator=to_camel)


class Given(Output, Generic[D]):
    """Success with data."""

    status: Literal["success"]
    data: D


class Said(Output):
    """Success with a sentence."""

    status: Literal["success"]
    message: str


class Failure(Output):
    """`fail`: the request is wrong; `error`: the server is."""

    status: Literal["fail", "error"]
    message: str


def given(data: D) -> Given[D]:
    """Success with data."""
    return Given(status="success", data=data)


def said(message: str) -> Said:
    """Success with a sentence."""
    return Said(status="success", message=message)


def failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI `responses=` for these statuses."""
    return {status: {"model": Failure} for status in statuses}


def _operation_id(route: APIRoute) -> str:
    return route.name


def dialect_router(tag: str) -> APIRouter:
    """A router whose operations are named after their functions; a body needs no Content-Type."""
    return APIRouter(
        tags=[tag],
        route_class=LeanRoute,
        responses=failures(400, 429, 500, 503),
        generate_unique_id_function=_operation_id,
        strict_content_type=False,
    )


class Envelope:
    """Turns the problem documents of these paths into the envelope, wherever in the application they come from."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].removeprefix("/").partition("/")[0] not in SEGMENTS:
            await self._app(scope, receive, send)
            return
        # with and without a slash at its end a path is the same; a redirect would lose what some clients send
        scope["path"] = scope["path"].rstrip("/")
        translation = _Translation(send)
        try:
            await self._app(scope, receive, translation)
        except Exception as error:
            if not translation.begun:
                # what nobody foresaw would be answered further out, past this envelope
                await (await unexpected(Request(scope), error))(scope, receive, translation)
            raise


class _Translation:
    """Holds a problem document back until it is complete; other answers pass."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        self.begun = True
        if message["type"] == "http.response.start" and (_TYPE, _PROBLEM) in message["headers"]:
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._tell(self._start, json.loads(self._body))

    async def _tell(self, start: Message, problem: dict[str, Any]) -> None:
        status: int = start["status"]
        status = _CODES.get(problem["code"], _STATUSES.get(status, status))
        failure = Failure(status="error" if status >= 500 else "fail", message=problem["detail"])
        body = failure.model_dump_json().encode()
        kept = [pair for pair in start["headers"] if pair[0] not in {_LENGTH, _TYPE, b"location"}]
        headers = [*kept, (_LENGTH, str(len(body)).encode()), (_TYPE, b"application/json")]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})
