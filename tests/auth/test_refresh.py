"""Refresh tokens: one successor each, a lost answer forgiven, a stolen one noticed."""

import asyncio
import base64

import httpx
import pytest

from app.auth.models import Session
from app.auth.sessions import _read, end_sessions
from app.core.infra import Infra
from tests.auth.factories import is_refused, sign_in, sign_up, within


async def refresh(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post("/auth/refresh", json={"refresh_token": token})


async def age(infra: Infra, token: str, seconds: int) -> None:
    """Has the last rotation lie longer ago."""
    sql = "UPDATE sessions SET rotated_at = rotated_at - make_interval(secs => $2) WHERE id = $1"
    await infra.db.fetch(sql, [_read(token)[0], seconds])


async def test_each_token_gets_one_successor(client: httpx.AsyncClient, infra: Infra) -> None:
    account = await sign_up(client)
    token = account.tokens["refresh_token"]
    for _ in range(3):
        answer = await refresh(client, token)
        assert answer.status_code == 200
        assert answer.json()["refresh_token"] != token
        bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        assert not await is_refused(client, bearer)
        token = answer.json()["refresh_token"]


async def test_of_fifty_at_once_there_is_one_successor(client: httpx.AsyncClient) -> None:
    account = await sign_up(client)
    answers = await asyncio.gather(*(refresh(client, account.tokens["refresh_token"]) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    (successor,) = {answer.json()["refresh_token"] for answer in answers}
    assert (await refresh(client, successor)).status_code == 200


async def test_a_lost_answer_is_given_again_for_ten_seconds(client: httpx.AsyncClient, infra: Infra) -> None:
    account = await sign_up(client)
    token = account.tokens["refresh_token"]
    first = (await refresh(client, token)).json()["refresh_token"]
    await age(infra, token, 8)
    assert (await refresh(client, token)).json()["refresh_token"] == first
    await age(infra, token, 4)
    assert (await refresh(client, token)).status_code == 401
    assert (await refresh(client, first)).status_code == 401


async def test_a_token_that_was_used_before_ends_the_session_within_a_second(client: httpx.AsyncClient) -> None:
    account = await sign_up(client)
    bystander = await sign_in(client, account.username)
    stolen = account.tokens["refresh_token"]
    second = (await refresh(client, stolen)).json()
    third = (await refresh(client, second["refresh_token"])).json()
    reused = await refresh(client, stolen)
    assert (reused.status_code, reused.json()["code"]) == (401, "bad_refresh_token")
    bearer = {"Authorization": f"Bearer {third['access_token']}"}
    assert await within(1.0, lambda: is_refused(client, bearer))
    assert (await refresh(client, third["refresh_token"])).status_code == 401
    assert not await is_refused(client, bystander.bearer)


async def test_a_session_that_ends_meanwhile_gives_no_successor(client: httpx.AsyncClient, infra: Infra) -> None:
    account = await sign_up(client)
    token = account.tokens["refresh_token"]
    async with infra.db.write() as db:
        await end_sessions(infra.settings, db, Session.id == _read(token)[0])
        refreshing = asyncio.create_task(refresh(client, token))
        await asyncio.sleep(0.2)
    assert (await refreshing).status_code == 401


async def test_a_forged_token_harms_nobody(client: httpx.AsyncClient) -> None:
    account = await sign_up(client)
    token = account.tokens["refresh_token"]
    raw = bytearray(base64.urlsafe_b64decode(token.removeprefix("ssr_") + "=="))
    forged = []
    for position in (0, 19, 30, len(raw) - 1):
        changed = bytearray(raw)
        changed[position] ^= 1
        forged.append("ssr_" + base64.urlsafe_b64encode(changed).decode().rstrip("="))
    garbage = ["", "ssr_", "ssr_####", token[:-5], token + "AAAA", "é" * 40, account.tokens["access_token"]]
    for bad in forged + garbage:
        answer = await refresh(client, bad)
        assert (answer.status_code, answer.json()["code"]) == (401, "bad_refresh_token"), bad
    assert (await refresh(client, token)).status_code == 200


async def test_an_unused_session_expires_and_a_used_one_slides(client: httpx.AsyncClient, infra: Infra) -> None:
    account = await sign_up(client)
    token = account.tokens["refresh_token"]
    session_id = _read(token)[0]
    await infra.db.fetch("UPDATE sessions SET expires_at = now() + interval '1 hour' WHERE id = $1", [session_id])
    token = (await refresh(client, token)).json()["refresh_token"]
    sql = "SELECT extract(epoch FROM expires_at - now())::int FROM sessions WHERE id = $1"
    assert (await infra.db.fetch(sql, [session_id]))[0][0] == pytest.approx(30 * 86400, abs=60)
    await infra.db.fetch("UPDATE sessions SET expires_at = now() - interval '1 second' WHERE id = $1", [session_id])
    assert (await refresh(client, token)).status_code == 401


async def test_refreshing_brings_a_new_role(client: httpx.AsyncClient, infra: Infra) -> None:
    account = await sign_up(client)
    await infra.db.fetch("UPDATE users SET role = 'curator' WHERE username = $1", [account.username])
    tokens = (await refresh(client, account.tokens["refresh_token"])).json()
    assert (await infra.principal(tokens["access_token"])).role == "curator"


async def test_no_refresh_token_is_kept(client: httpx.AsyncClient, infra: Infra) -> None:
    account = await sign_up(client)
    rows = await infra.db.fetch("SELECT s::text, encode(nonce, 'hex') FROM sessions s", [])
    raw = base64.urlsafe_b64decode(account.tokens["refresh_token"].removeprefix("ssr_") + "==")
    assert not any(raw[20:].hex() in row[0] or raw[20:].hex() in row[1] for row in rows)
