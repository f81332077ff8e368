"""Signing in and out, and the list of sessions."""

import asyncio
import json

import httpx
import pytest
from fastapi import FastAPI

from app.core.infra import Infra
from app.core.job_runner import drain
from tests.auth.factories import (
    PASSWORD,
    is_refused,
    login,
    seen_from,
    sign_in,
    sign_up,
    sign_up_verified,
    unique,
    within,
)
from tests.people import People, queries


async def test_swagger_can_sign_in_by_the_form(client: httpx.AsyncClient, app: FastAPI) -> None:
    account = await sign_up(client)
    form = {"grant_type": "password", "username": account.username, "password": PASSWORD, "scope": ""}
    answer = await client.post("/auth/login", data=form)
    assert answer.status_code == 200
    assert answer.json() | {"access_token": "", "refresh_token": ""} == {
        "access_token": "",
        "refresh_token": "",
        "token_type": "bearer",
        "expires_in": 900,
    }
    flows = app.openapi()["components"]["securitySchemes"]["Bearer"]["flows"]
    assert flows["password"]["tokenUrl"] == "/api/v1/auth/login"


async def test_signing_in_by_json(client: httpx.AsyncClient) -> None:
    account = await sign_up(client)
    answer = await client.post("/auth/login/json", json={"username": account.username, "password": PASSWORD})
    assert answer.status_code == 200
    bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert (await client.get("/auth/me", headers=bearer)).json()["username"] == account.username


async def test_an_address_signs_in_once_it_is_confirmed(client: httpx.AsyncClient, infra: Infra) -> None:
    stranger = await sign_up(client)
    assert (await login(client, stranger.email)).status_code == 401
    known = await sign_up_verified(client, infra)
    assert (await login(client, known.email.upper())).status_code == 200


@pytest.mark.parametrize("name", ["known", "nobody", "nobody@example.com", "", "\x00", "a" * 5000])
@pytest.mark.parametrize("password", ["wrong password", "", "x" * 10_000])
async def test_wrong_passwords_and_unknown_names_look_alike(
    client: httpx.AsyncClient, infra: Infra, name: str, password: str
) -> None:
    account = await sign_up(client)
    before = infra.passwords.hashes
    answer = await login(client, account.username if name == "known" else name, password)
    if not name or not password:
        assert answer.status_code == 422
        return
    assert infra.passwords.hashes == before + 1
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    body = answer.json()
    del body["request_id"]
    assert body["code"] == "bad_credentials"
    assert body["detail"] == "The name, the mail address (if it was verified) or the password is wrong."


async def test_who_left_cannot_sign_in(client: httpx.AsyncClient, infra: Infra) -> None:
    account = await sign_up(client)
    await infra.db.fetch("UPDATE users SET deleted_at = now() WHERE username = $1", [account.username])
    assert (await login(client, account.username)).status_code == 401
    body = {"refresh_token": account.tokens["refresh_token"]}
    assert (await client.post("/auth/refresh", json=body)).status_code == 401


async def test_tokens_survive_another_username(client: httpx.AsyncClient, infra: Infra) -> None:
    account, name = await sign_up(client), unique("renamed")
    await infra.db.fetch(
        "UPDATE users SET username = $1, username_key = $1 WHERE username = $2", [name, account.username]
    )
    assert (await client.get("/auth/me", headers=account.bearer)).json()["username"] == name
    body = {"refresh_token": account.tokens["refresh_token"]}
    assert (await client.post("/auth/refresh", json=body)).status_code == 200


async def test_an_old_hash_is_renewed(client: httpx.AsyncClient, infra: Infra) -> None:
    account = await sign_up(client)
    from passlib.hash import bcrypt_sha256  # noqa: PLC0415 -- slow to import, and needed only here

    old = bcrypt_sha256.using(rounds=4).hash(PASSWORD)
    where = "user_id = (SELECT id FROM users WHERE username = $1)"
    await infra.db.fetch(f"UPDATE credentials SET password_hash = $2 WHERE {where}", [account.username, old])
    assert (await login(client, account.username)).status_code == 200
    (row,) = await infra.db.fetch(f"SELECT password_hash FROM credentials WHERE {where}", [account.username])
    assert row[0].startswith("$argon2id$")
    assert (await login(client, account.username)).status_code == 200


