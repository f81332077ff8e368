"""App passwords for devices and API tokens for programs: bearer tokens within their scopes, shown once."""

import base64
import os
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import func, or_, update

from app.auth.models import AccessKey
from app.auth.queries import APP_PASSWORDS, KEY_BY_DIGEST, KEYS, KeyFound
from app.auth.schemas import AccessKeyItem, AppPassword, KeyScope, NewAccessKey
from app.auth.sessions import derived_key, revoked_until
from app.core.auth import EVERY_SCOPE, Principal, authenticator
from app.core.config import Settings
from app.core.db import Reader
from app.core.errors import NotFound, Unauthorized
from app.core.ids import uuid7
from app.core.infra import Infra
from app.core.paging import Page, PageRequest
from app.core.revocations import revoke
from app.core.tokens import digest

__all__ = ["PREFIXES", "create_key", "find_app_passwords", "list_keys", "revoke_key", "touch_key"]

Kind = Literal["app_password", "api_token"]
PREFIXES: dict[Kind, str] = {"app_password": "ssp_", "api_token": "sst_"}
_NONCE_BYTES = 12
_TOUCH_EVERY = timedelta(minutes=1)


async def create_key(
    infra: Infra, actor: Principal, *, kind: Kind, name: str, scopes: list[KeyScope], days: int | None = None
) -> NewAccessKey:
    """A new key with its secret. Not repeatable by an Idempotency-Key: that would keep the secret in clear."""
    secret = _new_secret(kind)
    key = AccessKey(
        id=uuid7(),
        user_id=actor.user_id,
        kind=kind,
        name=name,
        scopes=sorted(set(scopes)),
        digest=digest(secret),
        hint=secret[-4:],
        created_at=datetime.now(UTC),
        expires_at=datetime.now(UTC) + timedelta(days=days) if days else None,
    )
    if kind == "app_password":
        key.encrypted = _encrypt(infra.settings, key.id, secret)
    async with infra.db.write() as db:
        db.add(key)
    item = AccessKeyItem.model_validate(key)
    return NewAccessKey(**item.model_dump(), secret=secret)


async def list_keys(db: Reader, actor: Principal, page: PageRequest, *, kind: Kind) -> Page[AccessKeyItem]:
    """The actor's keys that work, newest first."""
    return await KEYS.page(db, page, person=actor.user_id, kind=kind)


async def revoke_key(infra: Infra, actor: Principal, key_id: UUID, *, kind: Kind) -> None:
    """Ends a key; it is refused everywhere within a second. Raises NotFound."""
    mine = update(AccessKey).filter_by(id=key_id, user_id=actor.user_id, kind=kind, revoked_at=None)
    values = {"revoked_at": func.now(), "encrypted": None}
    async with infra.db.write() as db:
        if await db.scalar(mine.values(values).returning(AccessKey.id)) is None:
            raise NotFound("You have no such key, or it was revoked.")
        await revoke(db, [key_id], until=revoked_until(infra.settings))


async def find_app_passwords(infra: Infra, username: str) -> list[AppPassword]:
    """The app passwords of a person in clear, for protocols in which the client sends a hash of one."""
    found = await APP_PASSWORDS.all(infra.db.reader, key=username.lower())
    return [
        AppPassword(
            id=key.id,
            user_id=key.user_id,
            role=key.role,
            scopes=key.scopes,
            secret=_decrypt(infra.settings, key.id, key.encrypted),
            stale=key.stale,
        )
        for key in found
        if key.encrypted
    ]


async def touch_key(infra: Infra, key_id: UUID) -> None:
    """Notes that a key was used, at most once a minute."""
    stale = or_(AccessKey.last_used_at.is_(None), AccessKey.last_used_at < func.now() - _TOUCH_EVERY)
    async with infra.db.write() as db:
        await db.execute(update(AccessKey).where(AccessKey.id == key_id, stale).values(last_used_at=func.now()))


@authenticator(PREFIXES["app_password"])
@authenticator(PREFIXES["api_token"])
async def authenticate_key(infra: Any, token: str) -> Principal:
    """The principal of an app password or API token. Raises Unauthorized."""
    key = await KEY_BY_DIGEST.first(infra.db.reader, digest=digest(token))
    if key is None:
        raise Unauthorized("This key is unknown, has expired or was revoked.")
    if key.stale:
        await touch_key(infra, key.id)
    return _principal(key)


def _principal(key: KeyFound) -> Principal:
    return Principal(
        user_id=key.user_id,
        session_id=key.id,
        role=key.role,
        scopes=frozenset(scope for scope in EVERY_SCOPE if scope in key.scopes),
        expires_at=key.expires_at.timestamp() if key.expires_at else float("inf"),
    )


def _new_secret(kind: Kind) -> str:
    """160 random bits; an app password in letters and digits that can be typed on a device."""
    if kind == "app_password":
        return PREFIXES[kind] + base64.b32encode(secrets.token_bytes(20)).decode().lower()
    return PREFIXES[kind] + secrets.token_urlsafe(32)


def _encrypt(settings: Settings, key_id: UUID, secret: str) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    # bound to its row: moved to another, it does not decrypt
    return nonce + AESGCM(derived_key(settings, "app passwords")).encrypt(nonce, secret.encode(), key_id.bytes)


def _decrypt(settings: Settings, key_id: UUID, encrypted: bytes) -> str:
    nonce, sealed = encrypted[:_NONCE_BYTES], encrypted[_NONCE_BYTES:]
    return AESGCM(derived_key(settings, "app passwords")).decrypt(nonce, sealed, key_id.bytes).decode()
