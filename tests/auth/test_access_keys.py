"""App passwords, API tokens and tickets."""

import asyncio
from typing import Any

import httpx
import pytest
from fastapi import Depends, FastAPI
from starlette.requests import Request

from app.auth.access_keys import find_app_passwords
from app.auth.tickets import StreamUser, _stream_user, redeem_ticket
from app.core.auth import Principal
from app.core.errors import Unauthorized
from app.core.infra import Infra
from tests.auth.factories import Signed, is_refused, sign_up, within
from tests.people import queries

KINDS = [("app-passwords", "ssp_"), ("api-tokens", "sst_")]


async def make(client: httpx.AsyncClient, account: Signed, kind: str, **fields: Any) -> dict[str, Any]:
    body = {"name": "Kitchen", "scopes": ["read", "listen"]} | fields
    answer = await client.post(f"/auth/{kind}", json=body, headers=account.bearer)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def bearer(key: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {key['secret']}"}


@pytest.mark.parametrize(("kind", "prefix"), KINDS)
async def test_a_key_works_within_its_scopes(client: httpx.AsyncClient, infra: Infra, kind: str, prefix: str) -> None:
    account = await sign_up(client)
    reader = await make(client, account, kind, scopes=["read", "read"])
    assert reader["secret"].startswith(prefix)
    assert reader["hint"] == reader["secret"][-4:]
    assert reader["scopes"] == ["read"]
    assert (await client.get("/auth/me", headers=bearer(reader))).json()["username"] == account.username
    refused = await client.put("/users/somebody/follow", headers=bearer(reader))
    assert (refused.status_code, refused.json()["scope"]) == (403, "write")
    writer = await make(client, account, kind, scopes=["read", "write"])
    assert (await client.put("/users/nobody_here/follow", headers=bearer(writer))).status_code == 404
    # none of them manages the account
    for path in ("sessions", "app-passwords", "api-tokens", "linked-accounts"):
        assert (await client.get(f"/auth/{path}", headers=bearer(writer))).status_code == 403
    body = {"name": "More", "scopes": ["write"]}
    assert (await client.post(f"/auth/{kind}", json=body, headers=bearer(writer))).status_code == 403


@pytest.mark.parametrize(("kind", "prefix"), KINDS)
async def test_keys_are_listed_without_their_secret_and_revoked_within_a_second(
    client: httpx.AsyncClient, infra: Infra, kind: str, prefix: str
) -> None:
    account, stranger = await sign_up(client), await sign_up(client)
    kept, key = await make(client, account, kind, name="Kept"), await make(client, account, kind)
    assert not await is_refused(client, bearer(key))
    async with queries(infra) as ran:
        answer = await client.get(f"/auth/{kind}", headers=account.bearer)
    assert ran == [1]
    assert [item["name"] for item in answer.json()["items"]] == ["Kitchen", "Kept"]
    assert prefix not in answer.text
    assert answer.json()["items"][0]["last_used_at"] is not None
    path = f"/auth/{kind}/{key['id']}"
    assert (await client.delete(path, headers=stranger.bearer)).status_code == 404
    other = next(name for name, _ in KINDS if name != kind)
    assert (await client.delete(f"/auth/{other}/{key['id']}", headers=account.bearer)).status_code == 404
    assert (await client.delete(path, headers=account.bearer)).status_code == 204
    assert await within(1.0, lambda: is_refused(client, bearer(key)))
    assert (await client.delete(path, headers=account.bearer)).status_code == 404
    assert not await is_refused(client, bearer(kept))
    assert [item["name"] for item in (await client.get(f"/auth/{kind}", headers=account.bearer)).json()["items"]] == [
        "Kept"
    ]


async def test_scopes_and_names_are_checked(client: httpx.AsyncClient) -> None:
    account = await sign_up(client)
    for fields in ({"scopes": []}, {"scopes": ["account"]}, {"scopes": ["everything"]}, {"name": ""}, {"name": "a\nb"}):
        body = {"name": "Kitchen", "scopes": ["read"]} | fields
        answer = await client.post("/auth/app-passwords", json=body, headers=account.bearer)
        assert answer.status_code == 422, fields


async def test_an_api_token_may_expire(client: httpx.AsyncClient, infra: Infra) -> None:
    account = await sign_up(client)
    key = await make(client, account, "api-tokens", expires_in_days=1)
    assert key["expires_at"] is not None
    await infra.db.fetch(
        "UPDATE access_keys SET expires_at = now() - interval '1 second' WHERE hint = $1", [key["hint"]]
    )
    assert await is_refused(client, bearer(key))


async def test_secrets_are_not_kept_in_clear(client: httpx.AsyncClient, infra: Infra) -> None:
    account = await sign_up(client)
    headers = account.bearer | {"Idempotency-Key": "once"}
    for kind, _ in KINDS:
        body = {"name": "x", "scopes": ["read"]}
        secret = (await client.post(f"/auth/{kind}", json=body, headers=headers)).json()["secret"]
        for sql in (
            "SELECT k::text || coalesce(encode(encrypted, 'escape'), '') FROM access_keys k",
            "SELECT coalesce(encode(body, 'escape'), '') FROM idempotency_keys",
        ):
            assert not any(secret in row[0] for row in await infra.db.fetch(sql, []))


async def test_app_passwords_can_be_had_in_clear_by_other_protocols(client: httpx.AsyncClient, infra: Infra) -> None:
    account = await sign_up(client)
    first, second = [await make(client, account, "app-passwords") for _ in range(2)]
    await make(client, account, "api-tokens")
    found = await find_app_passwords(infra, account.username.upper())
    assert {it.secret for it in found} == {first["secret"], second["secret"]}
    assert {tuple(it.scopes) for it in found} == {("listen", "read")}
    await client.delete(f"/auth/app-passwords/{first['id']}", headers=account.bearer)
    (left,) = await find_app_passwords(infra, account.username)
    assert left.secret == second["secret"]
    assert await find_app_passwords(infra, "nobody") == []


async def test_use_is_noted_at_most_once_a_minute(client: httpx.AsyncClient, infra: Infra) -> None:
    account = await sign_up(client)
    key = await make(client, account, "api-tokens")
    sql = "SELECT last_used_at FROM access_keys WHERE id = (SELECT id FROM access_keys WHERE hint = $1 LIMIT 1)"
    await asyncio.gather(*(client.get("/auth/me", headers=bearer(key)) for _ in range(5)))
    first = (await infra.db.fetch(sql, [key["hint"]]))[0][0]
    infra._known.clear()
    async with queries(infra) as ran:
        await client.get("/auth/me", headers=bearer(key))
    assert ran == [2]
    assert (await infra.db.fetch(sql, [key["hint"]]))[0][0] == first
    await infra.db.fetch(
        "UPDATE access_keys SET last_used_at = now() - interval '2 minutes' WHERE hint = $1", [key["hint"]]
    )
    infra._known.clear()
    await client.get("/auth/me", headers=bearer(key))
    assert (await infra.db.fetch(sql, [key["hint"]]))[0][0] > first


async def ticket_of(client: httpx.AsyncClient, headers: dict[str, str]) -> str:
    answer = await client.post("/auth/tickets", headers=headers)
    assert answer.status_code == 201
    assert answer.json()["expires_in"] == 60
    ticket: str = answer.json()["ticket"]
    return ticket


async def test_a_ticket_is_redeemed_once(client: httpx.AsyncClient, infra: Infra) -> None:
    account = await sign_up(client)
    ticket = await ticket_of(client, account.bearer)
    results = await asyncio.gather(*(redeem_ticket(infra, ticket) for _ in range(5)), return_exceptions=True)
    (principal,) = [it for it in results if isinstance(it, Principal)]
    assert all(isinstance(it, Principal | Unauthorized) for it in results)
    assert principal == await infra.principal(account.tokens["access_token"])


async def test_a_ticket_ends_with_its_minute_and_its_session(client: httpx.AsyncClient, infra: Infra) -> None:
    account = await sign_up(client)
    old = await ticket_of(client, account.bearer)
    await infra.db.fetch("UPDATE tickets SET expires_at = now()", [])
    orphan = await ticket_of(client, account.bearer)
    await client.post("/auth/logout", headers=account.bearer)
    await infra.revocations.refresh()
    for bad in (old, orphan, "nonsense", ""):
        with pytest.raises(Unauthorized):
            await redeem_ticket(infra, bad)


async def test_a_ticket_has_the_rights_of_who_asked(client: httpx.AsyncClient, infra: Infra) -> None:
    account = await sign_up(client)
    key = await make(client, account, "api-tokens", scopes=["read"])
    principal = await redeem_ticket(infra, await ticket_of(client, bearer(key)))
    assert (principal.scopes, principal.expires_at) == (frozenset({"read"}), float("inf"))
    assert str(principal.session_id) == key["id"]


async def test_streams_take_the_header_or_a_ticket(app: FastAPI, client: httpx.AsyncClient) -> None:
    account = await sign_up(client)
    request = Request({"type": "http", "app": app, "headers": []})
    ticket = await ticket_of(client, account.bearer)
    principal = await _stream_user(request, None, ticket)
    assert principal.user_id == (await _stream_user(request, principal, None)).user_id
    listener = await make(client, account, "api-tokens", scopes=["listen"])
    assert (await client.post("/auth/tickets", headers=bearer(listener))).status_code == 403
    for ticket_given in (None, ticket):
        with pytest.raises(Unauthorized):
            await _stream_user(request, None, ticket_given)
    assert isinstance(StreamUser.__metadata__[0], type(Depends(_stream_user)))
