"""How ListenBrainz is asked and answers: a token in the header, JSON whatever its type, errors as `{code, error}`."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy.exc import IntegrityError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.core.auth import Principal, Scope
from app.core.config import Settings
from app.core.db import Reader, Writer
from app.core.errors import AppError, BadRequest, Forbidden, NotFound, Unauthorized
from app.core.infra import Infra
from app.core.limits import Limit, Verdict, check
from app.users.schemas import USERNAME

__all__ = ["Asked", "reads", "writes"]

_CALLS = Limit("listenbrainz", 300)
_STATUSES = {409: 400, 410: 404, 422: 400}
"""Statuses that clients do not expect: to them every fault of the request is a 400."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and the scope that it takes."""

    infra: Infra
    request: Request
    needs: Scope

    @property
    def sender(self) -> Principal | None:
        """Who sent it, if they say so. Raises Unauthorized for a bad token, Forbidden for one that lacks the scope."""
        principal: Principal | AppError | None = self.request.scope.get("principal")
        if isinstance(principal, AppError):
            raise Unauthorized("Invalid authorization token.")
        if principal is not None and self.needs not in principal.scopes:
            raise Forbidden(f"This token lacks the scope `{self.needs}`.")
        return principal

    @property
    def actor(self) -> Principal:
        """Who sent it. Raises Unauthorized, Forbidden."""
        if self.sender is None:
            raise Unauthorized("You need to provide an Authorization header: `Token` and an app password.")
        return self.sender

    @property
    def db(self) -> Reader:
        return self.infra.db.reader

    @property
    def settings(self) -> Settings:
        return self.infra.settings

    @property
    def playlist_id(self) -> UUID:
        """The one in the path. Raises BadRequest."""
        try:
            return UUID(self.request.path_params["playlist_id"])
        except ValueError:
            raise BadRequest("Provided playlist ID is invalid.") from None

    @property
    def username(self) -> str:
        """The one in the path. Raises NotFound for what is no name."""
        name: str = self.request.path_params["username"]
        if not re.fullmatch(USERNAME, name):
            raise NotFound("Cannot find this user.")
        return name

    def number(self, name: str, *, default: int, most: int) -> int:
        """A number of the query. Raises BadRequest."""
        given = self.request.query_params.get(name, str(default))
        if not (given.isascii() and given.isdecimal()) or len(given) > 9:
            raise BadRequest(f"'{name}' should be a non-negative integer.")
        return min(int(given), most)

    async def json(self) -> dict[str, Any]:
        """The body, which is JSON even where nothing or something else says so. Raises BadRequest."""
        try:
            document = json.loads(await self.request.body())
        except (ValueError, RecursionError) as error:
            raise BadRequest(f"Cannot parse JSON document: {error}") from None
        if not isinstance(document, dict):
            raise BadRequest("Cannot parse JSON document: an object is needed.")
        return document


Body = dict[str, Any]
Reads = Callable[[Asked], Awaitable[Body]]
Writes = Callable[[Asked, Writer], Awaitable[Body]]


def reads(router: APIRouter, path: str) -> Callable[[Reads], Reads]:
    """Has `async def f(asked) -> body` answer a GET."""

    def register(function: Reads) -> Reads:
        _add(router, path, "GET", "read", function)
        return function

    return register


def writes(router: APIRouter, path: str) -> Callable[[Writes], Writes]:
    """Has `async def f(asked, db) -> body` answer a POST, in one transaction."""

    async def run(function: Writes, asked: Asked) -> Body:
        _ = asked.actor
        await asked.request.body()  # a slow sender holds no transaction
        seconds = asked.settings.database_timeout_seconds
        async with asyncio.timeout(seconds), asked.infra.db.write() as db:
            return await function(asked, db)

    def register(function: Writes) -> Writes:
        _add(router, path, "POST", "write", lambda asked: run(function, asked))
        return function

    return register


class _Path:
    """The route as measurements know it."""

    def __init__(self, path: str) -> None:
        self.path = path


def _add(router: APIRouter, path: str, method: str, needs: Scope, function: Reads) -> None:
    route = _Path(path)

    async def answer(request: Request) -> Response:
        request.scope["route"] = route
        infra: Infra = request.app.state.infra
        verdict = await infra.limiter.take(_CALLS, request.scope["client_key"])
        try:
            check(verdict)
            return JSONResponse(await function(Asked(infra, request, needs)), headers=_limits(verdict))
        except IntegrityError:
            return _failed(NotFound("Something of this has just gone."), verdict)
        except AppError as error:
            return _failed(error, verdict)

    router.add_route(path, answer, methods=[method], include_in_schema=False)


def _failed(error: AppError, verdict: Verdict) -> Response:
    status = _STATUSES.get(error.status, error.status)
    return JSONResponse({"code": status, "error": error.detail}, status, {**error.headers, **_limits(verdict)})


def _limits(verdict: Verdict) -> dict[str, str]:
    """Clients read these, and wait."""
    return {
        "X-RateLimit-Limit": str(verdict.limit.count),
        "X-RateLimit-Remaining": str(verdict.remaining),
        "X-RateLimit-Reset-In": str(max(1, verdict.wait)),
    }
