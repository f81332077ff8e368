"""Every answer on its paths has the envelope; off, there is nothing of it."""

import asyncio
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.api import api
from app.compat.openmusic.envelope import SEGMENTS
from app.compat.openmusic.mounting import ROUTERS
from app.core.auth import Login
from app.core.config import Settings
from app.main import create_app
from tests.compat.openmusic.conftest import SONG, Speaker, add_album, add_song, forget_limits
from tests.conftest import running, serving
from tests.rules.sources import flat

OPEN = {
    "add_album",
    "get_album",
    "edit_album",
    "delete_album_and_songs",
    "add_cover",
    "count_likes",
    "add_song",
    "list_songs",
    "get_song",
    "edit_song",
    "delete_song",
    "add_user",
    "sign_in",
    "refresh_access",
    "sign_out",
}
"""What the exercise asks no login for."""
ROUTES: list[Any] = [route for router in ROUTERS for route in router.routes]


@pytest.mark.parametrize("path", sorted(f"/{segment}" for segment in SEGMENTS))
async def test_what_is_not_there_has_the_envelope(anybody: Speaker, path: str) -> None:
    await anybody.say("GET", f"{path}/no/such/path", 404)
    await anybody.say("PATCH", path, 405 if path != "/export" else 404)


async def test_a_wrong_method_tells_the_right_ones(anybody: Speaker) -> None:
    answer = await anybody.delete("/songs")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    assert answer.json()["status"] == "fail"


async def test_other_paths_keep_their_problems(anybody: Speaker) -> None:
    for path in ("/api/v1/albums/xxx", "/albumsxxx", "/", "/api/v1/none"):
        answer = await anybody.get(path)
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_request_of_no_path_at_all(speaking: FastAPI, settings: Settings) -> None:
    async with serving(speaking, settings) as address:
        reader, writer = await asyncio.open_connection(*address.removeprefix("http://").split(":"))
        writer.write(b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    assert b" 404 " in answer.splitlines()[0]
    assert b"application/problem+json" in answer


async def test_a_slash_at_the_end_changes_nothing(anybody: Speaker) -> None:
    data = await anybody.say("POST", "/albums/", 201, json={"name": "X&Y", "year": 2005})
    assert (await anybody.say("GET", f"/albums/{data['albumId']}/", 200))["album"]["name"] == "X&Y"


async def test_too_large_a_body(anybody: Speaker) -> None:
    await anybody.say("POST", "/albums", 413, json={"name": "x" * 1_100_000, "year": 2005})

    async def chunks() -> Any:
        for _ in range(12):
            yield b" " * 100_000

    await anybody.say("POST", "/albums", 413, content=chunks(), headers={"Content-Type": "application/json"})


async def test_too_many_requests(settings: Settings) -> None:
    few = {"openmusic_compat": True, "rate_limits": True, "rate_limit_address_per_minute": 2}
    async with running(settings.model_copy(update=few)) as app, Speaker(app) as anybody:
        for status in (200, 200, 429):
            await anybody.say("GET", "/songs", status)
        answer = await anybody.get("/songs")
        assert int(answer.headers["retry-after"]) > 0
        await forget_limits(app.state.infra)


async def test_our_own_faults(speaking: FastAPI, anybody: Speaker) -> None:
    @speaking.get("/songs/{song_id}/fails")
    async def fails(song_id: str) -> None:
        raise ZeroDivisionError(song_id)

    message = await anybody.say("GET", "/songs/1/fails", 500)
    assert "Zero" not in message


async def test_a_database_that_hangs(settings: Settings) -> None:
    hasty = settings.model_copy(update={"openmusic_compat": True, "database_timeout_seconds": 0.5})
    async with running(hasty) as app, Speaker(app) as anybody:
        album_id = await add_album(anybody)
        async with app.state.infra.db.write() as db:
            await db.records("LOCK TABLE openmusic_songs", [])
            await anybody.say("GET", f"/songs/{album_id}", 503)
            await anybody.say("POST", "/songs", 503, json=SONG)
            answer = await anybody.get(f"/songs/{album_id}")
            assert int(answer.headers["retry-after"]) > 0


async def test_answers_keep_their_headers(anybody: Speaker) -> None:
    answer = await anybody.post("/albums/xxx/likes")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert len(answer.headers["x-request-id"]) == 16
    assert int(answer.headers["content-length"]) == len(answer.content)


async def test_a_repeated_request_is_answered_once(anybody: Speaker, john: Speaker) -> None:
    headers = {"Idempotency-Key": john.username}
    likes = f"/albums/{await add_album(anybody)}/likes"
    assert await john.say("POST", likes, 201, headers=headers) == await john.say("POST", likes, 201, headers=headers)


def test_only_what_the_exercise_leaves_open_is_open() -> None:
    def needs_login(route: Any) -> bool:
        return any(isinstance(found.call, Login) and found.call._required for found in flat(route.dependant))

    assert {route.name for route in ROUTES if not needs_login(route)} == OPEN


def test_every_path_is_one_of_its_own() -> None:
    assert {route.path.split("/")[1] for route in ROUTES} <= SEGMENTS
    assert not [route for route in api.routes if getattr(route, "path", "").split("/")[1] in SEGMENTS]


async def test_it_is_documented_apart(speaking: FastAPI, anybody: Speaker) -> None:
    document = (await anybody.get("/openmusic/openapi.json")).json()
    assert {path.split("/")[1] for path in document["paths"]} <= SEGMENTS
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations) == len(ROUTES)
    assert all(operation["summary"] and operation["description"] for operation in operations)
    assert not any(path.startswith("/albums") for path in speaking.openapi()["paths"])
    page = await anybody.get("/openmusic/docs")
    assert "/openmusic/openapi.json" in page.text


async def test_it_is_off_by_default_and_then_absent(client: httpx.AsyncClient) -> None:
    assert Settings(_env_file=None).openmusic_compat is False
    for method, path in [("GET", "/songs"), ("POST", "/albums"), ("GET", "/openmusic/openapi.json"), ("GET", "/users")]:
        answer = await client.request(method, f"http://soundscore.test{path}", json={})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_it_changes_nothing_of_the_main_document() -> None:
    plain, speaking = (
        create_app(Settings(environment="test", log_level="WARNING", openmusic_compat=on, _env_file=None))
        for on in (False, True)
    )
    assert plain.openapi() == speaking.openapi()


async def test_songs_and_albums_need_no_more_than_the_exercise(anybody: Speaker) -> None:
    """Both are searched by everybody at /api/v1 too."""
    song_id = await add_song(anybody, title="Technicolor everywhere")
    found = (await anybody.get("/api/v1/search", params={"q": "technicolor everywhere"})).json()
    assert song_id in {hit["id"] for hit in found["items"]}
