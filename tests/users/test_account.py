"""Deleting one's account over HTTP: only with the password, and then nothing opens it any more."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.auth.models import AccessKey, Credential, LinkedAccount, Session
from app.core.auth import Role
from app.core.ids import uuid7
from app.core.infra import Infra
from app.core.jobs import drain
from app.users.models import User
from tests.people import People, Person

PASSWORD = "four quiet words here "


async def with_password(
    people: People, infra: Infra, password: str | None = PASSWORD, *, role: Role = "user"
) -> Person:
    person = await people.make("ana", role=role)
    hashed = await infra.passwords.hash(password) if password else None
    email = f"{person.username}@example.org"
    async with infra.db.write() as db:
        db.add(Credential(user_id=person.id, email=email, email_key=email, password_hash=hashed))
    return person


async def leave(person: Person, **body: Any) -> httpx.Response:
    return await person.request("DELETE", "/users/me", json={"content": "keep"} | body)


async def signed_in(infra: Infra, user_id: UUID, **fields: Any) -> str:
    session_id = uuid7()
    expires_at = datetime.now(UTC) + timedelta(days=1)
    async with infra.db.write() as db:
        db.add(Session(id=session_id, user_id=user_id, nonce=b"nonce", expires_at=expires_at, **fields))
    return infra.tokens.issue(user_id, session_id, "user")[0]


async def test_a_wrong_password_deletes_nothing(people: People, infra: Infra) -> None:
    ana = await with_password(people, infra)
    for wrong in ({}, {"password": "wrong"}, {"password": PASSWORD.strip()}, {"password": PASSWORD.upper()}):
        answer = await leave(ana, **wrong)
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong_password")
    assert (await ana.get("/users/me")).status_code == 200


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"content": "burn"}, "/body/content"),
        ({"content": None}, "/body/content"),
        ({"password": "x" * 129}, "/body/password"),
        ({"force": True}, "/body/force"),
    ],
)
async def test_faulty_goodbyes(people: People, infra: Infra, body: dict[str, Any], pointer: str) -> None:
    ana = await with_password(people, infra)
    answer = await leave(ana, **({"password": PASSWORD} | body))
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_afterwards_nothing_opens_it(people: People, infra: Infra, client: httpx.AsyncClient) -> None:
    ana = await with_password(people, infra)
    await signed_in(infra, ana.id)
    async with infra.db.write() as db:
        db.add(LinkedAccount(user_id=ana.id, provider="google", issuer="https://g.example", subject=str(ana.id)))
        key = {"kind": "api_token", "name": "script", "scopes": ["read"], "hint": "abc", "digest": ana.id.bytes}
        db.add(AccessKey(user_id=ana.id, **key))
    assert (await leave(ana, password=PASSWORD, content="delete")).status_code == 204
    for table in (Credential, Session, LinkedAccount, AccessKey):
        assert await infra.db.reader.one(select(table).where(table.user_id == ana.id)) is None, table
    await infra.revocations.refresh()
    assert (await ana.get("/users/me")).status_code == 401
    assert (await client.get(f"/users/{ana.username}")).status_code == 404
    assert (await infra.db.reader.one(select(User.deleted_at).where(User.id == ana.id))) is not None
    await drain(infra)


async def test_leaving_twice_at_once_is_leaving_once(people: People, infra: Infra) -> None:
    ana = await with_password(people, infra)
    answers = await asyncio.gather(*(leave(ana, password=PASSWORD) for _ in range(4)))
    assert [answer.status_code for answer in answers].count(204) == 1
    assert {answer.status_code for answer in answers} <= {204, 401, 403, 404}
    await drain(infra)


@pytest.mark.parametrize("linked_only", [True, False])
async def test_without_a_password_the_login_must_be_recent(people: People, infra: Infra, linked_only: bool) -> None:
    ana = await people.make("ana") if linked_only else await with_password(people, infra, None)
    old = await signed_in(infra, ana.id, created_at=datetime.now(UTC) - timedelta(minutes=11))
    answer = await ana.request(
        "DELETE", "/users/me", json={"content": "keep"}, headers={"Authorization": f"Bearer {old}"}
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "login_too_old")
    new = await signed_in(infra, ana.id, created_at=datetime.now(UTC) - timedelta(minutes=9))
    answer = await ana.request(
        "DELETE", "/users/me", json={"content": "keep"}, headers={"Authorization": f"Bearer {new}"}
    )
    assert answer.status_code == 204


async def test_a_login_is_needed(client: httpx.AsyncClient) -> None:
    answer = await client.request("DELETE", "/users/me", json={"content": "keep", "password": PASSWORD})
    assert answer.status_code == 401


async def test_the_last_admin_stays(fresh: FastAPI) -> None:
    infra: Infra = fresh.state.infra
    async with People(fresh) as people:
        one = await with_password(people, infra, role="admin")
        answer = await leave(one, password=PASSWORD)
        assert (answer.status_code, answer.json()["code"]) == (409, "last_admin")
        assert "python -m app create-admin" in answer.json()["detail"]
        # nothing of it was done
        assert await infra.db.reader.one(select(Credential).where(Credential.user_id == one.id)) is not None
        assert (await one.get("/users/me")).status_code == 200
        other = await with_password(people, infra)
        assert (await leave(other, password=PASSWORD)).status_code == 204
        await with_password(people, infra, role="admin")
        assert (await leave(one, password=PASSWORD)).status_code == 204


async def test_of_admins_who_go_at_once_one_stays(fresh: FastAPI) -> None:
    infra: Infra = fresh.state.infra
    admins = select(User.id).where(User.role == "admin", User.deleted_at.is_(None))
    async with People(fresh) as people:
        for _ in range(3):
            for admin in await infra.db.reader.all(admins):
                await infra.db.fetch("UPDATE users SET role = 'user' WHERE id = $1", [admin])
            leaving = [await with_password(people, infra, role="admin") for _ in range(2)]
            stepping = [await people.make("admin", role="admin") for _ in range(2)]
            answers = await asyncio.gather(
                *(leave(one, password=PASSWORD) for one in leaving),
                *(one.put(f"/admin/users/{one.username}/role", json={"role": "user"}) for one in stepping),
            )
            refused = [answer.json()["code"] for answer in answers if answer.status_code >= 400]
            assert refused == ["last_admin"]
            assert len(await infra.db.reader.all(admins)) == 1
