"""Signing in with Google or Spotify: authorization code with PKCE, bound to the browser by a signed cookie.

The browser comes back with a short one-time code and not with tokens, since addresses end up in histories.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

import httpx2
import structlog
from email_validator import EmailNotValidError, validate_email
from fastapi import Request
from fastapi.responses import RedirectResponse
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy import delete, func

from app.auth.callers import Caller
from app.auth.errors import CodeGone, ProviderNotConfigured
from app.auth.linked import Identity, find_or_create, link
from app.auth.models import OAuthCode
from app.auth.schemas import LinkedAccountItem, Tokens
from app.auth.sessions import derived_key, open_session
from app.core.auth import Principal
from app.core.config import Settings
from app.core.db import Writer
from app.core.errors import Unauthorized
from app.core.infra import Infra, opened
from app.core.tokens import digest

if TYPE_CHECKING:
    from authlib.integrations.starlette_client import OAuth

__all__ = ["Provider", "begin", "come_back", "configured", "exchange", "link_by_code", "providers"]

Provider = Literal["google", "spotify"]
COOKIE = "soundscore_oauth"
COOKIE_SECONDS = 600
CODE_SECONDS = 60
_PATH = "/api/v1/auth/oauth"
log = structlog.get_logger()


@opened
@asynccontextmanager
async def providers(infra: Infra) -> "AsyncIterator[OAuth | None]":
    """The providers for which there is a client id; None without any."""
    settings = infra.settings
    yield _registered(settings) if configured(settings) else None


def configured(settings: Settings) -> list[Provider]:
    """The providers with which people can sign in here."""
    ids: dict[Provider, str] = {"google": settings.google_client_id, "spotify": settings.spotify_client_id}
    return [provider for provider, client_id in ids.items() if client_id]


def _registered(settings: Settings) -> "OAuth":
    from authlib.integrations.starlette_client import OAuth  # noqa: PLC0415 -- costs memory where it is not used

    oauth = OAuth()
    pkce = {"code_challenge_method": "S256", "timeout": 10}
    if settings.google_client_id:
        oauth.register(
            "google",
            client_id=settings.google_client_id,
            client_secret=settings.google_client_secret.get_secret_value(),
            server_metadata_url=settings.google_discovery_url,
            client_kwargs=pkce | {"scope": "openid email profile"},
        )
    if settings.spotify_client_id:
        oauth.register(
            "spotify",
            client_id=settings.spotify_client_id,
            client_secret=settings.spotify_client_secret.get_secret_value(),
            authorize_url=f"{settings.spotify_accounts_url}/authorize",
            access_token_url=f"{settings.spotify_accounts_url}/api/token",
            client_kwargs=pkce | {"scope": "user-read-email"},
        )
    return oauth


async def begin(infra: Infra, request: Request, provider: Provider, challenge: str) -> RedirectResponse:
    """Sends the browser to the provider. Raises ProviderNotConfigured."""
    client = _client(infra, provider)
    request.scope["session"] = session = {"challenge": challenge}
    try:
        redirect: RedirectResponse = await client.authorize_redirect(
            request, f"{infra.settings.base_url}{_PATH}/{provider}/callback"
        )
    except _failures() as error:
        return _failed(infra.settings, provider, error)
    redirect.set_cookie(
        COOKIE,
        _serializer(infra.settings).dumps(session),
        max_age=COOKIE_SECONDS,
        path=_PATH,
        httponly=True,
        samesite="lax",
        secure=infra.settings.base_url.startswith("https:"),
    )
    return redirect


async def come_back(infra: Infra, request: Request, provider: Provider) -> RedirectResponse:
    """Takes the provider's answer, and sends the browser to the app with a code or an error."""
    client = _client(infra, provider)
    session = _session(infra.settings, request)
    request.scope["session"] = session
    try:
        token = await client.authorize_access_token(request)
        identity = await _identify(infra.settings, provider, client, token)
    except _failures() as error:
        return _failed(infra.settings, provider, error)
    async with infra.db.write() as db:
        code = _code(db, identity, session["challenge"])
    return _to_app(infra.settings, code=code)


async def exchange(infra: Infra, caller: Caller, *, code: str, verifier: str) -> Tokens:
    """Tokens for the code. Raises CodeGone, AccountExists, Unauthorized."""
    async with infra.db.write() as db:
        identity = await _take(db, code, verifier)
        known = await find_or_create(infra, db, identity)
        if known.gone:
            raise Unauthorized("This account was deleted.")
        return await open_session(infra, db, known.user_id, known.role, caller)


