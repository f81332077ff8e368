"""The application with OpenMusic at its root, and somebody who speaks it."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.core.config import Settings
from app.core.ids import uuid7
from app.core.infra import Infra
from tests.conftest import running


class Speaker(httpx.AsyncClient):
    """A client at the root; `say` also holds every answer to the envelope."""

    def __init__(self, server: FastAPI | str, token: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if isinstance(server, str):
            super().__init__(base_url=server, headers=headers)
        else:
            transport = httpx.ASGITransport(server, raise_app_exceptions=False)
            super().__init__(transport=transport, base_url="http://soundscore.test", headers=headers)
        self.user_id = self.username = self.refresh_token = ""

    async def say(self, method: str, path: str, status: int, **options: Any) -> Any:
        """The `data` of a success, or the message."""
        answer = await self.request(method, path, **options)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"].startswith("application/json")
        body = answer.json()
        assert body["status"] == ("success" if status < 300 else "fail" if status < 500 else "error")
        if status >= 300:
            assert body.keys() == {"status", "message"}
        assert body.keys() in ({"status", "message"}, {"status", "data"})
        assert isinstance(body.get("message", ""), str)
        return body.get("data", body.get("message"))


@pytest.fixture(scope="session")
async def speaking(settings: Settings) -> AsyncIterator[FastAPI]:
    async with running(settings.model_copy(update={"openmusic_compat": True})) as app:
        yield app


@pytest.fixture(scope="session")
def infra(speaking: FastAPI) -> Infra:
    return speaking.state.infra


@pytest.fixture(scope="session")
async def anybody(speaking: FastAPI) -> AsyncIterator[Speaker]:
    """Somebody without a token."""
    async with Speaker(speaking) as speaker:
        yield speaker


async def sign_up(app: FastAPI, name: str) -> Speaker:
    """A new person with the password of the exercise, signed in."""
    username = f"{name}_{uuid7().hex[-12:]}"
    async with Speaker(app) as door:
        payload = {"username": username, "password": "secret", "fullname": name.title()}
        made = await door.say("POST", "/users", 201, json=payload)
        tokens = await door.say(
            "POST", "/authentications", 201, json={"username": username, "password": payload["password"]}
        )
    speaker = Speaker(app, tokens["accessToken"])
    speaker.user_id, speaker.username, speaker.refresh_token = made["userId"], username, tokens["refreshToken"]
    return speaker


@pytest.fixture
async def john(speaking: FastAPI) -> AsyncIterator[Speaker]:
    async with await sign_up(speaking, "john") as speaker:
        yield speaker


@pytest.fixture
async def jane(speaking: FastAPI) -> AsyncIterator[Speaker]:
    async with await sign_up(speaking, "jane") as speaker:
        yield speaker


async def add_album(speaker: Speaker, name: str = "Viva la vida", year: int = 2008) -> str:
    data = await speaker.say("POST", "/albums", 201, json={"name": name, "year": year})
    album_id: str = data["albumId"]
    return album_id


SONG = {"title": "Life in Technicolor", "year": 2008, "performer": "Coldplay", "genre": "Pop", "duration": 120}


async def add_song(speaker: Speaker, **changes: Any) -> str:
    data = await speaker.say("POST", "/songs", 201, json=SONG | changes)
    song_id: str = data["songId"]
    return song_id


async def forget_limits(infra: Infra) -> None:
    """What this address has spent is not held against the tests that come after."""
    async for key in infra.redis.scan_iter("limit:*"):
        await infra.redis.delete(key)
