"""The raw limits: the least that a request can cost with ASGI, FastAPI and asyncpg on this machine.

Run by uvicorn as `bench.limits:make`, with DATABASE_URL and the statements of our own pages in BENCH_STATEMENTS.
"""

import base64
import json
import os
import pickle
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from fastapi import FastAPI, Response
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, relationship, selectinload
from starlette.types import Receive, Scope, Send

from app.catalog.models import Album, Artist
from app.core.database_url import driver_dsn
from app.reviews.models import Review
from app.users.models import User

__all__ = ["make"]


class Small(BaseModel):
    """A small answer."""

    id: int
    name: str


class Base(DeclarativeBase):
    """The same tables with relationships, as one would write them without thinking of speed."""


class OrmUser(Base):
    __table__ = User.__table__


class OrmArtist(Base):
    __table__ = Artist.__table__


class OrmAlbum(Base):
    __table__ = Album.__table__
    artist: Mapped[OrmArtist] = relationship()


class OrmReview(Base):
    __table__ = Review.__table__
    author: Mapped[OrmUser] = relationship()
    album: Mapped[OrmAlbum] = relationship()


class OrmCard(BaseModel):
    """A review with its author and album, read from the entities."""

    id: UUID
    rating: int
    text: str | None
    like_count: int
    comment_count: int
    author: dict[str, Any]
    album: dict[str, Any]


async def bare(scope: Scope, receive: Receive, send: Send) -> None:
    """An ASGI application that answers a constant."""
    await receive()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"24")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"id":1,"name":"nothing"}'[:24]})


def make() -> Any:
    """The application with all limits: /bare, /model, /sql/<name>, /orm/reviews."""
    statements = pickle.loads(base64.b64decode(os.environ["BENCH_STATEMENTS"]))
    app = FastAPI(lifespan=_lifespan, openapi_url=None)

    @app.get("/model")
    async def model() -> Small:
        return Small(id=1, name="nothing")

    for name, page in statements.items():
        _add_page(app, name, page)
    _add_orm(app, UUID(os.environ["BENCH_ALBUM"]))

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        target = bare if scope["type"] == "http" and scope["path"] == "/bare" else app
        await target(scope, receive, send)

    return route


def _add_page(app: FastAPI, name: str, page: list[tuple[str, list[Any]]]) -> None:
    """The same SQL as ours with arguments that are known, as bytes from msgspec."""

    @app.get(f"/sql/{name}", response_class=Response)
    async def rows() -> Response:
        async with app.state.pool.acquire() as connection:
            found = [row for sql, arguments in page for row in await connection.fetch(sql, *arguments)]
        return Response(msgspec.json.encode([dict(row) for row in found]), media_type="application/json")


def _add_orm(app: FastAPI, album_id: UUID) -> None:
    @app.get("/orm/reviews")
    async def reviews() -> list[OrmCard]:
        statement = (
            select(OrmReview)
            .where(OrmReview.album_id == album_id, OrmReview.published_at.is_not(None))
            .options(selectinload(OrmReview.author), selectinload(OrmReview.album).selectinload(OrmAlbum.artist))
            .order_by(OrmReview.published_at.desc(), OrmReview.id.desc())
            .limit(20)
        )
        async with AsyncSession(app.state.engine) as session:
            found = (await session.scalars(statement)).all()
            return [_orm_card(review) for review in found]


def _orm_card(review: Any) -> OrmCard:
    author, album = review.author, review.album
    return OrmCard(
        id=review.id,
        rating=review.rating,
        text=review.text,
        like_count=review.like_count,
        comment_count=review.comment_count,
        author={"id": author.id, "username": author.username, "display_name": author.display_name},
        album={"id": album.id, "title": album.title, "artist": {"id": album.artist.id, "name": album.artist.name}},
    )


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    url = os.environ["DATABASE_URL"]
    app.state.engine = create_async_engine(url, pool_size=10)
    options: dict[str, Any] = {"min_size": 1, "max_size": 10, "init": _text_json, "connection_class": Plain}
    async with asyncpg.create_pool(driver_dsn(url), **options) as pool:
        app.state.pool = pool
        yield
    await app.state.engine.dispose()


class Plain(asyncpg.Connection):
    """As ours: nothing to reset after a read."""

    def get_reset_query(self) -> str:
        return ""


async def _text_json(connection: asyncpg.Connection) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(name, encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
