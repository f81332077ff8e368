"""What routers are made of: the Router, and the two kinds of database access."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute

from app.core import errors
from app.core.db import Reader, Writer
from app.core.idempotency import IdempotentRoute, claim

__all__ = ["EVERYWHERE", "ReadDB", "Router", "WriteDB"]

EVERYWHERE = errors.problems(errors.Invalid, errors.TooManyRequests, errors.AppError, errors.Unavailable)
"""The answers that any operation may give."""


def _operation_id(route: APIRoute) -> str:
    return route.name


class Router(APIRouter):
    """A router whose operations are named after their functions and whose creating POSTs can be repeated safely."""

    def __init__(self, *, prefix: str = "", tags: list[str], **options: Any) -> None:
        super().__init__(
            prefix=prefix,
            tags=list(tags),
            route_class=IdempotentRoute,
            generate_unique_id_function=_operation_id,
            **options,
        )


async def _reader(request: Request) -> Reader:
    reader: Reader = request.app.state.infra.db.reader
    return reader


async def _writer(request: Request) -> AsyncIterator[Writer]:
    async with request.app.state.infra.db.write() as session:
        await claim(request, session)
        yield session


ReadDB = Annotated[Reader, Depends(_reader)]
WriteDB = Annotated[Writer, Depends(_writer, scope="function")]
"""`scope="function"`: otherwise FastAPI commits after the answer has gone, and a failed commit still answers 200."""
