"""/auth: app passwords, API tokens, and signing in with other providers."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request
from fastapi.responses import RedirectResponse

from app.auth import access_keys, linked, oauth
from app.auth.callers import From
from app.auth.errors import AccountExists, AlreadyLinked, CodeGone, LastWayIn, ProviderNotConfigured
from app.auth.schemas import (
    AccessKeyItem,
    AccessKeyRequest,
    ApiTokenRequest,
    LinkedAccountItem,
    NewAccessKey,
    OAuthExchange,
    OAuthProviders,
    Tokens,
)
from app.core.auth import Account
from app.core.errors import NotFound, problems
from app.core.http import Here, ReadDB, Router, WriteDB
from app.core.limits import limited_by_address
from app.core.paging import Page, Paged

__all__ = ["router"]

router = Router(prefix="/auth", tags=["auth"])
Challenge = Annotated[
    str,
    Query(pattern=r"^[A-Za-z0-9_-]{43}$", description="S256 of a `code_verifier` that `/exchange` then asks for"),
]


@router.post("/app-passwords", summary="Make an app password", status_code=201)
async def create_app_password(body: AccessKeyRequest, user: Account, here: Here) -> NewAccessKey:
    """A password for one player or device, that works as a bearer token within its scopes. Shown only now."""
    return await access_keys.create_key(here, user, kind="app_password", name=body.name, scopes=body.scopes)


@router.get("/app-passwords", summary="My app passwords")
async def list_app_passwords(user: Account, db: ReadDB, page: Paged) -> Page[AccessKeyItem]:
    """Newest first, each by its last characters."""
    return await access_keys.list_keys(db, user, page, kind="app_password")


@router.delete("/app-passwords/{key_id}", summary="Revoke one", status_code=204, responses=problems(NotFound))
async def revoke_app_password(key_id: UUID, user: Account, here: Here) -> None:
    """It is refused everywhere within a second."""
    await access_keys.revoke_key(here, user, key_id, kind="app_password")


@router.post("/api-tokens", summary="Make an API token", status_code=201)
async def create_api_token(body: ApiTokenRequest, user: Account, here: Here) -> NewAccessKey:
    """A bearer token for a program of yours, within its scopes. Shown only now."""
    return await access_keys.create_key(
        here, user, kind="api_token", name=body.name, scopes=body.scopes, days=body.expires_in_days
    )


@router.get("/api-tokens", summary="My API tokens")
async def list_api_tokens(user: Account, db: ReadDB, page: Paged) -> Page[AccessKeyItem]:
    """Newest first, each by its last characters."""
    return await access_keys.list_keys(db, user, page, kind="api_token")


@router.delete("/api-tokens/{key_id}", summary="Revoke one", status_code=204, responses=problems(NotFound))
async def revoke_api_token(key_id: UUID, user: Account, here: Here) -> None:
    """It is refused everywhere within a second."""
    await access_keys.revoke_key(here, user, key_id, kind="api_token")


@router.get("/oauth", summary="With whom can I sign in?")
async def list_oauth_providers(here: Here) -> OAuthProviders:
    """The providers that this server knows: one button for each. Empty where only passwords work."""
    return OAuthProviders(providers=list(oauth.configured(here.settings)))


@router.get(
    "/oauth/{provider}/login",
    summary="Sign in with Google or Spotify",
    status_code=302,
    response_class=RedirectResponse,
    responses=problems(ProviderNotConfigured),
)
async def begin_oauth(
    provider: oauth.Provider, request: Request, here: Here, code_challenge: Challenge
) -> RedirectResponse:
    """Open it in the browser. It comes back to the app's `/oauth/callback#code=…` (or `#error=…`).

    The app keeps the `code_verifier` where only it can read it, such as `sessionStorage`, and never in an address: it
    is what tells a sign-in that was begun here from a link that somebody else sent.
    """
    return await oauth.begin(here, request, provider, code_challenge)


@router.get(
    "/oauth/{provider}/callback",
    summary="Where the provider sends the browser back",
    status_code=302,
    response_class=RedirectResponse,
    responses=problems(ProviderNotConfigured),
)
async def finish_oauth(provider: oauth.Provider, request: Request, here: Here) -> RedirectResponse:
    """Sends the browser on to the app with a one-time code. Only the browser that began can finish."""
    return await oauth.come_back(here, request, provider)


@router.post(
    "/oauth/exchange",
    summary="Turn the code into tokens",
    responses=problems(CodeGone, AccountExists),
    dependencies=[limited_by_address("auth.oauth", 30, 600)],
)
async def exchange_oauth_code(body: OAuthExchange, here: Here, caller: From) -> Tokens:
    """The code works once, for a minute, with the `code_verifier` of the app that began. An account is made on first
    sight."""
    return await oauth.exchange(here, caller, code=body.code, verifier=body.code_verifier)


@router.get("/linked-accounts", summary="My accounts elsewhere")
async def list_linked_accounts(user: Account, db: ReadDB, page: Paged) -> Page[LinkedAccountItem]:
    """The accounts with which you can sign in here."""
    return await linked.list_linked(db, user, page)


@router.post(
    "/linked-accounts", summary="Link an account", status_code=201, responses=problems(CodeGone, AlreadyLinked)
)
async def link_account(body: OAuthExchange, user: Account, db: WriteDB) -> LinkedAccountItem:
    """Takes the code of a sign-in, and the `code_verifier` with which it was begun."""
    return await oauth.link_by_code(db, user, code=body.code, verifier=body.code_verifier)


@router.delete(
    "/linked-accounts/{linked_id}", summary="Unlink", status_code=204, responses=problems(NotFound, LastWayIn)
)
async def unlink_account(linked_id: UUID, user: Account, db: WriteDB) -> None:
    """Not the last way in: set a password first."""
    await linked.unlink(db, user, linked_id)
