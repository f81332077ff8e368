"""Sessions whose refresh token stays the same until it is given back, for clients that know no rotation.

The token is derived from its session with a key of its own: no token of another session works here, and this one works
nowhere else.
"""

import base64
import hashlib
import hmac
from uuid import UUID

from sqlalchemy import func, select

from app.auth.callers import Caller
from app.auth.errors import BadRefreshToken
from app.auth.models import Session
from app.auth.schemas import Tokens
from app.auth.sessions import begin, derived_key, end_sessions, expiry
from app.core.auth import Role
from app.core.config import Settings
from app.core.db import Writer
from app.core.infra import Infra
from app.users.models import User
from app.users.service import touch

__all__ = ["end_lasting_session", "open_lasting_session", "renew"]

_PREFIX = "ssl_"
_ID_BYTES = 16


async def open_lasting_session(infra: Infra, db: Writer, user_id: UUID, role: Role, caller: Caller) -> Tokens:
    """A new login, its first access token, and the refresh token that it keeps."""
    session = await begin(infra, db, user_id, caller)
    access, life = infra.tokens.issue(user_id, session.id, role)
    lasting = _token(infra.settings, session)
    return Tokens(access_token=access, refresh_token=lasting, token_type="bearer", expires_in=life)  # noqa: S106


async def renew(infra: Infra, db: Writer, token: str) -> str:
    """Another access token. Raises BadRefreshToken."""
    session = await _find(infra, db, token)
    session.expires_at = expiry(infra.settings)
    await touch(db, session.user_id)
    role: Role = await db.scalar(select(User.role).where(User.id == session.user_id))
    return infra.tokens.issue(session.user_id, session.id, role)[0]


async def end_lasting_session(infra: Infra, db: Writer, token: str) -> None:
    """Ends the session of the token, and with it its access tokens. Raises BadRefreshToken."""
    session = await _find(infra, db, token)
    await end_sessions(infra.settings, db, Session.id == session.id)


async def _find(infra: Infra, db: Writer, token: str) -> Session:
    alive = Session.revoked_at.is_(None), Session.expires_at > func.now()
    mine = select(Session).join(User, User.id == Session.user_id).where(Session.id == _session_id(token), *alive)
    session = await db.scalar(mine.where(User.deleted_at.is_(None)).with_for_update(of=Session))
    if session is None or not hmac.compare_digest(token.encode(), _token(infra.settings, session).encode()):
        raise BadRefreshToken
    return session


def _token(settings: Settings, session: Session) -> str:
    key = derived_key(settings, "lasting refresh tokens")
    mac = hmac.digest(key, session.id.bytes + session.nonce, hashlib.sha256)
    return _PREFIX + base64.urlsafe_b64encode(session.id.bytes + mac).decode().rstrip("=")


def _session_id(token: str) -> UUID:
    try:
        raw = base64.b64decode(token.removeprefix(_PREFIX) + "==", altchars=b"-_")
        return UUID(bytes=raw[:_ID_BYTES])
    except ValueError as error:
        raise BadRefreshToken from error
