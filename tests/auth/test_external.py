"""Tokens of another auth server."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.auth.external import published_keys
from app.core.config import Settings
from app.core.infra import Infra
from app.core.jobs import drain
from app.core.tokens import AccessTokens
from tests.auth.factories import is_refused, sign_in, sign_up, unique, within
from tests.auth.fakes import Key, Provider
from tests.conftest import http_client, running
from tests.loopback import on_loopback

ISSUER, AUDIENCE = "https://sign-in.example", "soundscore-api"
Served = tuple[Provider, httpx.AsyncClient, Infra]


@asynccontextmanager
async def trusting(settings: Settings) -> AsyncIterator[Served]:
    """The application, just started, and the server that it trusts."""
    provider = Provider()
    async with on_loopback(provider.app()) as address:
        trusts = {
            "external_jwks_url": f"{address}/jwks",
            "external_issuer": ISSUER,
            "external_audience": AUDIENCE,
        }
        async with running(settings.model_copy(update=trusts)) as app, http_client(app) as client:
            yield provider, client, app.state.infra


@pytest.fixture
async def served(settings: Settings) -> AsyncIterator[Served]:
    async with trusting(settings) as served:
        yield served


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": unique("sub"), "iat": now, "exp": now + 300, "nickname": "Zoë K."}
    return {name: value for name, value in (good | changes).items() if value is not None}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def travel(infra: Infra, seconds: float) -> None:
    """Has the last looks at the server lie longer ago."""
    keys = infra.part(published_keys)
    assert keys is not None
    keys._fetched_at -= seconds
    keys._unknown_at -= seconds


async def test_an_account_is_made_on_first_sight(served: Served) -> None:
    provider, client, _ = served
    await sign_up(client)  # the first account of all would be an admin
    subject = unique("sub")
    tokens = [provider.keys[0].sign(claims(sub=subject, roles=["admin"], role="admin", n=n)) for n in range(8)]
    answers = await asyncio.gather(*(client.get("/auth/me", headers=bearer(token)) for token in tokens))
    assert [answer.status_code for answer in answers] == [200] * 8
    (me,) = {answer.json()["id"] for answer in answers}
    body = answers[0].json()
    assert body["username"].startswith("Zo_K")
    assert (body["display_name"], body["role"], body["email"]) == ("Zoë K.", "user", None)
    another = provider.keys[0].sign(claims())
    assert (await client.get("/auth/me", headers=bearer(another))).json()["id"] != me


async def test_faulty_tokens_are_refused(served: Served) -> None:
    provider, client, infra = served
    key, stranger = provider.keys[0], Key("first")
    good = claims()
    assert (await client.get("/auth/me", headers=bearer(key.sign(good)))).status_code == 200
    bad = [key.sign({k: v for k, v in good.items() if k != name}) for name in ("iss", "aud", "exp", "sub", "iat")]
    bad += [key.sign(good | change) for change in ({"iss": "https://x.example"}, {"aud": "x"}, {"exp": 1}, {"sub": ""})]
    bad += [key.sign(good, crit=["b64"]), key.sign(good, kid="unknown"), stranger.sign(good)]
    # a token for them that our own key signed, and one that names our key
    ours = AccessTokens(infra.settings)
    bad += [key.sign(good, kid=ours.kid)]
    for number, token in enumerate(bad):
        assert (await client.get("/auth/me", headers=bearer(token))).status_code == 401, number


async def test_our_own_tokens_go_on_working(served: Served) -> None:
    provider, client, _ = served
    account = await sign_up(client)
    assert (await client.get("/auth/me", headers=account.bearer)).status_code == 200
    assert provider.fetches == 0


async def test_a_thousand_unknown_keys_cost_one_fetch(served: Served) -> None:
    provider, client, _ = served
    stranger = Key("stranger")
    tokens = [stranger.sign(claims(), kid=f"made-up-{n}") for n in range(1000)]
    for start in range(0, 1000, 100):
        group = tokens[start : start + 100]
        answers = await asyncio.gather(*(client.get("/auth/me", headers=bearer(token)) for token in group))
        assert {answer.status_code for answer in answers} == {401}
    assert provider.fetches == 1


async def test_a_new_key_works_at_once(served: Served) -> None:
    provider, client, _ = served
    old = provider.keys[0]
    assert (await client.get("/auth/me", headers=bearer(old.sign(claims())))).status_code == 200
    new = Key("second")
    provider.keys = [new]
    assert (await client.get("/auth/me", headers=bearer(new.sign(claims())))).status_code == 200
    assert provider.fetches == 2
    # the key that was taken away signs nothing any more
    assert (await client.get("/auth/me", headers=bearer(old.sign(claims())))).status_code == 401
    assert provider.fetches == 2


async def test_an_outage_harms_no_known_key(served: Served) -> None:
    provider, client, infra = served
    key = provider.keys[0]
    assert (await client.get("/auth/me", headers=bearer(key.sign(claims())))).status_code == 200
    provider.down = True
    for _ in range(12):
        travel(infra, 60)
        assert (await client.get("/auth/me", headers=bearer(key.sign(claims())))).status_code == 200
    await asyncio.sleep(0.2)
    # a key that cannot be looked up is not said to be bad
    answer = await client.get("/auth/me", headers=bearer(Key("new").sign(claims())))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    provider.down = False
    travel(infra, 61)
    provider.keys.append(new := Key("new"))
    assert (await client.get("/auth/me", headers=bearer(new.sign(claims())))).status_code == 200


async def test_old_keys_are_renewed_in_the_background(served: Served) -> None:
    provider, client, infra = served
    key = provider.keys[0]
    assert (await client.get("/auth/me", headers=bearer(key.sign(claims())))).status_code == 200
    provider.keys = [Key("second")]
    travel(infra, 601)
    assert (await client.get("/auth/me", headers=bearer(key.sign(claims())))).status_code == 200

    async def renewed() -> bool:
        return (await client.get("/auth/me", headers=bearer(key.sign(claims())))).status_code == 401

    assert await within(2.0, renewed)


async def test_a_server_that_never_answered_is_no_fault_of_the_token(settings: Settings) -> None:
    async with trusting(settings) as (provider, client, _):
        provider.down = True
        answer = await client.get("/auth/me", headers=bearer(provider.keys[0].sign(claims())))
        assert answer.status_code == 503


async def test_who_left_stays_away_although_the_token_is_good(served: Served) -> None:
    provider, client, infra = served
    token = provider.keys[0].sign(good := claims())
    assert (await client.get("/auth/me", headers=bearer(token))).status_code == 200
    body = '{"content": "delete"}'
    headers = bearer(token) | {"Content-Type": "application/json"}
    assert (await client.request("DELETE", "/users/me", content=body, headers=headers)).status_code == 204
    await drain(infra)
    assert await within(1.0, lambda: is_refused(client, bearer(token)))
    assert await is_refused(client, bearer(provider.keys[0].sign(good | {"n": 2})))


async def test_signing_out_ends_this_token_only(served: Served) -> None:
    provider, client, _ = served
    good = claims()
    token, other = (provider.keys[0].sign(good | {"n": n}) for n in (1, 2))
    assert (await client.post("/auth/logout", headers=bearer(token))).status_code == 204
    assert await within(1.0, lambda: is_refused(client, bearer(token)))
    assert not await is_refused(client, bearer(other))


async def signed_out(client: httpx.AsyncClient, infra: Infra, token: str) -> None:
    assert await within(5.0, lambda: is_refused(client, bearer(token)))
    # far later: rows that have run out are forgotten
    await infra.db.fetch("DELETE FROM revocations WHERE until < now() + interval '50 min'", [])
    for ended in (infra.revocations._until, infra.revocations._before):
        ended.clear()
    infra.revocations._read_to -= timedelta(days=1)
    await infra.revocations.refresh()
    assert await is_refused(client, bearer(token))


async def test_signing_out_lasts_as_long_as_the_token(served: Served) -> None:
    provider, client, infra = served
    token = provider.keys[0].sign(claims(exp=int(time.time()) + 3600))
    assert (await client.post("/auth/logout", headers=bearer(token))).status_code == 204
    await signed_out(client, infra, token)
    # one that never ends
    endless = provider.keys[0].sign(claims(exp=10**13))
    assert (await client.post("/auth/logout", headers=bearer(endless))).status_code == 204
    await signed_out(client, infra, endless)


@pytest.mark.parametrize("keep_current", [False, True])
async def test_signing_out_everywhere_ends_what_was_signed_before(served: Served, keep_current: bool) -> None:
    provider, client, infra = served
    sign, good = provider.keys[0].sign, claims(exp=int(time.time()) + 3600)
    one, two, unseen = (sign(good | {"n": n}) for n in range(3))
    for token in (one, two):
        assert not await is_refused(client, bearer(token))
    ticket = (await client.post("/auth/tickets", headers=bearer(two))).json()["ticket"]
    url = f"/auth/logout-all?keep_current={'true' if keep_current else 'false'}"
    assert (await client.post(url, headers=bearer(one))).status_code == 204
    for token in (two, unseen):
        await signed_out(client, infra, token)
    assert (await client.get("/notifications/stream", params={"ticket": ticket})).status_code == 401
    assert await is_refused(client, bearer(one)) is not keep_current
    later = sign(good | {"iat": int(time.time()) + 2})
    assert not await is_refused(client, bearer(later))


async def test_a_new_role_ends_what_was_signed_before(served: Served) -> None:
    """The role is remembered for a minute with the token."""
    provider, client, infra = served
    admin, good = await sign_up(client), claims()
    await infra.db.fetch("UPDATE users SET role = 'admin' WHERE username = $1", [admin.username])
    admin = await sign_in(client, admin.username)
    token = provider.keys[0].sign(good)
    me = (await client.get("/auth/me", headers=bearer(token))).json()
    path = f"/admin/users/{me['username']}/role"
    assert (await client.put(path, json={"role": "curator"}, headers=admin.bearer)).status_code == 200
    assert await within(5.0, lambda: is_refused(client, bearer(token)))
    later = provider.keys[0].sign(good | {"iat": int(time.time()) + 2})
    assert (await client.get("/auth/me", headers=bearer(later))).json()["role"] == "curator"


async def test_half_a_configuration_is_refused(settings: Settings) -> None:
    half = settings.model_copy(update={"external_jwks_url": "https://sign-in.example/jwks"})
    with pytest.raises(ValueError, match="EXTERNAL_ISSUER"):
        async with running(half):
            pass
