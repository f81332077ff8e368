"""Idempotency-Key on creating POSTs: one effect, and the same answer to every repetition.

The key is claimed and the answer kept in the transaction of the effect itself, so there is no moment in which one is
there without the other. A second request with the key waits for the first one's commit.
"""

import hashlib
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from fastapi import Request, Response
from fastapi.routing import APIRoute
from sqlalchemy import LargeBinary, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from app.core.auth import Principal
from app.core.db import Base, Writer
from app.core.errors import Invalid
from app.core.jobs import every

__all__ = ["IdempotencyKey", "IdempotentRoute", "KeyReused", "claim"]

LIFE = timedelta(hours=24)


class KeyReused(Invalid):
    code, title = "idempotency_key_reused", "This Idempotency-Key was used for another request"


class IdempotencyKey(Base):
    """A key that a person used, what for, and what was answered."""

    __tablename__ = "idempotency_keys"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int | None]
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


class Replay(Exception):
    """Ends a repeated request with the answer of the first."""

    def __init__(self, status: int, body: bytes) -> None:
        self.response = Response(
            body, status, {"Idempotent-Replayed": "true"}, media_type="application/json" if body else None
        )


async def claim(request: Request, db: Writer) -> None:
    """Claims the request's key in its transaction. Raises Replay when it was answered before, KeyReused, Invalid."""
    key = request.headers.get("idempotency-key")
    principal = request.scope.get("principal")
    if key is None or request.method != "POST" or not isinstance(principal, Principal):
        return
    if not 1 <= len(key) <= 255:
        raise Invalid.field("/header/idempotency-key", "Use 1 to 255 characters, for example a UUID.")
    fingerprint = await _fingerprint(request)
    row = {"user_id": principal.user_id, "key": key, "fingerprint": fingerprint}
    added = await db.execute(insert(IdempotencyKey).values(row).on_conflict_do_nothing().returning(IdempotencyKey.key))
    if added.scalar() is None:
        await _repeat(db, principal.user_id, key, fingerprint)
    request.scope["idempotency"] = (db, principal.user_id, key)


async def _repeat(db: Writer, user_id: UUID, key: str, fingerprint: bytes) -> None:
    kept = await db.one(select(IdempotencyKey).filter_by(user_id=user_id, key=key))
    if kept is None or kept.fingerprint != fingerprint:
        raise KeyReused("Use a new key for another request, or send the same request again.")
    raise Replay(kept.status or 200, kept.body or b"")


async def _fingerprint(request: Request) -> bytes:
    json = request.headers.get("content-type", "").startswith("application/json")
    # a form was consumed while it was parsed: its length has to do
    body = await request.body() if json else request.headers.get("content-length", "").encode()
    return hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode() + body).digest()


class IdempotentRoute(APIRoute):
    """Keeps the answer beside the key while the transaction is still open."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_once(request: Request) -> Response:
            try:
                response = await handle(request)
            except Replay as replay:
                return replay.response
            if "idempotency" in request.scope and response.status_code < 400:
                db, user_id, key = request.scope["idempotency"]
                answer = {"status": response.status_code, "body": bytes(response.body)}
                await db.execute(update(IdempotencyKey).filter_by(user_id=user_id, key=key).values(answer))
            return response

        return handle_once


@every(seconds=3600)
async def forget_old_keys(infra: Any) -> None:
    """Keys are kept for a day."""
    async with infra.db.write() as db:
        await db.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < func.now() - LIFE))
