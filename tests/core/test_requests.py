"""What every request gets, whatever its route: problems, ids, headers, limits of size."""

import json

import httpx
import pytest
from fastapi import FastAPI
from pydantic import ValidationError
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.routing import Route

from app.core.addresses import Proxies, client_address
from app.core.config import Settings
from app.core.infra import Infra
from app.main import create_app
from tests.conftest import http_client
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


@pytest.fixture
def browser_app(infra: Infra) -> FastAPI:
    """An application that pages of one other origin may use, with a route that fails."""
    app = create_app(infra.settings.model_copy(update={"cors_origins": ["https://app.example"]}))
    app.state.infra = infra

    async def fail(_: Request) -> None:
        raise RuntimeError("nobody has foreseen this")

    app.router.routes.insert(0, Route("/fails", fail))
    return app


async def test_what_nobody_has_foreseen_is_a_problem_that_browsers_can_read(browser_app: FastAPI) -> None:
    async with http_client(browser_app) as client:
        answer = await client.get("http://soundscore.test/fails", headers={"Origin": "https://app.example"})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("name", ["Range", "If-Range", "If-Match", "Cache-Control", "X-Request-ID", "traceparent"])
async def test_pages_of_known_origins_may_send(browser_app: FastAPI, name: str) -> None:
    asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
    async with http_client(browser_app) as client:
        answer = await client.options("/albums", headers={**asked, "Access-Control-Request-Headers": name})
        other = await client.options("/albums", headers={**asked, "Access-Control-Request-Headers": "X-Other"})
    assert (answer.status_code, other.status_code) == (200, 400)


async def test_pages_of_known_origins_may_read(browser_app: FastAPI) -> None:
    async with http_client(browser_app) as client:
        answer = await client.get("/albums", headers={"Origin": "https://app.example"})
    read = answer.headers["access-control-expose-headers"]
    for name in ("Location", "Content-Range", "Idempotent-Replayed", "Link", "ETag"):
        assert name in read


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        ([], "1.2.3.4", "127.0.0.1"),
        (["127.0.0.1"], "1.2.3.4", "1.2.3.4"),
        (["127.0.0.0/8", "10.0.0.0/8"], "9.9.9.9, 1.2.3.4, 10.7.0.3", "1.2.3.4"),
        (["10.0.0.0/8"], "1.2.3.4", "127.0.0.1"),
        (["127.0.0.0/8", "2001:db8::/32"], "2001:db9:1:2:3::4, 2001:db8::1", "2001:db9:1:2::/64"),
        (["127.0.0.1"], "nonsense", "nonsense"),
    ],
)
def test_whose_address_counts(proxies: list[str], forwarded: str, address: str) -> None:
    headers = Headers({"x-forwarded-for": forwarded})
    assert client_address({"client": ("127.0.0.1", 1)}, headers, Proxies(proxies)) == address


def test_a_proxy_that_is_no_address_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"neither an address nor a network such as 10\.0\.0\.0/8"):
        Settings(trusted_proxies="10.0.0.0/8, railway", _env_file=None)
