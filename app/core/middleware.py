"""Pure ASGI middleware: what every request gets, at almost no cost."""

import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import structlog
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.addresses import Proxies, client_address
from app.core.auth import Principal
from app.core.config import Settings
from app.core.errors import AppError, PayloadTooLarge
from app.core.limits import Limit, check
from app.core.problems import problem_response, unexpected

if TYPE_CHECKING:
    from app.core.infra import Infra

__all__ = ["Gate", "RequestContext", "Unforeseen"]

log = structlog.get_logger("access")
_SECRETS = frozenset({"token", "code"})
_UNLIMITED = frozenset({"/livez", "/readyz", "/health", "/metrics"})
_COUNTED_BELOW = ("/rest/",)
"""Dialects whose clients say in their own way who they are: they are counted when that is known."""
_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


class RequestContext:
    """Request id, security headers, metrics and one log line for each request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        infra: Infra = scope["app"].state.infra
        scope["request_id"] = request_id = uuid4().hex[:16]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started, status = time.perf_counter(), 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(message, scope, closing=infra.draining.is_set())
            await send(message)

        infra.running += 1
        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            infra.running -= 1
            seconds = time.perf_counter() - started
            infra.metrics.request(scope["method"], getattr(scope.get("route"), "path", "unmatched"), status, seconds)
            if scope["path"] not in _UNLIMITED:
                milliseconds = round(seconds * 1000, 1)
                log.info("request", method=scope["method"], path=_told(scope), status=status, ms=milliseconds)


def _told(scope: Scope) -> str:
    """The path as logs may have it: one that lets in whoever knows it is told by its template."""
    path: str = scope["path"] if _SECRETS.isdisjoint(scope.get("path_params", ())) else scope["route"].path
    return path


def _add_headers(message: Message, scope: Scope, *, closing: bool) -> None:
    """Adds what the answer does not say itself. On raw pairs: a mapping would search the list for every name."""
    headers: list[tuple[bytes, bytes]] = list(message["headers"])
    said = {name for name, _ in headers}
    headers += [pair for pair in _ALWAYS if pair[0] not in said]
    headers.append((b"x-request-id", scope["request_id"].encode()))
    if b"ratelimit" not in said:
        headers += [(name.encode(), value.encode()) for name, value in scope.get("limit_headers", {}).items()]
    if scope.get("scheme") == "https":
        headers.append((b"strict-transport-security", b"max-age=31536000"))
    if closing:
        headers.append((b"connection", b"close"))
    message["headers"] = headers


class Unforeseen:
    """Answers what nobody has foreseen inside the layers that add headers: else a browser could not read the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def send_on(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        except Exception as error:
            if scope["type"] != "http" or begun:
                raise
            answer = await unexpected(Request(scope), error)
            await answer(scope, receive, send)


class Gate:
    """Finds out who asks, and refuses too much: too many requests, too large a body."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._proxies = Proxies(settings.trusted_proxies)
        self._most_bytes = settings.max_body_bytes
        self._person = Limit("person", settings.rate_limit_user_per_minute)
        self._address = Limit("address", settings.rate_limit_address_per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _UNLIMITED:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            length = int(headers.get("content-length") or 0)
            if length > self._most_bytes and length > (most := self._allowed(_route_of(scope))):
                raise PayloadTooLarge(_too_large(most))
            await self._identify(scope, headers, scope["app"].state.infra)
        except AppError as error:
            await problem_response(scope, error)(scope, receive, send)
            return
        await self._app(scope, self._counted(scope, receive), send)

    def _allowed(self, route: Any) -> int:
        """The most bytes that a body may have: of files more than of JSON, where the route says so."""
        said: int = (getattr(route, "openapi_extra", None) or {}).get("x-most-bytes", 0)
        return max(said, self._most_bytes)

    def _counted(self, scope: Scope, receive: Receive) -> Receive:
        """A body in chunks announces no length, so it is measured while it comes."""
        taken = 0

        async def receive_some() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._most_bytes and taken > (most := self._allowed(scope.get("route"))):
                # an HTTPException, because FastAPI turns every other error of a body into a 400
                raise HTTPException(413, _too_large(most))
            return message

        return receive_some

    async def _identify(self, scope: Scope, headers: Headers, infra: "Infra") -> None:
        """Sets `principal` (or the reason why there is none) and the key under which limits count."""
        principal = await infra.authenticate(headers.get("authorization"))
        scope["principal"] = principal
        if isinstance(principal, Principal):
            key, limit = str(principal.user_id), self._person
        else:
            key, limit = client_address(scope, headers, self._proxies), self._address
        scope["client_key"] = key
        if scope["path"].startswith(_COUNTED_BELOW):
            return
        verdict = await infra.limiter.take(limit, key)
        check(verdict)
        scope["limit_headers"] = verdict.headers()


def _too_large(most: int) -> str:
    return f"A body may have at most {most} bytes."


def _route_of(scope: Scope) -> Any:
    """The route that the request will take, or None: found before its time for the few bodies that are large."""
    for route in scope["app"].router.routes:
        match, found = route.matches(scope)
        if match is Match.FULL:
            return found.get("route", route)
    return None
