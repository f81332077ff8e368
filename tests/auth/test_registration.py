"""Making an account."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.auth.errors import CommonPassword
from app.auth.models import Credential
from app.auth.service import create_admin
from app.core.errors import Invalid
from app.core.infra import Infra
from app.core.job_runner import drain
from app.users.models import User
from app.users.service import UsernameTaken
from tests.auth.factories import PASSWORD, login, mails_to, register, sign_up, text_of, token_in, unique
from tests.conftest import http_client
from tests.people import People


async def test_a_new_account_can_sign_in_at_once(client: httpx.AsyncClient, people: People) -> None:
    await people.make("earlier")
    name = unique("Ana")
    made = await register(client, username=name, email="Ana@Example.com", display_name=" Ana S. ")
    assert made.status_code == 201
    assert made.json() | {"id": 0, "created_at": 0} == {
        "id": 0,
        "username": name,
        "display_name": "Ana S.",
        "role": "user",
        "email": "Ana@example.com",
        "email_verified": False,
        "has_password": True,
        "created_at": 0,
    }
    assert (await login(client, name.lower())).status_code == 200


async def test_a_taken_username_is_told_whatever_its_case(client: httpx.AsyncClient) -> None:
    account = await sign_up(client)
    again = await register(client, username=account.username.upper())
    assert (again.status_code, again.json()["code"]) == (409, "username_taken")


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("username", "ab", "string_pattern_mismatch"),
        ("username", "with space", "string_pattern_mismatch"),
        ("username", "an\na", "string_pattern_mismatch"),
        ("username", "x" * 51, "string_pattern_mismatch"),
        ("email", "nobody", "value_error"),
        ("email", "a@b.com\r\nBcc: x@y.com", "value_error"),
        ("email", "ána@example.com", "value_error"),
        ("email", "a" * 250 + "@example.com", "string_too_long"),
        ("password", "short", "string_too_short"),
        ("password", "x1" * 65, "string_too_long"),
        ("password", "PassWord123", "password_common"),
        ("password", "aaaaaaaaaaaa", "password_common"),
        ("display_name", "", "string_too_short"),
        ("is_admin", True, "extra_forbidden"),
    ],
)
async def test_faults_are_named(client: httpx.AsyncClient, field: str, value: object, code: str) -> None:
    answer = await register(client, **{field: value})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == f"/body/{field}"
    assert answer.json()["errors"][0]["code"] == code


async def test_the_own_name_is_no_password(client: httpx.AsyncClient) -> None:
    for password in ("Longenough1", "longenough@example.com"):
        answer = await register(client, username="longenough1", email="longenough@example.com", password=password)
        assert answer.json()["code"] == "password_common"


@pytest.mark.parametrize(
    "password", ["  spaces around  ", "😀🎵" * 64, "pässwörd ünïcode", "a\tb\nc\x00defgh", "x1" * 64]
)
async def test_every_character_of_a_password_counts(client: httpx.AsyncClient, password: str) -> None:
    name = unique()
    assert (await register(client, username=name, password=password)).status_code == 201
    assert (await login(client, name, password)).status_code == 200
    for other in (password[:-1], password.strip() + "!", password + "x"):
        assert (await login(client, name, other)).status_code == 401


async def test_the_mail_brings_a_link_that_confirms_the_address(client: httpx.AsyncClient, infra: Infra) -> None:
    account = await sign_up(client)
    await drain(infra)
    (mail,) = mails_to(infra, account.email)
    assert mail["Subject"] == "Confirm your mail address"
    assert mail["Message-ID"].endswith("@soundscore.test>")
    token = token_in(mail, account.username)
    assert (await client.post("/auth/verify-email", json={"token": token})).status_code == 200
    assert (await client.get("/auth/me", headers=account.bearer)).json()["email_verified"] is True
    again = await client.post("/auth/verify-email", json={"token": token})
    assert (again.status_code, again.json()["code"]) == (410, "link_gone")


async def test_nobody_can_squat_on_an_address(client: httpx.AsyncClient, infra: Infra) -> None:
    """An address that is only claimed stays free; one that is proven is told to its owner alone."""
    address = f"{unique()}@example.com"
    squatter = await sign_up(client, email=address)
    owner = await sign_up(client, email=address)
    await drain(infra)
    first, second = mails_to(infra, address)
    token = token_in(second, owner.username)
    assert (await client.post("/auth/verify-email", json={"token": token})).status_code == 200
    late = await client.post("/auth/verify-email", json={"token": token_in(first, squatter.username)})
    assert (late.status_code, late.json()["code"]) == (409, "email_in_use")

    third = await register(client, email=address)
    assert third.status_code == 201
    await drain(infra)
    notice = mails_to(infra, address)[-1]
    assert notice["Subject"] == "This address already has an account"
    assert owner.username in text_of(notice)
    assert "token=" not in text_of(notice)


async def test_an_old_link_is_gone(client: httpx.AsyncClient, infra: Infra) -> None:
    account = await sign_up(client)
    await drain(infra)
    token = token_in(mails_to(infra, account.email)[-1], account.username)
    await infra.db.fetch(
        "UPDATE one_time_tokens SET expires_at = now() - interval '1 second' WHERE email = $1", [account.email]
    )
    for bad in (token, "nonsense", ""):
        assert (await client.post("/auth/verify-email", json={"token": bad})).status_code == 410


async def test_links_live_a_day_or_half_an_hour(client: httpx.AsyncClient, infra: Infra) -> None:
    account = await sign_up(client)
    await client.post("/auth/forgot-password", json={"email": account.email})
    await drain(infra)
    sql = "SELECT purpose, extract(epoch FROM expires_at - now())::int FROM one_time_tokens WHERE email = $1"
    lives = dict(await infra.db.fetch(sql, [account.email]))
    assert lives["verify_email"] == pytest.approx(86400, abs=60)
    assert lives["reset_password"] == pytest.approx(1800, abs=60)


async def test_no_token_lies_in_the_database(client: httpx.AsyncClient, infra: Infra) -> None:
    account = await sign_up(client)
    jobs = await infra.db.fetch("SELECT convert_from(payload, 'UTF8') FROM pgqueuer", [])
    await drain(infra)
    token = token_in(mails_to(infra, account.email)[-1], account.username)
    kept = await infra.db.fetch("SELECT t::text FROM one_time_tokens t", [])
    assert not any(token in row[0] for row in [*kept, *jobs])


async def test_of_many_first_accounts_one_is_admin(fresh: FastAPI) -> None:
    async with http_client(fresh) as client:
        made = await asyncio.gather(*(register(client) for _ in range(8)))
        roles = sorted(answer.json()["role"] for answer in made)
        assert roles == ["admin"] + ["user"] * 7
        assert (await register(client)).json()["role"] == "user"


async def test_of_many_who_want_a_name_one_gets_it(client: httpx.AsyncClient) -> None:
    name = unique()
    made = await asyncio.gather(*(register(client, username=name) for _ in range(8)))
    assert sorted(answer.status_code for answer in made) == [201] + [409] * 7


async def test_an_admin_made_by_command(infra: Infra, client: httpx.AsyncClient) -> None:
    name = unique("root")
    user_id = await create_admin(infra, username=name, email=f"{name}@example.com", password=PASSWORD)
    user = await infra.db.reader.one(select(User).where(User.id == user_id))
    credential = await infra.db.reader.one(select(Credential).filter_by(user_id=user_id))
    assert user is not None
    assert credential is not None
    assert (user.role, credential.email_verified_at is not None) == ("admin", True)
    assert (await login(client, f"{name}@example.com")).status_code == 200
    with pytest.raises(UsernameTaken):
        await create_admin(infra, username=name.upper(), email="x@example.com", password=PASSWORD)
    with pytest.raises(CommonPassword):
        await create_admin(infra, username=unique(), email="x@example.com", password="password123")
    with pytest.raises(Invalid, match="email"):
        await create_admin(infra, username=unique(), email="nobody", password=PASSWORD)
