"""What every request gets, whatever its route: problems, ids, headers, limits of size."""

import json

import httpx
import pytest
from fastapi import FastAPI

from tests.people import People


@pytest.mark.parametrize("path", ["/nowhere", "/livez"])
async def test_headers_of_every_answer(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(f"http://soundscore.test{path}")
    headers = answer.headers
    assert len(headers["x-request-id"]) == 16
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"


async def test_a_wrong_method_is_a_problem(client: httpx.AsyncClient) -> None:
    answer = await client.post("http://soundscore.test/livez")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_body_that_is_announced_too_large_is_refused_unread(client: httpx.AsyncClient) -> None:
    answer = await client.post("/auth/login/json", content=b"x", headers={"Content-Length": "99999999"})
    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")


async def test_a_body_that_grows_too_large_is_refused(client: httpx.AsyncClient) -> None:
    async def chunks():
        for _ in range(40):
            yield b" " * 65_536

    answer = await client.post("/auth/login/json", content=chunks(), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")


async def test_broken_json_says_so(people: People) -> None:
    ana = await people.make("ana")
    answer = await ana.post("/reviews", content=b'{"a": ', headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "json_invalid"


async def test_an_unknown_field_is_named(people: People) -> None:
    ana = await people.make("ana")
    answer = await ana.post("/reviews", json={"nonsense": 1, "rating": "8"})
    pointers = {error["pointer"] for error in answer.json()["errors"]}
    assert answer.status_code == 422
    assert {"/body/nonsense", "/body/rating", "/body/album_id"} <= pointers


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Basic abc", "Bearer a.b.c", "Token x"])
async def test_a_bad_authorization_header_is_401_even_where_no_login_is_needed(
    client: httpx.AsyncClient, header: str
) -> None:
    answer = await client.get("/reviews", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_metrics_name_routes_and_not_paths(app: FastAPI, client: httpx.AsyncClient, people: People) -> None:
    ana = await people.make("ana")
    await client.get(f"/users/{ana.username}")
    text = (await client.get("http://soundscore.test/metrics")).text
    assert "http_server_request_duration_seconds_bucket" in text
    assert 'http_route="/api/v1/users/{username}"' in text
    assert ana.username not in text


async def test_the_documentation_needs_no_internet(client: httpx.AsyncClient) -> None:
    for page in ("/docs", "/redoc"):
        html = (await client.get(f"http://soundscore.test{page}")).text
        assert "https://" not in html.replace("https://github.com", "")
        for asset in [part.split('"')[0] for part in html.split('src="')[1:]]:
            assert (await client.get(f"http://soundscore.test{asset}")).status_code == 200


async def test_openapi_is_json_with_problems(client: httpx.AsyncClient) -> None:
    document = json.loads((await client.get("http://soundscore.test/openapi.json")).text)
    assert "Problem" in document["components"]["schemas"]
