"""Forty tokens that prove nothing, and the keys that prove something."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from jose import jwt

from app.core.config import Settings
from app.core.infra import Infra
from tests.auth.factories import sign_up
from tests.conftest import http_client, running
from tests.people import People


@pytest.fixture(scope="module")
async def rs256(settings: Settings) -> AsyncIterator[FastAPI]:
    """The application with RS256 tokens."""
    async with running(settings.model_copy(update={"jwt_algorithm": "RS256"})) as app:
        yield app


def encode(part: Any) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signed(header: Any, claims: Any, key: bytes) -> str:
    """A token signed with HMAC, whatever its header says."""
    message = f"{encode(header)}.{encode(claims)}"
    return f"{message}.{encode(hmac.digest(key, message.encode(), hashlib.sha256))}"


def bad_tokens(infra: Infra, good: str) -> dict[str, str]:
    """Variations of a good token, each with one fault."""
    key = hashlib.sha256(b"access tokens" + infra.settings.secret).hexdigest().encode()
    header, claims = jwt.get_unverified_header(good), jwt.get_unverified_claims(good)
    first, second, third = good.split(".")
    now = int(time.time())
    # the same hand makes a good one: what follows fails for its fault and not for how it was made
    bad = {"control": signed(header, claims, key)}

    def with_header(name: str, **changes: Any) -> None:
        bad[name] = signed({k: v for k, v in (header | changes).items() if v is not None}, claims, key)

    def with_claims(name: str, **changes: Any) -> None:
        bad[name] = signed(header, {k: v for k, v in (claims | changes).items() if v is not None}, key)

    for alg in ("none", "None", "NONE"):
        bad[f"alg {alg} without signature"] = f"{encode(header | {'alg': alg})}.{second}."
        with_header(f"alg {alg} with signature", alg=alg)
    for alg in ("HS384", "HS512", "RS256", "ES256", "PS256", ""):
        with_header(f"alg {alg or 'empty'}", alg=alg)
    with_header("no alg", alg=None)
    with_header("another kid", kid="another")
    with_header("no kid", kid=None)
    with_header("kid as a path", kid="../../dev/null")
    with_header("kid of another type", kid=["x"])
    with_header("critical headers", crit=["exp"])
    with_header("critical headers, empty", crit=[])
    with_header("typ of something else", typ="logout+jwt")
    for claim in ("exp", "iat", "aud", "iss", "sub", "sid", "role", "typ"):
        with_claims(f"no {claim}", **{claim: None})
    with_claims("expired", exp=now - 1)
    with_claims("exp as text", exp="tomorrow")
    with_claims("from the future", iat=now + 3600)
    with_claims("not yet", nbf=now + 3600)
    with_claims("another audience", aud="elsewhere")
    with_claims("another issuer", iss="https://elsewhere.example")
    with_claims("sub that is no id", sub="admin")
    with_claims("sub of another type", sub=7)
    with_claims("a role that is none", role="superuser")
    with_claims("a refresh token", typ="refresh")
    bad["another key"] = signed(header, claims, b"guessed")
    bad["an empty key"] = signed(header, claims, b"")
    bad["a changed claim"] = f"{first}.{encode(claims | {'role': 'admin'})}.{third}"
    bad["no signature"] = f"{first}.{second}."
    bad["two parts"] = f"{first}.{second}"
    bad["five parts"] = f"{good}.{first}.{second}"
    bad["claims that are a list"] = signed(header, [claims], key)
    bad["claims that are no JSON"] = signed(header, b"{", key)
    bad["a header that is no JSON"] = signed(b"\xff\xfe", claims, key)
    bad["a header that is deep"] = signed(b"[" * 20_000, claims, key)
    bad["garbage"] = "garbage"
    bad["dots"] = ".."
    bad["an unknown app password"] = "ssp_" + "a" * 32
    bad["an unknown API token"] = "sst_" + "a" * 43
    return bad


async def test_bad_tokens_are_refused(people: People, client: httpx.AsyncClient, infra: Infra) -> None:
    ana = await people.make("ana")
    tokens = bad_tokens(infra, ana.token)
    assert (await client.get("/auth/me", headers=bearer(tokens.pop("control")))).status_code == 200
    assert len(tokens) >= 40
    for name, token in tokens.items():
        answer = await client.get("/auth/me", headers=bearer(token))
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized"), name
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "Token x", "bearer"])
async def test_other_schemes_are_refused(client: httpx.AsyncClient, header: str) -> None:
    answer = await client.get("/auth/me", headers={"Authorization": header})
    assert answer.status_code == 401


async def test_rs256_tokens_verify_with_the_published_keys(rs256: FastAPI) -> None:
    async with http_client(rs256) as client:
        account = await sign_up(client)
        published = await client.get("http://soundscore.test/.well-known/jwks.json")
        (key,) = published.json()["keys"]
        assert (key["kty"], key["alg"], key["use"]) == ("RSA", "RS256", "sig")
        assert "d" not in key
        token = account.tokens["access_token"]
        assert jwt.get_unverified_header(token)["kid"] == key["kid"]
        claims = jwt.decode(token, key, algorithms=["RS256"], audience="soundscore", issuer="http://soundscore.test")
        assert claims["typ"] == "access"
        assert (await client.get("/auth/me", headers=account.bearer)).status_code == 200


async def test_the_public_key_is_no_hmac_secret(rs256: FastAPI, people: People) -> None:
    """The classic confusion: a token signed by HMAC with the public key as its secret."""
    async with http_client(rs256) as client:
        account = await sign_up(client)
        token = account.tokens["access_token"]
        header, claims = jwt.get_unverified_header(token), jwt.get_unverified_claims(token)
        public = rs256.state.infra.tokens._verifying
        for key in (public.to_pem(), public.to_pem().strip(), json.dumps(public.to_dict(), default=str).encode()):
            forged = signed(header | {"alg": "HS256"}, claims | {"role": "admin"}, key)
            assert (await client.get("/auth/me", headers=bearer(forged))).status_code == 401
        ana = await people.make("ana")
        assert (await client.get("/auth/me", headers=bearer(ana.token))).status_code == 401


async def test_a_shared_secret_is_not_published(client: httpx.AsyncClient) -> None:
    answer = await client.get("http://soundscore.test/.well-known/jwks.json")
    assert answer.json() == {"keys": []}
    assert answer.headers["cache-control"] == "public, max-age=300"


async def test_a_token_dies_with_its_time(people: People, infra: Infra) -> None:
    ana = await people.make("ana")
    assert (await ana.get("/auth/me")).status_code == 200
    claims = jwt.get_unverified_claims(ana.token)
    assert claims["exp"] - claims["iat"] == 900
    # remembered as good by this process, and still refused once its time is over
    principal, until = infra._known[ana.token]
    infra._known[ana.token] = (type(principal)(principal.user_id, uuid4(), expires_at=time.time() - 1), until)
    assert (await ana.get("/auth/me")).status_code == 401


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
