"""What routers are made of: the Router, and the two kinds of database access."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute

from app.core import errors
from app.core.db import Reader, Writer
from app.core.idempotency import claim
from app.core.infra import Infra
from app.core.lean import LeanRoute

__all__ = ["API", "Here", "ReadDB", "Router", "WriteDB"]

API = "/api/v1"
EVERYWHERE = errors.problems(errors.Invalid, errors.TooManyRequests, errors.AppError, errors.Unavailable)
"""The answers that any operation may give."""


def _operation_id(route: APIRoute) -> str:
    return route.name


class Router(APIRouter):
    """A router whose operations are named after their functions and whose creating POSTs can be repeated safely."""

    def __init__(self, *, prefix: str = "", tags: list[str], root: str = API, **options: Any) -> None:
        super().__init__(
            prefix=root + prefix,
            tags=list(tags),
            responses=EVERYWHERE,
            route_class=LeanRoute,
            generate_unique_id_function=_operation_id,
            **options,
        )


async def _infra(request: Request) -> Infra:
    infra: Infra = request.app.state.infra
    return infra


async def _reader(request: Request) -> Reader:
    reader: Reader = request.app.state.infra.db.reader
    return reader


async def _writer(request: Request) -> AsyncIterator[Writer]:
    infra = request.app.state.infra
    async with asyncio.timeout(infra.settings.database_timeout_seconds), infra.db.write() as session:
        await claim(request, session)
        yield session


Here = Annotated[Infra, Depends(_infra)]
"""This process's parts, for services that must do something slow before their transaction begins."""
ReadDB = Annotated[Reader, Depends(_reader)]
WriteDB = Annotated[Writer, Depends(_writer, scope="function")]
"""`scope="function"`: otherwise FastAPI commits after the answer has gone, and a failed commit still answers 200."""