async def test_signing_out_ends_this_session_within_a_second(client: httpx.AsyncClient) -> None:
    account = await sign_up(client)
    other = await sign_in(client, account.username)
    assert (await client.post("/auth/logout", headers=account.bearer)).status_code == 204
    assert await within(1.0, lambda: is_refused(client, account.bearer))
    body = {"refresh_token": account.tokens["refresh_token"]}
    assert (await client.post("/auth/refresh", json=body)).status_code == 401
    assert not await is_refused(client, other.bearer)


@pytest.mark.parametrize("keep_current", [False, True])
async def test_signing_out_everywhere(client: httpx.AsyncClient, keep_current: bool) -> None:
    account = await sign_up(client)
    others = [await sign_in(client, account.username) for _ in range(3)]
    path = f"/auth/logout-all?keep_current={str(keep_current).lower()}"
    assert (await client.post(path, headers=account.bearer)).status_code == 204
    for other in others:
        assert await within(1.0, lambda other=other: is_refused(client, other.bearer))
    if keep_current:
        assert not await is_refused(client, account.bearer)
    else:
        assert await within(1.0, lambda: is_refused(client, account.bearer))


async def test_sessions_are_listed_and_ended_one_by_one(app: FastAPI, client: httpx.AsyncClient, infra: Infra) -> None:
    account = await sign_up(client)
    async with seen_from(app, "2001:db8:1:2:3::4") as phone:
        answer = await login(phone, account.username, headers={"User-Agent": "Phone 1.0"})
    async with queries(infra) as ran:
        page = (await client.get("/auth/sessions", headers=account.bearer)).json()
    assert ran == [1]
    newest, oldest = page["items"]
    assert (newest["user_agent"], newest["address"]) == ("Phone 1.0", "2001:db8:1:2::/64")
    assert (newest["current"], oldest["current"]) == (False, True)

    assert (await client.delete(f"/auth/sessions/{newest['id']}", headers=account.bearer)).status_code == 204
    gone = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert await within(1.0, lambda: is_refused(client, gone))
    assert (await client.delete(f"/auth/sessions/{newest['id']}", headers=account.bearer)).status_code == 404
    assert len((await client.get("/auth/sessions", headers=account.bearer)).json()["items"]) == 1
    stranger = await sign_up(client)
    assert (await client.delete(f"/auth/sessions/{oldest['id']}", headers=stranger.bearer)).status_code == 404
    assert not await is_refused(client, account.bearer)


async def test_me_costs_one_statement(people: People, client: httpx.AsyncClient, infra: Infra) -> None:
    account = await sign_up(client)
    async with queries(infra) as ran:
        me = await client.get("/auth/me", headers=account.bearer)
    assert ran == [1]
    assert me.json()["email"] == account.email
    elsewhere = await people.make("elsewhere")
    assert (await elsewhere.get("/auth/me")).json()["email"] is None
    assert (await client.get("/auth/me")).status_code == 401


async def test_a_login_that_overlaps_a_change_of_password_does_not_survive_it(
    client: httpx.AsyncClient, infra: Infra
) -> None:
    account = await sign_up(client)
    body = {"current_password": PASSWORD, "new_password": "a fresh password 7"}
    logins = [login(client, account.username) for _ in range(10)]
    changed, *answers = await asyncio.gather(
        client.post("/auth/change-password", json=body, headers=account.bearer), *logins
    )
    assert changed.status_code == 200
    for answer in answers:
        if answer.status_code == 200:
            token = {"refresh_token": answer.json()["refresh_token"]}
            assert (await client.post("/auth/refresh", json=token)).status_code == 401


async def test_an_account_that_was_deleted_leaves_no_way_in(client: httpx.AsyncClient, infra: Infra) -> None:
    account = await sign_up(client)
    key = await client.post("/auth/api-tokens", json={"name": "x", "scopes": ["read"]}, headers=account.bearer)
    bearer = {"Authorization": f"Bearer {key.json()['secret']}"}
    assert not await is_refused(client, bearer)
    bye = json.dumps({"password": PASSWORD, "content": "delete"})
    headers = account.bearer | {"Content-Type": "application/json"}
    assert (await client.request("DELETE", "/users/me", content=bye, headers=headers)).status_code == 204
    await drain(infra)
    for gone in (account.bearer, bearer):
        assert await within(1.0, lambda gone=gone: is_refused(client, gone))
    assert (await login(client, account.username)).status_code == 401
