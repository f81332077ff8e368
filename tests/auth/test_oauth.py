"""Signing in with Google and Spotify, against a small provider of our own."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI

from app.core.config import Settings
from app.core.infra import Infra
from app.core.job_runner import drain
from tests.auth.factories import (
    login,
    mails_to,
    register,
    sign_up,
    sign_up_verified,
    token_in,
    unique,
)
from tests.auth.fakes import Key, Provider
from tests.conftest import create_database, http_client, running
from tests.loopback import on_loopback

Served = tuple[Provider, FastAPI]
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


@asynccontextmanager
async def knowing(settings: Settings) -> AsyncIterator[Served]:
    """The application, and the provider that it sends people to."""
    provider = Provider()
    async with on_loopback(provider.app()) as address:
        provider.address = address
        knows = {
            "google_client_id": "our-id",
            "google_discovery_url": f"{address}/.well-known/openid-configuration",
            "spotify_client_id": "our-id",
            "spotify_accounts_url": address,
            "spotify_api_url": f"{address}/v1",
            "frontend_url": "https://app.example",
        }
        async with running(settings.model_copy(update=knows)) as app:
            yield provider, app


@pytest.fixture(scope="module")
async def served(settings: Settings) -> AsyncIterator[Served]:
    async with knowing(settings) as served:
        yield served


@pytest.fixture
async def browser(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that has never been here."""
    async with http_client(served[1]) as client:
        yield client


async def test_a_client_learns_which_buttons_to_show(served: Served, client: httpx.AsyncClient) -> None:
    async with http_client(served[1]) as browser:
        assert (await browser.get("/auth/oauth")).json() == {"providers": ["google", "spotify"]}
    assert (await client.get("/auth/oauth")).json() == {"providers": []}


def person(**claims: Any) -> dict[str, Any]:
    name = unique("gabi")
    return {"sub": name, "name": "Gabi", "email": f"{name}@example.com", "email_verified": True} | claims


async def leave(browser: httpx.AsyncClient, name: str = "google", challenge: str = CHALLENGE) -> str:
    """Begins, and answers where the browser is sent."""
    answer = await browser.get(f"/auth/oauth/{name}/login", params={"code_challenge": challenge})
    assert answer.status_code == 302
    return answer.headers["location"]


async def come_back(browser: httpx.AsyncClient, back: str) -> dict[str, str]:
    """Follows the provider's redirect; what the app is told."""
    answer = await browser.get(back)
    assert answer.status_code == 302
    parts = urlsplit(answer.headers["location"])
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://app.example/oauth/callback"
    return {name: values[0] for name, values in parse_qs(parts.fragment).items()}


async def exchange(browser: httpx.AsyncClient, code: str, verifier: str = VERIFIER) -> httpx.Response:
    return await browser.post("/auth/oauth/exchange", json={"code": code, "code_verifier": verifier})


async def sign_in(provider: Provider, browser: httpx.AsyncClient, claims: dict[str, Any]) -> httpx.Response:
    back = provider.authorize(await leave(browser), **claims)
    return await exchange(browser, (await come_back(browser, back))["code"])


