"""Guessing a password is slow, and locks nobody out."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from app.auth.mails import TO_ONE_ADDRESS
from app.auth.passwords import FROM_EVERYWHERE, FROM_ONE_ADDRESS
from app.core.config import Settings
from app.core.job_runner import drain
from tests.auth.factories import PASSWORD, login, mails_to, register, seen_from, sign_up, unique
from tests.conftest import running
from tests.people import People


@pytest.fixture(scope="module")
async def limited_app(settings: Settings) -> AsyncIterator[FastAPI]:
    """The application with its limits on."""
    many = {"rate_limits": True, "rate_limit_address_per_minute": 100_000, "rate_limit_user_per_minute": 100_000}
    async with running(settings.model_copy(update=many)) as app:
        yield app


async def guess(client: httpx.AsyncClient, name: str, times: int) -> list[int]:
    return [(await login(client, name, "wrong password")).status_code for _ in range(times)]


async def test_guesses_from_one_address_are_slowed(limited_app: FastAPI) -> None:
    async with seen_from(limited_app, "192.0.2.1") as home, seen_from(limited_app, "192.0.2.2") as attacker:
        account = await sign_up(home)
        statuses = await guess(attacker, account.username, FROM_ONE_ADDRESS.count + 3)
        assert statuses == [401] * FROM_ONE_ADDRESS.count + [429] * 3
        refused = await login(attacker, account.username)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
        assert 0 < int(refused.headers["retry-after"]) <= FROM_ONE_ADDRESS.seconds / FROM_ONE_ADDRESS.count
        assert (await login(home, account.username)).status_code == 200


async def test_guesses_from_everywhere_are_slowed_but_the_owner_gets_in(limited_app: FastAPI) -> None:
    async with seen_from(limited_app, "192.0.2.11") as home:
        account = await sign_up(home)
        statuses = []
        for host in range(FROM_EVERYWHERE.count // 5 + 2):
            async with seen_from(limited_app, f"198.51.100.{host}") as bot:
                statuses += await guess(bot, account.username.upper(), 5)
        assert statuses.count(401) <= FROM_EVERYWHERE.count + 2
        assert statuses[-5:] == [429] * 5
        assert (await login(home, account.username)).status_code == 200
        # a new device of the owner has to wait as everybody else does
        async with seen_from(limited_app, "203.0.113.9") as elsewhere:
            assert (await login(elsewhere, account.username)).status_code == 429


async def test_the_limit_tells_nothing_about_who_exists(limited_app: FastAPI) -> None:
    async with seen_from(limited_app, "192.0.2.31") as home, seen_from(limited_app, "192.0.2.32") as attacker:
        account = await sign_up(home)
        times = FROM_ONE_ADDRESS.count + 2
        known = await guess(attacker, account.username, times)
        assert await guess(attacker, unique("nobody"), times) == known
        assert await guess(attacker, f"{unique()}@example.com", times) == known


async def test_a_stolen_session_cannot_guess_the_password(limited_app: FastAPI) -> None:
    async with seen_from(limited_app, "192.0.2.41") as client:
        account = await sign_up(client)
        body = {"current_password": "wrong password", "new_password": "a fresh password 7"}
        answers = [await client.post("/auth/change-password", json=body, headers=account.bearer) for _ in range(12)]
        assert [answer.status_code for answer in answers] == [403] * 10 + [429] * 2
        mail = {"email": "new@example.com", "password": PASSWORD}
        assert (await client.post("/auth/change-email", json=mail, headers=account.bearer)).status_code == 429


async def test_without_redis_everybody_gets_in(settings: Settings, tmp_path: object) -> None:
    broken = settings.model_copy(update={"rate_limits": True, "redis_url": f"unix://{tmp_path}/nobody.sock"})
    async with running(broken) as app, seen_from(app, "192.0.2.51") as client:
        account = await sign_up(client)
        assert await guess(client, account.username, 12) == [401] * 12
        assert (await login(client, account.username)).status_code == 200


async def test_a_mailbox_cannot_be_flooded(limited_app: FastAPI) -> None:
    infra = limited_app.state.infra
    address = f"{unique()}@example.com"
    count = "SELECT count(*) FROM pgqueuer WHERE convert_from(payload, 'UTF8') LIKE '%' || $1 || '%'"
    async with seen_from(limited_app, "192.0.2.61") as client:
        answers = [await client.post("/auth/forgot-password", json={"email": address}) for _ in range(8)]
    assert {answer.status_code for answer in answers} == {202}
    assert (await infra.db.fetch(count, [address]))[0][0] == 5


async def test_no_way_to_a_mail_floods_a_mailbox(limited_app: FastAPI) -> None:
    infra, most = limited_app.state.infra, TO_ONE_ADDRESS.count
    for way in ("register", "change-email"):
        address = f"{unique()}@example.com"
        async with seen_from(limited_app, f"192.0.2.{len(way)}") as client:
            account = await sign_up(client)
            for _ in range(most + 3):
                if way == "register":
                    assert (await register(client, email=address)).status_code == 201
                else:
                    body = {"email": address, "password": PASSWORD}
                    answer = await client.post("/auth/change-email", json=body, headers=account.bearer)
                    assert answer.status_code == 202
            await drain(infra)
            assert len(mails_to(infra, address)) == most, way
            # whoever was flooded still gets what they ask for themselves
            await client.post("/auth/resend-verification", json={"email": account.email})
            await client.post("/auth/forgot-password", json={"email": address})
            await drain(infra)
            assert len(mails_to(infra, address)) == most + (way == "register"), way


@pytest.mark.parametrize(
    ("path", "count"), [("register", 30), ("forgot-password", 20), ("verify-email", 20), ("oauth/exchange", 30)]
)
async def test_a_token_brings_no_allowance_of_its_own(limited_app: FastAPI, path: str, count: int) -> None:
    async with seen_from(limited_app, f"203.0.113.{len(path)}") as client, People(limited_app) as people:
        token = (await people.make("other")).token
        bad = [(await client.post(f"/auth/{path}", json={})).status_code for _ in range(count + 1)]
        assert bad == [422] * count + [429]
        answer = await client.post(f"/auth/{path}", json={}, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 429
