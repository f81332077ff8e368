"""Accounts by name and password alone; a refresh token that stays until it is deleted."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI

from app.core.config import Settings
from app.core.ids import uuid7
from app.core.infra import Infra
from app.core.job_runner import drain
from tests.auth.factories import mails_to, token_in
from tests.compat.openmusic.conftest import Speaker, add_album, forget_limits
from tests.conftest import create_database, running
from tests.people import People

USER = {"username": "john", "password": "secret", "fullname": "John Doe"}


@pytest.mark.parametrize(
    "changes",
    [
        {"username": None},
        {"username": 1},
        {"username": "a b"},
        {"password": None},
        {"password": True},
        {"password": "five5"},
        {"password": "x" * 129},
        {"fullname": None},
        {"fullname": ["John"]},
        {"fullname": ""},
        {"more": 1},
    ],
)
async def test_bad_accounts_are_refused(anybody: Speaker, changes: dict[str, Any]) -> None:
    payload = {name: value for name, value in (USER | changes).items() if value is not None}
    await anybody.say("POST", "/users", 400, json=payload)


async def test_a_name_is_taken_once(anybody: Speaker) -> None:
    name = f"john_{uuid7().hex[-12:]}"
    data = await anybody.say("POST", "/users", 201, json=USER | {"username": name})
    assert isinstance(data["userId"], str)
    await anybody.say("POST", "/users", 400, json=USER | {"username": name})
    await anybody.say("POST", "/users", 400, json=USER | {"username": name.upper()})


async def test_nobody_becomes_an_admin_here(settings: Settings, worker_number: int) -> None:
    url = await create_database(settings.database_url, f"soundscore_openmusic_{worker_number}")
    async with running(settings.model_copy(update={"database_url": url, "openmusic_compat": True})) as app:
        async with Speaker(app) as anybody:
            await anybody.say("POST", "/users", 201, json=USER)
        rows = await app.state.infra.db.fetch("SELECT role FROM users", [])
        assert [row["role"] for row in rows] == ["user"]


@pytest.mark.parametrize("payload", [{}, {"username": "john"}, {"username": "john", "password": 1}, {"password": "x"}])
async def test_bad_logins_are_refused(anybody: Speaker, payload: dict[str, Any]) -> None:
    await anybody.say("POST", "/authentications", 400, json=payload)


async def test_who_does_not_know_the_password_stays_out(anybody: Speaker, john: Speaker) -> None:
    for name, password in ((john.username, "wrong!"), ("nobody_at_all", "secret"), ("x\0", "secret"), ("", "")):
        await anybody.say("POST", "/authentications", 401, json={"username": name, "password": password})


async def test_a_login_gives_both_tokens_and_nothing_else(anybody: Speaker, john: Speaker) -> None:
    data = await anybody.say("POST", "/authentications", 201, json={"username": john.username, "password": "secret"})
    assert data.keys() == {"accessToken", "refreshToken"}


async def test_a_refresh_token_survives_until_it_is_deleted(speaking: FastAPI, anybody: Speaker, john: Speaker) -> None:
    token = {"refreshToken": john.refresh_token}
    likes = f"/albums/{await add_album(anybody)}/likes"
    for _ in range(3):
        data = await anybody.say("PUT", "/authentications", 200, json=token)
        assert data.keys() == {"accessToken"}
    async with Speaker(speaking, data["accessToken"]) as again:
        await again.say("POST", likes, 201)
        await anybody.say("DELETE", "/authentications", 200, json=token)
        await anybody.say("PUT", "/authentications", 400, json=token)
        await anybody.say("DELETE", "/authentications", 400, json=token)
        await refused_within_seconds(again)
    await refused_within_seconds(john)


async def refused_within_seconds(speaker: Speaker) -> None:
    async with asyncio.timeout(5):
        while (await speaker.get("/api/v1/auth/me")).status_code != 401:
            await asyncio.sleep(0.1)
    await speaker.say("POST", "/albums/xxx/likes", 401)


@pytest.mark.parametrize("payload", [{}, {"refreshToken": 1}, {"refreshToken": None}, {"refresh_token": "x"}])
async def test_a_token_must_be_given(anybody: Speaker, payload: dict[str, Any]) -> None:
    await anybody.say("PUT", "/authentications", 400, json=payload)
    await anybody.say("DELETE", "/authentications", 400, json=payload)


async def test_other_tokens_work_not_here_and_this_one_nowhere_else(
    anybody: Speaker, john: Speaker, jane: Speaker
) -> None:
    login = {"username": john.username, "password": "secret"}
    rotating = (await anybody.post("/api/v1/auth/login/json", json=login)).json()["refresh_token"]
    access = john.headers["Authorization"].removeprefix("Bearer ")
    lasting = john.refresh_token
    forged = lasting[:-3] + ("AAA" if lasting[-3:] != "AAA" else "BBB")
    crossed = lasting[:24] + jane.refresh_token[24:]
    for bad in ("xxxx", "", "ü", access, rotating, forged, crossed, lasting.replace("ssl_", "ssr_") + "x"):
        await anybody.say("PUT", "/authentications", 400, json={"refreshToken": bad})
        await anybody.say("DELETE", "/authentications", 400, json={"refreshToken": bad})
    for bad in (lasting, lasting.replace("ssl_", "ssr_")):
        refused = await anybody.post("/api/v1/auth/refresh", json={"refresh_token": bad})
        assert refused.status_code == 401
    await anybody.say("PUT", "/authentications", 200, json={"refreshToken": lasting})
    assert (await anybody.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {lasting}"})).status_code == 401
    kept = await anybody.post("/api/v1/auth/refresh", json={"refresh_token": rotating})
    assert kept.status_code == 200


async def test_a_session_that_has_expired_or_was_ended_is_not_refreshed(
    anybody: Speaker, john: Speaker, jane: Speaker, infra: Infra
) -> None:
    async with infra.db.write() as db:
        await db.records(
            "UPDATE sessions SET expires_at = now() - interval '1 second' WHERE user_id = $1", [john.user_id]
        )
    await anybody.say("PUT", "/authentications", 400, json={"refreshToken": john.refresh_token})
    ended = await jane.post("/api/v1/auth/logout-all")
    assert ended.status_code == 204
    await anybody.say("PUT", "/authentications", 400, json={"refreshToken": jane.refresh_token})


async def test_a_refresh_keeps_the_session_alive(anybody: Speaker, john: Speaker, infra: Infra) -> None:
    async with infra.db.write() as db:
        await db.records(
            "UPDATE sessions SET expires_at = now() + interval '1 hour' WHERE user_id = $1", [john.user_id]
        )
    await anybody.say("PUT", "/authentications", 200, json={"refreshToken": john.refresh_token})
    sql = "SELECT expires_at > now() + interval '29 days' AS far FROM sessions WHERE user_id = $1"
    assert [row["far"] for row in await infra.db.fetch(sql, [john.user_id])] == [True]


async def test_whoever_left_is_not_refreshed(anybody: Speaker, john: Speaker) -> None:
    left = await john.request("DELETE", "/api/v1/users/me", json={"password": "secret", "content": "delete"})
    assert left.status_code in {200, 202, 204}, left.text
    await anybody.say("PUT", "/authentications", 400, json={"refreshToken": john.refresh_token})


async def test_an_account_without_an_address_can_do_everything_and_get_one(
    anybody: Speaker, john: Speaker, infra: Infra
) -> None:
    me = (await john.get("/api/v1/auth/me")).json()
    assert (me["email"], me["email_verified"], me["has_password"]) == (None, False, True)
    change = {"current_password": "secret", "new_password": "late night vinyl 33"}
    changed = await john.post("/api/v1/auth/change-password", json=change)
    assert changed.status_code < 300, changed.text
    await anybody.say("PUT", "/authentications", 200, json={"refreshToken": john.refresh_token})
    address = f"{john.username}@example.com"
    asked = await john.post("/api/v1/auth/change-email", json={"email": address, "password": "late night vinyl 33"})
    assert asked.status_code < 300, asked.text
    await drain(infra)
    token = token_in(mails_to(infra, address)[-1], john.username)
    verified = await anybody.post("/api/v1/auth/verify-email", json={"token": token})
    assert verified.status_code < 300, verified.text
    me = (await john.get("/api/v1/auth/me")).json()
    assert (me["email"], me["email_verified"]) == (address, True)
    await anybody.say("POST", "/authentications", 201, json={"username": address, "password": "late night vinyl 33"})


async def test_a_collection_of_tests_may_sign_in_often(settings: Settings, people: People) -> None:
    limited = settings.model_copy(update={"openmusic_compat": True, "rate_limits": True})
    async with running(limited) as app, Speaker(app) as anybody:
        name = f"often_{uuid7().hex[-12:]}"
        await anybody.say("POST", "/users", 201, json=USER | {"username": name})
        for _ in range(40):
            await anybody.say("POST", "/authentications", 201, json={"username": name, "password": "secret"})
        await forget_limits(app.state.infra)
