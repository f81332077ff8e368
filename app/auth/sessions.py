"""Sessions: a family of refresh tokens of which the newest works, and that ends when an older one is used again.

A token is derived from its session and generation, so whoever asks with the same token gets the same successor.
"""

import base64
import hashlib
import hmac
import secrets
import struct
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, func, select, update

from app.auth.callers import Caller
from app.auth.errors import BadRefreshToken
from app.auth.models import Session
from app.auth.queries import SESSIONS
from app.auth.schemas import SessionItem, Tokens
from app.core.auth import Principal, Role
from app.core.config import Settings
from app.core.db import Reader, Writer
from app.core.errors import NotFound
from app.core.ids import uuid7
from app.core.infra import Infra
from app.core.paging import Page, PageRequest
from app.core.revocations import revoke, revoke_issued
from app.users.models import User
from app.users.service import touch

__all__ = [
    "NEVER",
    "begin",
    "derived_key",
    "end_all_of",
    "end_all_sessions",
    "end_current",
    "end_session",
    "end_sessions",
    "expiry",
    "list_sessions",
    "moment",
    "open_session",
    "refresh",
    "revoked_until",
]

GRACE = timedelta(seconds=10)
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
_PREFIX = "ssr_"
_HEAD = struct.Struct(">16sI")
log = structlog.get_logger()


def derived_key(settings: Settings, purpose: str) -> bytes:
    """A key for one purpose, so that what is signed for one proves nothing for another."""
    return hmac.digest(settings.secret, purpose.encode(), hashlib.sha256)


def revoked_until(settings: Settings) -> datetime:
    """When no access token can be valid any more that exists now."""
    return datetime.now(UTC) + timedelta(minutes=settings.access_token_minutes + 5)


def moment(timestamp: float) -> datetime:
    """The time as the database can keep it; what lies beyond its calendar is NEVER."""
    return datetime.fromtimestamp(timestamp, UTC) if timestamp < NEVER.timestamp() else NEVER


async def open_session(infra: Infra, db: Writer, user_id: UUID, role: Role, caller: Caller) -> Tokens:
    """A new login, and its first tokens."""
    return _tokens(infra, await begin(infra, db, user_id, caller), role)


async def begin(infra: Infra, db: Writer, user_id: UUID, caller: Caller) -> Session:
    """A new login, of which no token was given out yet."""
    session = Session(
        id=uuid7(),
        user_id=user_id,
        nonce=secrets.token_bytes(16),
        generation=0,
        expires_at=expiry(infra.settings),
        user_agent=caller.user_agent[:300],
        address=caller.address,
    )
    db.add(session)
    await db.flush()
    return session


async def refresh(infra: Infra, token: str) -> Tokens:
    """The next tokens of the session. Raises BadRefreshToken; a token that was used before then has ended it."""
    session_id, generation = _read(token)
    async with infra.db.write() as db:
        # not raised in here: that would roll the end of the session back
        tokens = await _rotate(infra, db, token, session_id, generation)
    if tokens is None:
        raise BadRefreshToken
    return tokens


async def _rotate(infra: Infra, db: Writer, token: str, session_id: UUID, generation: int) -> Tokens | None:
    found = await _lock(db, session_id)
    if found is None:
        return None
    session, role, now = found
    good = hmac.compare_digest(token, refresh_token(infra.settings, session, generation))
    if not good or session.revoked_at or session.expires_at < now:
        return None
    if generation == session.generation:
        session.generation += 1
        session.rotated_at = now
        session.expires_at = expiry(infra.settings)
        await touch(db, session.user_id)
    elif generation != session.generation - 1 or now - session.rotated_at > GRACE:
        log.warning("refresh_token_reused", session=str(session_id), generation=generation)
        await end_sessions(infra.settings, db, Session.id == session_id)
        return None
    return _tokens(infra, session, role)


async def _lock(db: Writer, session_id: UUID) -> tuple[Session, Role, datetime] | None:
    statement = (
        select(Session, User.role, func.clock_timestamp())
        .join(User, User.id == Session.user_id)
        .where(Session.id == session_id, User.deleted_at.is_(None))
        .with_for_update(of=Session)
    )
    rows = await db.rows(statement)
    return tuple(rows[0]) if rows else None


async def end_sessions(settings: Settings, db: Writer, *conditions: ColumnElement[bool]) -> list[UUID]:
    """Ends the sessions that fulfil the conditions; their tokens and streams die within a second."""
    statement = update(Session).where(Session.revoked_at.is_(None), *conditions)
    ended = list(await db.scalars(statement.values(revoked_at=func.now()).returning(Session.id)))
    await revoke(db, ended, until=revoked_until(settings))
    return ended


async def end_all_of(settings: Settings, db: Writer, user_id: UUID, *, spared: UUID | None = None) -> None:
    """Ends every session of a person but the spared one, and what another auth server has signed for them until now."""
    await end_sessions(settings, db, Session.user_id == user_id, Session.id.is_distinct_from(spared))
    if settings.external_jwks_url:
        await revoke_issued(db, user_id, spared=spared)


async def end_all_sessions(settings: Settings, db: Writer, actor: Principal, *, keep_current: bool) -> None:
    """Ends every session of the actor, or all but the one that asks."""
    await end_all_of(settings, db, actor.user_id, spared=actor.session_id)
    if not keep_current:
        await end_current(settings, db, actor)


async def end_current(settings: Settings, db: Writer, actor: Principal) -> None:
    """Ends the session that asks, even one of another auth server's tokens, which may live longer than ours."""
    await end_sessions(settings, db, Session.user_id == actor.user_id, Session.id == actor.session_id)
    await revoke(db, [actor.session_id], until=max(revoked_until(settings), moment(actor.expires_at)))


async def end_session(settings: Settings, db: Writer, actor: Principal, session_id: UUID) -> None:
    """Ends one session of the actor. Raises NotFound."""
    if not await end_sessions(settings, db, Session.user_id == actor.user_id, Session.id == session_id):
        raise NotFound("You have no such session, or it has ended.")


async def list_sessions(db: Reader, actor: Principal, page: PageRequest) -> Page[SessionItem]:
    """The actor's sessions, newest first."""
    return await SESSIONS.page(db, page, person=actor.user_id, current=actor.session_id)


def refresh_token(settings: Settings, session: Session, generation: int) -> str:
    """The session's refresh token of a generation."""
    head = _HEAD.pack(session.id.bytes, generation)
    mac = hmac.digest(derived_key(settings, "refresh tokens"), head + session.nonce, hashlib.sha256)
    return _PREFIX + base64.urlsafe_b64encode(head + mac).decode().rstrip("=")


def _read(token: str) -> tuple[UUID, int]:
    try:
        raw = base64.b64decode(token.removeprefix(_PREFIX) + "==", altchars=b"-_")
        session_id, generation = _HEAD.unpack_from(raw)
    except (ValueError, struct.error) as error:
        raise BadRefreshToken from error
    return UUID(bytes=session_id), generation


def expiry(settings: Settings) -> datetime:
    """When a refresh token that is not used any more stops working."""
    return datetime.now(UTC) + timedelta(days=settings.refresh_token_days)


def _tokens(infra: Infra, session: Session, role: Role) -> Tokens:
    access, life = infra.tokens.issue(session.user_id, session.id, role)
    successor = refresh_token(infra.settings, session, session.generation)
    return Tokens(access_token=access, refresh_token=successor, token_type="bearer", expires_in=life)  # noqa: S106
