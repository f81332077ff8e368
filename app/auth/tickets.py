"""Tickets: what opens one stream or socket where a browser cannot send a header."""

import secrets
from datetime import UTC, datetime, timedelta
from math import isinf
from typing import Annotated

from fastapi import Depends, Query, Request, WebSocket
from sqlalchemy import delete, func

from app.auth.models import Ticket
from app.auth.schemas import StreamTicket
from app.auth.sessions import NEVER, moment
from app.core.auth import EVERY_SCOPE, MaybeUser, Principal, require_scope
from app.core.db import Writer
from app.core.errors import Unauthorized
from app.core.infra import Infra
from app.core.tokens import digest

__all__ = ["StreamUser", "issue_ticket", "redeem_ticket", "socket_user"]

LIFE_SECONDS = 60


async def issue_ticket(db: Writer, actor: Principal) -> StreamTicket:
    """A ticket with the actor's rights. It ends with the session that asked for it."""
    ticket = secrets.token_urlsafe(24)
    db.add(
        Ticket(
            digest=digest(ticket),
            user_id=actor.user_id,
            session_id=actor.session_id,
            role=actor.role,
            scopes=sorted(actor.scopes),
            session_expires_at=moment(actor.expires_at),
            issued_at=None if isinf(actor.issued_at) else moment(actor.issued_at),
            expires_at=datetime.now(UTC) + timedelta(seconds=LIFE_SECONDS),
        )
    )
    return StreamTicket(ticket=ticket, expires_in=LIFE_SECONDS)


async def redeem_ticket(infra: Infra, ticket: str) -> Principal:
    """Whose ticket it is; it is gone then. Raises Unauthorized."""
    taken = delete(Ticket).where(Ticket.digest == digest(ticket), Ticket.expires_at > func.now())
    async with infra.db.write() as db:
        found: Ticket | None = await db.scalar(taken.returning(Ticket))
    principal = _principal(found) if found else None
    if principal is None or infra.ended(principal):
        raise Unauthorized("The ticket is unknown, was used or is older than a minute. Ask for a new one.")
    return principal


def _principal(ticket: Ticket) -> Principal:
    return Principal(
        user_id=ticket.user_id,
        session_id=ticket.session_id,
        role=ticket.role,  # type: ignore[arg-type]  # it was a principal's
        scopes=frozenset(scope for scope in EVERY_SCOPE if scope in ticket.scopes),
        expires_at=float("inf") if ticket.session_expires_at >= NEVER else ticket.session_expires_at.timestamp(),
        issued_at=ticket.issued_at.timestamp() if ticket.issued_at else float("inf"),
    )


async def _stream_user(
    request: Request,
    user: MaybeUser,
    ticket: Annotated[
        str | None, Query(max_length=200, description="From `POST /auth/tickets`, where no header can be sent")
    ] = None,
) -> Principal:
    principal = user
    if principal is None and ticket is not None:
        principal = await redeem_ticket(request.app.state.infra, ticket)
    if principal is None or "read" not in principal.scopes:
        raise Unauthorized("Send `Authorization: Bearer …`, or a ticket from `POST /auth/tickets` as `?ticket=`.")
    return principal


async def socket_user(websocket: WebSocket) -> Principal:
    """Who opens a socket: by the header, by a ticket, or by the token in the address.

    Raises Unauthorized, and Forbidden for a token that is not for reading.
    """
    infra: Infra = websocket.app.state.infra
    principal = await infra.authenticate(websocket.headers.get("authorization"))
    if isinstance(principal, Unauthorized):
        raise principal
    if principal is None and "ticket" in websocket.query_params:
        principal = await redeem_ticket(infra, websocket.query_params["ticket"][:200])
    if principal is None and "token" in websocket.query_params:
        principal = await infra.principal(websocket.query_params["token"])
    if principal is None:
        raise Unauthorized("Send `Authorization: Bearer …`, or `?ticket=` from `POST /auth/tickets`, or `?token=`.")
    require_scope(principal, "read")
    return principal


StreamUser = Annotated[Principal, Depends(_stream_user)]
"""Who opens a stream: by the header, or by a ticket in the address."""
