"""The calls by their names: those that read, those that write in one transaction, those that send a file."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from app.compat.subsonic.answers import Body
from app.compat.subsonic.parameters import Given
from app.core.auth import Principal, Scope
from app.core.db import Reader, Writer
from app.core.errors import Forbidden
from app.core.infra import Infra

__all__ = ["CALLS", "Asked", "Call", "reads", "run", "sends", "writes", "writing"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A call: who asks, and with which parameters."""

    infra: Infra
    request: Request
    given: Given
    actor: Principal

    @property
    def db(self) -> Reader:
        return self.infra.db.reader

    @property
    def viewer(self) -> UUID:
        return self.actor.user_id


Reads = Callable[[Asked], Awaitable[Body]]
Writes = Callable[[Asked, Writer], Awaitable[Body]]
Sends = Callable[[Asked], Awaitable[Response]]
R = TypeVar("R", bound=Reads)
W = TypeVar("W", bound=Writes)
S = TypeVar("S", bound=Sends)


@dataclass(frozen=True, slots=True)
class Call:
    """What a name stands for, and the scope that it takes."""

    needs: Scope
    reads: Reads | None = None
    writes: Writes | None = None
    sends: Sends | None = None


CALLS: dict[str, Call] = {}
"""By the name without `.view`."""


def reads(*names: str, needs: Scope = "read") -> Callable[[R], R]:
    """Registers `async def f(asked) -> body` under its names."""

    def register(function: R) -> R:
        CALLS.update(dict.fromkeys(names, Call(needs, reads=function)))
        return function

    return register


def writes(*names: str, needs: Scope = "write") -> Callable[[W], W]:
    """Registers `async def f(asked, db) -> body`, which runs in one transaction."""

    def register(function: W) -> W:
        CALLS.update(dict.fromkeys(names, Call(needs, writes=function)))
        return function

    return register


def sends(*names: str, needs: Scope = "read") -> Callable[[S], S]:
    """Registers `async def f(asked) -> response`, which answers with a file."""

    def register(function: S) -> S:
        CALLS.update(dict.fromkeys(names, Call(needs, sends=function)))
        return function

    return register


async def run(call: Call, asked: Asked) -> Body | Response:
    """What the call answers. Raises Forbidden where the app password lacks the scope."""
    if call.needs not in asked.actor.scopes:
        raise Forbidden(f"This app password lacks the scope `{call.needs}`.")
    if call.writes is not None:
        async with writing(asked) as db:
            return await call.writes(asked, db)
    if call.sends is not None:
        return await call.sends(asked)
    assert call.reads is not None, "a call reads, writes or sends"
    return await call.reads(asked)


@asynccontextmanager
async def writing(asked: Asked) -> AsyncIterator[Writer]:
    """A transaction of the call's own. Raises TimeoutError when it takes too long."""
    seconds = asked.infra.settings.database_timeout_seconds
    async with asyncio.timeout(seconds), asked.infra.db.write() as db:
        yield db
