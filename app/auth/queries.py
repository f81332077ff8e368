"""Reads of accounts, sessions and keys."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Text, Uuid, and_, bindparam, exists, func, or_, select

from app.auth.models import AccessKey, Credential, LinkedAccount, Session
from app.auth.schemas import AccessKeyItem, LinkedAccountItem, Me, SessionItem
from app.core.auth import Role
from app.core.query import PageQuery, Query
from app.core.schemas import Output
from app.users.models import User

__all__ = [
    "ACCOUNTS_AT",
    "APP_PASSWORDS",
    "KEYS",
    "KEY_BY_DIGEST",
    "LINKED",
    "LOGIN_BY_EMAIL",
    "LOGIN_BY_USERNAME",
    "ME",
    "PASSWORD",
    "SESSIONS",
    "AccountAt",
    "KeyFound",
    "KnownLogin",
]

_PERSON: Any = bindparam("person", type_=Uuid)
_KEY: Any = bindparam("key", type_=Text)
_TOUCH_EVERY = timedelta(minutes=1)


class KnownLogin(Output):
    """What a login is checked against."""

    id: UUID
    role: Role
    password_hash: str | None
    known_address: bool


_login = (
    select(
        User.id,
        User.role,
        Credential.password_hash,
        exists()
        .where(Session.user_id == User.id, Session.address == bindparam("address", type_=Text))
        .label("known_address"),
    )
    .join(Credential, Credential.user_id == User.id)
    .where(User.deleted_at.is_(None))
)
LOGIN_BY_USERNAME = Query(_login.where(User.username_key == _KEY), into=KnownLogin)
LOGIN_BY_EMAIL = Query(
    _login.where(Credential.email_key == _KEY, Credential.email_verified_at.is_not(None)), into=KnownLogin
)


class Password(Output):
    """What a change of the account is checked against."""

    username: str
    email: str | None
    password_hash: str | None


PASSWORD = Query(
    select(User.username, Credential.email, Credential.password_hash)
    .join(Credential, Credential.user_id == User.id)
    .where(User.id == _PERSON, User.deleted_at.is_(None)),
    into=Password,
)

ME = Query(
    select(
        User.id,
        User.username,
        User.display_name,
        User.role,
        Credential.email,
        Credential.email_verified_at.is_not(None).label("email_verified"),
        Credential.password_hash.is_not(None).label("has_password"),
        User.created_at,
    )
    .outerjoin(Credential, Credential.user_id == User.id)
    .where(User.id == _PERSON, User.deleted_at.is_(None)),
    into=Me,
)

SESSIONS = PageQuery(
    select(
        Session.id,
        Session.user_agent,
        Session.address,
        Session.created_at,
        Session.rotated_at.label("last_used_at"),
        Session.expires_at,
        (Session.id == bindparam("current", type_=Uuid)).label("current"),
    ).where(Session.user_id == _PERSON, Session.revoked_at.is_(None), Session.expires_at > func.now()),
    into=SessionItem,
    order=[Session.id],
)


class AccountAt(Output):
    """An account with a mail address, verified or not."""

    id: UUID
    username: str
    email: str | None
    email_key: str | None
    wanted_key: str | None
    verified: bool


ACCOUNTS_AT = Query(
    select(
        User.id,
        User.username,
        Credential.email,
        Credential.email_key,
        Credential.wanted_key,
        Credential.email_verified_at.is_not(None).label("verified"),
    )
    .join(Credential, Credential.user_id == User.id)
    .where(
        or_(
            Credential.user_id == _PERSON,
            and_(Credential.email_key == _KEY, or_(_PERSON.is_(None), Credential.email_verified_at.is_not(None))),
        ),
        User.deleted_at.is_(None),
    )
    # the oldest, so that nobody crowds an account out of its own mails by making others with its address
    .order_by(Credential.email_verified_at.is_not(None).desc(), User.id)
    .limit(50),
    into=AccountAt,
)
"""Who has an address; where a person is given, that person and who has proven it."""

_living = (
    AccessKey.revoked_at.is_(None),
    or_(AccessKey.expires_at.is_(None), AccessKey.expires_at > func.now()),
)
KEYS = PageQuery(
    select(
        AccessKey.id,
        AccessKey.name,
        AccessKey.scopes,
        AccessKey.hint,
        AccessKey.created_at,
        AccessKey.last_used_at,
        AccessKey.expires_at,
    ).where(AccessKey.user_id == _PERSON, AccessKey.kind == bindparam("kind", type_=Text), *_living),
    into=AccessKeyItem,
    order=[AccessKey.id],
)


class KeyFound(Output):
    """A key as its use needs it."""

    id: UUID
    user_id: UUID
    role: Role
    scopes: list[str]
    encrypted: bytes | None
    expires_at: datetime | None
    stale: bool


_found = (
    select(
        AccessKey.id,
        AccessKey.user_id,
        User.role,
        AccessKey.scopes,
        AccessKey.encrypted,
        AccessKey.expires_at,
        func.coalesce(AccessKey.last_used_at < func.now() - _TOUCH_EVERY, True).label("stale"),
    )
    .join(User, User.id == AccessKey.user_id)
    .where(User.deleted_at.is_(None), *_living)
)
KEY_BY_DIGEST = Query(_found.where(AccessKey.digest == bindparam("digest", type_=AccessKey.digest.type)), into=KeyFound)
APP_PASSWORDS = Query(_found.where(User.username_key == _KEY, AccessKey.kind == "app_password"), into=KeyFound)

LINKED = PageQuery(
    select(LinkedAccount.id, LinkedAccount.provider, LinkedAccount.email, LinkedAccount.created_at).where(
        LinkedAccount.user_id == _PERSON
    ),
    into=LinkedAccountItem,
    order=[LinkedAccount.id],
)
