"""Opens and closes everything that the server needs, in one `async with`."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from app.core.auth import FOREIGN_JWT, Principal, find_authenticator
from app.core.broadcast import Broadcast
from app.core.cache import Cache
from app.core.config import Settings
from app.core.db import Database, Writer
from app.core.embedded import embedded_servers
from app.core.errors import Unauthorized
from app.core.limits import Limiter
from app.core.realtime import Hub
from app.core.revocations import Revocations
from app.core.telemetry import Metrics
from app.core.tokens import AccessTokens, PasswordHasher

__all__ = ["Infra", "open_infra", "opened", "with_servers"]

_MOST_CACHED_TOKENS = 4096
_CACHED_SECONDS = 60.0

T = TypeVar("T")
Opener = Callable[["Infra"], AbstractAsyncContextManager[T]]
Check = Callable[[], Awaitable[str]]
"""Asks a part that the server can do without: what to say of it when it is well. Raises health.Degraded."""
_openers: list[Opener[Any]] = []


def opened(opener: Opener[T]) -> Opener[T]:
    """Has every process open this at its start and close it at its end; `infra.part(opener)` is what it yields."""
    _openers.append(opener)
    return opener


@dataclass(slots=True)
class Infra:
    """Everything that is opened once for a process."""

    settings: Settings
    db: Database
    redis: Redis
    hub: Hub
    broadcast: Broadcast
    cache: Cache
    limiter: Limiter
    tokens: AccessTokens
    passwords: PasswordHasher
    revocations: Revocations
    metrics: Metrics
    draining: asyncio.Event = field(default_factory=asyncio.Event)
    degraded: dict[str, str] = field(default_factory=dict)
    checks: dict[str, Check] = field(default_factory=dict)
    running: int = 0
    _parts: dict[Opener[Any], Any] = field(default_factory=dict)
    _known: dict[str, tuple[Principal, float]] = field(default_factory=dict)

    async def authenticate(self, header: str | None) -> Principal | Unauthorized | None:
        """Who sent this Authorization header; an error in place of a principal when the token is bad."""
        if header is None:
            return None
        scheme, _, token = header.partition(" ")
        if scheme.lower() not in {"bearer", "token"} or not token:  # ListenBrainz says Token
            return Unauthorized("Send the token as `Authorization: Bearer …`.")
        try:
            return await self.principal(token.strip())
        except Unauthorized as error:
            return error

    async def principal(self, token: str) -> Principal:
        """The principal of a token of any kind. Raises Unauthorized. Verified once, then remembered for a minute."""
        principal, until = self._known.get(token, (None, 0.0))
        if principal is None or until < time.monotonic():
            principal = await self._verify(token)
            if len(self._known) >= _MOST_CACHED_TOKENS:
                self._known.clear()
            self._known[token] = (principal, time.monotonic() + _CACHED_SECONDS)
        if self.ended(principal):
            raise Unauthorized("The session has ended. Sign in again.")
        return principal

    def ended(self, principal: Principal) -> bool:
        """Whether the session is over, or the person has left: both can be revoked."""
        return self.revocations.ends(principal) or principal.expires_at < time.time()

    async def _verify(self, token: str) -> Principal:
        verify = find_authenticator(token)
        if verify is None and self.settings.external_jwks_url and not self.tokens.signed(token):
            verify = find_authenticator(FOREIGN_JWT)
        return await verify(self, token) if verify else self.tokens.verify(token)

    def part(self, opener: Opener[T]) -> T:
        """What was opened by a function that is marked `@opened`."""
        part: T = self._parts[opener]
        return part

    async def after_commit(self, session: Writer) -> None:
        """Tells other processes and the cache of a commit."""
        if session.stale:
            await self.cache.drop(session.stale)
        if session.told:
            await self.broadcast.publish(session.told)
        if session.wakes:
            await self.hub.publish(session.wakes)

    def drain(self) -> None:
        """From now on the server is not ready and streams tell their readers to connect elsewhere."""
        self.draining.set()
        self.hub.wake_all()


@asynccontextmanager
async def with_servers(settings: Settings) -> AsyncIterator[Settings]:
    """Settings with both URLs set: starts, or attaches to, the embedded servers that are needed."""
    async with embedded_servers(
        settings.data_dir,
        postgres=not settings.database_url,
        valkey=not settings.redis_url,
        durable=settings.environment != "test",
    ) as servers:
        yield settings.model_copy(
            update={
                "database_url": settings.database_url or servers.database_url,
                "redis_url": settings.redis_url or servers.redis_url,
            }
        )


@asynccontextmanager
async def open_infra(settings: Settings) -> AsyncIterator[Infra]:
    """Opens everything; what was opened is closed in reverse order, whatever happens."""
    async with AsyncExitStack() as stack:
        settings = await stack.enter_async_context(with_servers(settings))
        infra = _build(settings)
        stack.callback(infra.passwords.close)
        stack.callback(infra.metrics.close)
        stack.push_async_callback(infra.redis.aclose)
        stack.push_async_callback(infra.db.close)
        stack.push_async_callback(infra.cache.close)
        await infra.db.open()
        infra.db.after_commit = infra.after_commit
        for part in (infra.revocations, infra.hub, infra.broadcast):
            stack.push_async_callback(part.close)
            await part.open()
        infra.metrics.gauge("streams.open", "Open event streams", lambda: infra.hub.size)
        infra.metrics.gauge("sockets.open", "Open sockets", lambda: infra.broadcast.size)
        for opener in _openers:
            infra._parts[opener] = await stack.enter_async_context(opener(infra))
        yield infra


def _build(settings: Settings) -> Infra:
    database = Database(settings)
    redis = Redis.from_url(
        settings.redis_url,
        socket_timeout=0.5,
        socket_connect_timeout=0.5,
        # a request path must not wait for a broken Redis: it works without
        retry=Retry(NoBackoff(), 1),
    )
    return Infra(
        settings=settings,
        db=database,
        redis=redis,
        hub=Hub(redis, database.reader),
        broadcast=Broadcast(redis, database.reader),
        cache=Cache(redis),
        limiter=Limiter(redis, enabled=settings.rate_limits),
        tokens=AccessTokens(settings),
        passwords=PasswordHasher(settings),
        revocations=Revocations(database),
        metrics=Metrics(),
    )