async def link_by_code(db: Writer, actor: Principal, *, code: str, verifier: str) -> LinkedAccountItem:
    """Links who came back to the actor. Raises CodeGone, AlreadyLinked."""
    return await link(db, actor, await _take(db, code, verifier))


def _client(infra: Infra, provider: Provider) -> Any:
    known = infra.part(providers)
    client = None if known is None else known.create_client(provider)
    if client is None:
        name = provider.upper()
        raise ProviderNotConfigured(f"Set {name}_CLIENT_ID and {name}_CLIENT_SECRET.", retry_after=3600)
    return client


def _failures() -> tuple[type[Exception], ...]:
    """What the provider, the network and a tampered answer can raise."""
    from authlib.integrations.base_client import OAuthError  # noqa: PLC0415 -- costs memory where it is not used
    from joserfc.errors import JoseError  # noqa: PLC0415 -- costs memory where it is not used

    return OAuthError, JoseError, httpx2.HTTPError, RuntimeError, ValueError, KeyError, TypeError


async def _identify(settings: Settings, provider: Provider, client: Any, token: dict[str, Any]) -> Identity:
    if provider == "google":
        # from the id token, whose signature, issuer, audience and nonce were checked
        claims = token["userinfo"]
        return _identity(provider, claims["iss"], claims["sub"], claims, verified=claims.get("email_verified") is True)
    answer = await client.get(f"{settings.spotify_api_url}/me", token=token)
    answer.raise_for_status()
    profile = answer.json()
    profile["name"] = profile.get("display_name") or profile["id"]
    # Spotify does not check addresses
    return _identity(provider, settings.spotify_accounts_url, profile["id"], profile, verified=False)


def _identity(provider: Provider, issuer: str, subject: str, claims: Any, *, verified: bool) -> Identity:
    try:
        email = validate_email(claims["email"], allow_smtputf8=False, check_deliverability=False).ascii_email
    except (KeyError, TypeError, AttributeError, EmailNotValidError):
        email = None
    return Identity(
        provider=provider,
        issuer=issuer,
        subject=str(subject),
        name=str(claims.get("name") or ""),
        email=email,
        email_verified=verified and email is not None,
    )


def _code(db: Writer, identity: Identity, challenge: str) -> str:
    code = secrets.token_urlsafe(24)
    db.add(
        OAuthCode(
            digest=digest(code),
            provider=identity.provider,
            issuer=identity.issuer,
            subject=identity.subject,
            name=identity.name,
            email=identity.email,
            email_verified=identity.email_verified,
            challenge=challenge,
            expires_at=datetime.now(UTC) + timedelta(seconds=CODE_SECONDS),
        )
    )
    return code


async def _take(db: Writer, code: str, verifier: str) -> Identity:
    """Whom the code stands for. Raises CodeGone, also for an app other than the one that began.

    Else somebody could slip a person the code of their own account, and so sign them in to it, or link it to theirs.
    """
    taken = delete(OAuthCode).where(OAuthCode.digest == digest(code), OAuthCode.expires_at > func.now())
    row: OAuthCode | None = await db.scalar(taken.returning(OAuthCode))
    if row is None or not hmac.compare_digest(row.challenge, _challenge(verifier)):
        raise CodeGone
    return Identity(
        provider=row.provider,
        issuer=row.issuer,
        subject=row.subject,
        name=row.name,
        email=row.email,
        email_verified=row.email_verified,
    )


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _serializer(settings: Settings) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(derived_key(settings, "oauth cookie"))


def _session(settings: Settings, request: Request) -> dict[str, Any]:
    """What the browser was given when it left; nothing if this is another browser."""
    try:
        found = _serializer(settings).loads(request.cookies.get(COOKIE, ""), max_age=COOKIE_SECONDS)
    except BadSignature:
        found = None
    return found if isinstance(found, dict) else {}


def _failed(settings: Settings, provider: Provider, error: BaseException) -> RedirectResponse:
    # not the message: it may quote what the provider sent
    log.warning("oauth_failed", provider=provider, reason=type(error).__name__)
    denied = getattr(error, "error", "") == "access_denied"
    return _to_app(settings, error="access_denied" if denied else "sign_in_failed")


def _to_app(settings: Settings, **answer: str) -> RedirectResponse:
    response = RedirectResponse(f"{settings.app_url}/oauth/callback#{urlencode(answer)}", status_code=302)
    response.delete_cookie(COOKIE, path=_PATH)
    return response