async def me(browser: httpx.AsyncClient, answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    found: dict[str, Any] = (await browser.get("/auth/me", headers=bearer)).json()
    return found


async def test_google_brings_a_new_account_and_finds_it_again(served: Served, browser: httpx.AsyncClient) -> None:
    provider, _ = served
    claims = person()
    first = await me(browser, await sign_in(provider, browser, claims))
    assert (first["display_name"], first["email"], first["email_verified"]) == ("Gabi", claims["email"], True)
    assert first["has_password"] is False
    # the subject counts, whatever else changed
    changed = claims | {"email": "another@example.com", "name": "Other"}
    again = await me(browser, await sign_in(provider, browser, changed))
    assert again["id"] == first["id"]
    stranger = await me(browser, await sign_in(provider, browser, person(name="Gabi")))
    assert stranger["id"] != first["id"]


async def test_the_first_account_is_an_admin_by_this_door_too(settings: Settings, worker_number: int) -> None:
    url = await create_database(settings.database_url, f"soundscore_first_{worker_number}")
    async with (
        knowing(settings.model_copy(update={"database_url": url})) as (provider, app),
        http_client(app) as browser,
    ):
        assert (await me(browser, await sign_in(provider, browser, person())))["role"] == "admin"
        assert (await me(browser, await sign_in(provider, browser, person())))["role"] == "user"
        assert (await register(browser)).json()["role"] == "user"


async def test_the_way_there_is_protected(served: Served, browser: httpx.AsyncClient) -> None:
    provider, _ = served
    location = await leave(browser)
    query = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
    assert location.startswith(f"{provider.address}/authorize?")
    assert query["code_challenge_method"] == "S256"
    assert query["response_type"] == "code"
    assert query["redirect_uri"] == "http://soundscore.test/api/v1/auth/oauth/google/callback"
    assert len(query["state"]) >= 20
    assert len(query["nonce"]) >= 16
    answer = await browser.get("/auth/oauth/google/login", params={"code_challenge": CHALLENGE})
    cookie = answer.headers["set-cookie"]
    for wanted in ("HttpOnly", "SameSite=lax", "Path=/api/v1/auth/oauth", "Max-Age=600"):
        assert wanted in cookie
    await come_back(browser, provider.authorize(answer.headers["location"], **person()))
    assert len(provider.exchanges[-1]["code_verifier"]) >= 43


async def test_only_the_browser_that_left_can_come_back(served: Served, browser: httpx.AsyncClient) -> None:
    provider, app = served
    back = provider.authorize(await leave(browser), **person())
    async with http_client(app) as other:
        assert await come_back(other, back) == {"error": "sign_in_failed"}
        await leave(other)
        assert await come_back(other, back) == {"error": "sign_in_failed"}
    assert await come_back(browser, back.replace("state=", "state=x")) == {"error": "sign_in_failed"}
    again = provider.authorize(await leave(browser), **person())
    cookie = browser.cookies["soundscore_oauth"]
    browser.cookies.clear()
    browser.cookies.set("soundscore_oauth", cookie[:-2] + "xx", domain="soundscore.test")
    assert await come_back(browser, again) == {"error": "sign_in_failed"}


async def test_the_code_works_once_and_not_for_long(served: Served, browser: httpx.AsyncClient) -> None:
    provider, app = served
    code = (await come_back(browser, provider.authorize(await leave(browser), **person())))["code"]
    answers = await asyncio.gather(*(exchange(browser, code) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200] + [410] * 4
    late = (await come_back(browser, provider.authorize(await leave(browser), **person())))["code"]
    infra: Infra = app.state.infra
    await infra.db.fetch("UPDATE oauth_codes SET expires_at = now()", [])
    answer = await exchange(browser, late)
    assert (answer.status_code, answer.json()["code"]) == (410, "code_gone")
    assert (await exchange(browser, "nonsense")).status_code == 410


async def test_the_code_is_of_use_only_to_the_app_that_began(served: Served, browser: httpx.AsyncClient) -> None:
    provider, _ = served
    code = (await come_back(browser, provider.authorize(await leave(browser), **person())))["code"]
    assert (await exchange(browser, code, "w" * 43)).status_code == 410
    assert (await exchange(browser, code)).status_code == 200


async def test_a_link_with_a_code_signs_nobody_in(served: Served, browser: httpx.AsyncClient) -> None:
    """Else the person would use the account of whoever sent the link as if it were their own."""
    provider, app = served
    for query in ({}, {"code_challenge": ""}, {"code_challenge": "short"}):
        answer = await browser.get("/auth/oauth/google/login", params=query)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/query/code_challenge")
    code = (await come_back(browser, provider.authorize(await leave(browser), **person())))["code"]
    async with http_client(app) as victim:
        without = await victim.post("/auth/oauth/exchange", json={"code": code})
        assert (without.status_code, without.json()["errors"][0]["pointer"]) == (422, "/body/code_verifier")
        for bad in ("", "v" * 42, "v" * 129, VERIFIER + "\n"):
            assert (await exchange(victim, code, bad)).status_code == 422
        assert (await exchange(victim, code, "w" * 43)).status_code == 410


async def test_a_verified_address_of_another_account_is_not_taken_over(
    served: Served, browser: httpx.AsyncClient
) -> None:
    provider, app = served
    owner = await sign_up_verified(browser, app.state.infra)
    answer = await sign_in(provider, browser, person(email=owner.email))
    assert (answer.status_code, answer.json()["code"]) == (409, "account_exists")


async def test_an_unverified_address_proves_nothing(served: Served, browser: httpx.AsyncClient) -> None:
    provider, app = served
    owner = await sign_up_verified(browser, app.state.infra)
    found = await me(browser, await sign_in(provider, browser, person(email=owner.email, email_verified=False)))
    assert found["username"] != owner.username
    assert found["email_verified"] is False
    assert (await login(browser, owner.email)).status_code == 200
    await drain(app.state.infra)
    assert mails_to(app.state.infra, owner.email)[-1]["Subject"] == "This address already has an account"


async def test_spotify_s_addresses_are_never_believed(served: Served, browser: httpx.AsyncClient) -> None:
    provider, app = served
    owner = await sign_up_verified(browser, app.state.infra)
    provider.profile = {"id": unique("spot"), "display_name": None, "email": owner.email}
    code = (await come_back(browser, provider.authorize(await leave(browser, "spotify"))))["code"]
    found = await me(browser, await exchange(browser, code))
    assert found["username"] == provider.profile["id"]
    assert found["email_verified"] is False
    code = (await come_back(browser, provider.authorize(await leave(browser, "spotify"))))["code"]
    assert (await me(browser, await exchange(browser, code)))["id"] == found["id"]


@pytest.mark.parametrize(
    "fault",
    [{"aud": "somebody else"}, {"iss": "https://elsewhere.example"}, {"nonce": "another"}, {"exp": 1}, {"sub": None}],
)
async def test_a_faulty_id_token_is_refused(served: Served, browser: httpx.AsyncClient, fault: dict[str, Any]) -> None:
    provider, _ = served
    back = provider.authorize(await leave(browser), **person() | fault)
    assert await come_back(browser, back) == {"error": "sign_in_failed"}


async def test_an_id_token_of_another_key_is_refused(served: Served, browser: httpx.AsyncClient) -> None:
    provider, _ = served
    back = provider.authorize(await leave(browser), **person())
    good, provider.keys[0] = provider.keys[0], Key("first")
    # what is published stays the good key
    provider.keys[0].public = good.public  # type: ignore[method-assign]
    assert await come_back(browser, back) == {"error": "sign_in_failed"}
    provider.keys[0] = good


async def test_who_says_no_is_sent_back(served: Served, browser: httpx.AsyncClient) -> None:
    await leave(browser)
    back = "/auth/oauth/google/callback?error=access_denied&state=x"
    assert await come_back(browser, back) == {"error": "access_denied"}


async def test_a_provider_that_does_not_answer(settings: Settings) -> None:
    gone = {
        "google_client_id": "our-id",
        "google_discovery_url": "http://127.0.0.1:9/.well-known/openid-configuration",
        "frontend_url": "https://app.example",
    }
    async with running(settings.model_copy(update=gone)) as app, http_client(app) as browser:
        assert await come_back(browser, f"/auth/oauth/google/login?code_challenge={CHALLENGE}") == {
            "error": "sign_in_failed"
        }


@pytest.mark.parametrize("path", ["google/login", "google/callback", "spotify/login"])
async def test_a_provider_without_client_id(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(f"/auth/oauth/{path}", params={"code_challenge": CHALLENGE})
    assert (answer.status_code, answer.json()["code"]) == (503, "provider_not_configured")
    assert "CLIENT_ID" in answer.json()["detail"]
    assert (await client.get("/auth/oauth/myspace/login")).status_code == 422


async def test_accounts_are_linked_and_unlinked(served: Served, browser: httpx.AsyncClient) -> None:
    provider, _ = served
    account, stranger, claims = await sign_up(browser), await sign_up(browser), person()

    async def link(bearer: dict[str, str], challenge: str = CHALLENGE) -> httpx.Response:
        back = provider.authorize(await leave(browser, challenge=challenge), **claims)
        body = {"code": (await come_back(browser, back))["code"], "code_verifier": VERIFIER}
        return await browser.post("/auth/linked-accounts", json=body, headers=bearer)

    # a code that somebody else slipped in has another challenge than ours
    assert (await link(account.bearer, "w" * 43)).status_code == 410
    linked = await link(account.bearer)
    assert linked.status_code == 201
    assert (linked.json()["provider"], linked.json()["email"]) == ("google", claims["email"])
    assert (await link(account.bearer)).json()["id"] == linked.json()["id"]
    taken = await link(stranger.bearer)
    assert (taken.status_code, taken.json()["code"]) == (409, "already_linked")
    assert (await me(browser, await sign_in(provider, browser, claims)))["username"] == account.username

    listed = (await browser.get("/auth/linked-accounts", headers=account.bearer)).json()["items"]
    assert [item["id"] for item in listed] == [linked.json()["id"]]
    path = f"/auth/linked-accounts/{linked.json()['id']}"
    assert (await browser.delete(path, headers=stranger.bearer)).status_code == 404
    assert (await browser.delete(path, headers=account.bearer)).status_code == 204
    assert (await browser.get("/auth/linked-accounts", headers=account.bearer)).json()["items"] == []


async def test_the_last_way_in_stays(served: Served, browser: httpx.AsyncClient) -> None:
    provider, app = served
    claims = person()
    answer = await sign_in(provider, browser, claims)
    bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    (item,) = (await browser.get("/auth/linked-accounts", headers=bearer)).json()["items"]
    path = f"/auth/linked-accounts/{item['id']}"
    refused = await browser.delete(path, headers=bearer)
    assert (refused.status_code, refused.json()["code"]) == (409, "last_way_in")
    body = {"email": "new@example.com", "password": "whatever it is"}
    assert (await browser.post("/auth/change-email", json=body, headers=bearer)).json()["code"] == "no_password"

    await browser.post("/auth/forgot-password", json={"email": claims["email"]})
    await drain(app.state.infra)
    username = (await browser.get("/auth/me", headers=bearer)).json()["username"]
    token = token_in(mails_to(app.state.infra, claims["email"])[-1], username)
    await browser.post("/auth/reset-password", json={"token": token, "password": "a fresh password 7"})
    again = await login(browser, username, "a fresh password 7")
    bearer = {"Authorization": f"Bearer {again.json()['access_token']}"}
    assert (await browser.delete(path, headers=bearer)).status_code == 204
