"""People for tests: made straight in the database, signed in with a token of our own, speaking HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self
from uuid import UUID

import httpx
from fastapi import FastAPI

from app.core.auth import Role
from app.core.ids import uuid7
from app.core.infra import Infra
from app.users.models import User


class Person(httpx.AsyncClient):
    """A signed-in person is a client: `await ana.post("/reviews", json=...)`."""

    def __init__(self, app: FastAPI, user: User, token: str) -> None:
        super().__init__(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False),
            base_url="http://soundscore.test/api/v1",
            headers={"Authorization": f"Bearer {token}"},
        )
        self.id: UUID = user.id
        self.username: str = user.username
        self.token = token


class People:
    """Makes people and closes their clients."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._made: list[Person] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for person in self._made:
            await person.aclose()

    async def make(self, name: str = "person", *, role: Role = "user", **fields: Any) -> Person:
        """A new person whose username begins with `name`."""
        infra: Infra = self._app.state.infra
        identifier = uuid7()
        username = f"{name}_{identifier.hex[-12:]}"
        user = User(
            id=identifier,
            username=username,
            username_key=username.lower(),
            display_name=name.title(),
            role=role,
            **fields,
        )
        async with infra.db.write() as db:
            db.add(user)
        token, _ = infra.tokens.issue(user.id, uuid7(), role)
        person = Person(self._app, user, token)
        self._made.append(person)
        return person


@asynccontextmanager
async def queries(infra: Infra) -> AsyncIterator[list[int]]:
    """Counts the statements that run inside the block: `async with queries(infra) as ran: ...; assert ran == [1]`."""
    before, ran = infra.db.statements, [0]
    yield ran
    ran[0] = infra.db.statements - before
