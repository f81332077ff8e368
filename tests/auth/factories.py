"""Accounts for tests, made the way people make them: over HTTP and by mail."""

import asyncio
import email
import email.policy
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

import httpx
from fastapi import FastAPI

from app.core.ids import uuid7
from app.core.infra import Infra
from app.core.job_runner import drain

PASSWORD = "late night vinyl 33"


@dataclass(frozen=True)
class Signed:
    """An account and the answer to its login."""

    username: str
    email: str
    tokens: dict[str, Any]

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens['access_token']}"}


def unique(stem: str = "ana") -> str:
    """A name that nobody has."""
    return f"{stem}_{uuid7().hex[-12:]}"


async def register(client: httpx.AsyncClient, **fields: Any) -> httpx.Response:
    """A registration; what is not given is good and unique."""
    name = unique()
    body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD} | fields
    return await client.post("/auth/register", json=body)


async def login(client: httpx.AsyncClient, name: str, password: str = PASSWORD, **options: Any) -> httpx.Response:
    """A login by the form."""
    return await client.post("/auth/login", data={"username": name, "password": password}, **options)


async def sign_up(client: httpx.AsyncClient, **fields: Any) -> Signed:
    """A new account, signed in."""
    made = await register(client, **fields)
    assert made.status_code == 201, made.text
    return await sign_in(client, made.json()["username"], made.json()["email"])


async def sign_in(client: httpx.AsyncClient, username: str, address: str = "") -> Signed:
    """Another session of an account."""
    answer = await login(client, username)
    assert answer.status_code == 200, answer.text
    return Signed(username, address, answer.json())


async def sign_up_verified(client: httpx.AsyncClient, infra: Infra, **fields: Any) -> Signed:
    """A new account whose mail address is confirmed."""
    account = await sign_up(client, **fields)
    await drain(infra)
    token = token_in(mails_to(infra, account.email)[-1], account.username)
    assert (await client.post("/auth/verify-email", json={"token": token})).status_code == 200
    return account


def mails_to(infra: Infra, address: str) -> list[EmailMessage]:
    """The mails that the stand-in keeps for an address, oldest first."""
    paths = sorted((infra.settings.data_dir / "mails").glob("*.eml"))
    mails = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in paths]
    return [mail for mail in mails if mail["To"] == address]  # type: ignore[misc]


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return body.get_content()


def token_in(mail: EmailMessage, username: str) -> str:
    """The token of an account's link."""
    found = re.search(rf"{username}:\r?\n\S+token=(\S+)", text_of(mail))
    assert found, text_of(mail)
    return found[1]


async def within(seconds: float, condition: Callable[[], Awaitable[bool]]) -> bool:
    """Whether the condition comes true in time."""
    deadline = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < deadline:
        if await condition():
            return True
        await asyncio.sleep(0.05)
    return await condition()


async def is_refused(client: httpx.AsyncClient, bearer: dict[str, str], path: str = "/auth/me") -> bool:
    return (await client.get(path, headers=bearer)).status_code == 401


def seen_from(app: FastAPI, address: str) -> httpx.AsyncClient:
    """A client at another address."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 1234))
    return httpx.AsyncClient(transport=transport, base_url="http://soundscore.test/api/v1")
