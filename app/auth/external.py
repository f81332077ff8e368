"""Tokens of another auth server, where the settings name one: RS256, with keys that it publishes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid5

from app.auth.linked import Identity, find, find_or_create
from app.core.auth import FOREIGN_JWT, Principal, authenticator
from app.core.errors import Unauthorized
from app.core.infra import Infra, opened
from app.core.tokens import external_claims, header_of
from app.integrations.jwks import PublishedKeys

__all__ = ["authenticate_external", "published_keys"]

_NAMES = ("preferred_username", "nickname", "name", "given_name")


@opened
@asynccontextmanager
async def published_keys(infra: Infra) -> AsyncIterator[PublishedKeys | None]:
    """The keys of the server that the settings name."""
    settings = infra.settings
    if not settings.external_jwks_url:
        yield None
        return
    if not settings.external_issuer or not settings.external_audience:
        raise ValueError("EXTERNAL_JWKS_URL needs EXTERNAL_ISSUER and EXTERNAL_AUDIENCE too")
    keys = PublishedKeys(settings.external_jwks_url)
    try:
        yield keys
    finally:
        await keys.close()


@authenticator(FOREIGN_JWT)
async def authenticate_external(infra: Any, token: str) -> Principal:
    """The principal of the other server's token; an account is made on first sight. Its roles claim counts nothing."""
    claims = await _claims(infra, token)
    identity = _identity(infra.settings.external_issuer, claims)
    known = await find(infra.db.reader, identity)
    if known is None:
        async with infra.db.write() as db:
            known = await find_or_create(infra, db, identity)
    if known.gone:
        raise Unauthorized("This account was deleted.")
    return Principal(
        user_id=known.user_id,
        # the token's own, so that signing out ends this token and not the next
        session_id=uuid5(known.linked_id, token),
        role=known.role,
        expires_at=float(claims["exp"]),
        issued_at=float(claims["iat"]),
    )


async def _claims(infra: Infra, token: str) -> dict[str, Any]:
    settings, keys, header = infra.settings, infra.part(published_keys), header_of(token)
    kid = header.get("kid")
    if keys is None or header.get("alg") != "RS256" or not isinstance(kid, str):
        raise Unauthorized("The token was not signed by a server that is trusted here.")
    key = await keys.get(kid)
    return external_claims(token, key, audience=settings.external_audience, issuer=settings.external_issuer)


def _identity(issuer: str, claims: dict[str, Any]) -> Identity:
    names = (claims.get(name) for name in _NAMES)
    return Identity(
        provider="external",
        issuer=issuer,
        subject=claims["sub"],
        name=next((name for name in names if isinstance(name, str) and name.strip()), ""),
        # its mail address is not needed to sign in here, and who owns it is that server's affair
        email=None,
        email_verified=False,
    )
