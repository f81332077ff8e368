"""Pages of other origins: which are let in, as CORS_ORIGINS says."""

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from app.core.config import Settings
from tests.conftest import http_client, running, serving
from tests.people import People
from tests.rooms.factories import open_room
from tests.sockets import sit

HERE, ELSEWHERE = "https://app.example", "https://elsewhere.example"


@pytest.mark.parametrize(("origins", "strangers"), [(HERE, False), ("*", True)])
async def test_requests_and_sockets_let_in_the_same_pages(settings: Settings, origins: str, strangers: bool) -> None:
    trusting = Settings(**settings.model_dump(exclude={"cors_origins"}), cors_origins=origins, _env_file=None)
    async with running(trusting) as app, People(app) as people, serving(app, trusting) as live:
        ana = await people.make("ana")
        room = await open_room(ana)
        for origin, welcome in ((HERE, True), (ELSEWHERE, strangers)):
            async with http_client(app) as client:
                assert ("access-control-allow-origin" in await read(client, origin)) is welcome
            try:
                async with sit(live, f"rooms/{room['id']}", ana, origin=origin):
                    is_in = True
            except InvalidStatus:
                is_in = False
            assert is_in is welcome


async def read(client: httpx.AsyncClient, origin: str) -> httpx.Headers:
    return (await client.get("/rooms", headers={"Origin": origin})).headers


def test_an_origin_is_compared_as_browsers_send_it() -> None:
    read = Settings(cors_origins="https://App.example/, http://localhost:5173", _env_file=None)
    assert read.cors_origins == ["https://app.example", "http://localhost:5173"]
