"""Portraits and banners."""

from datetime import UTC, datetime

import httpx
import pytest

from tests.people import People
from tests.pictures.factories import picture


@pytest.mark.parametrize("field", ["avatar", "banner"])
async def test_a_picture_of_oneself(people: People, client: httpx.AsyncClient, field: str) -> None:
    ana = await people.make("ana")
    stored = await ana.put(f"/users/me/{field}", content=picture("JPEG", (2000, 1000)))
    assert stored.status_code == 200, stored.text
    key = stored.json()["key"]
    assert key.startswith(f"{field}s/")
    assert stored.json()["width"] == {"avatar": 1000, "banner": 1280}[field]
    for profile in (await ana.get("/users/me"), await client.get(f"/users/{ana.username}")):
        assert profile.json()[f"{field}_key"] == key
    assert (await client.get(f"/media/{key}?size=96")).headers["content-type"] == "image/webp"
    assert (await ana.delete(f"/users/me/{field}")).status_code == 204
    assert (await ana.get("/users/me")).json()[f"{field}_key"] is None


async def test_a_form_will_do(people: People) -> None:
    ana = await people.make("ana")
    form = {"file": ("../../etc/passwd", picture("GIF"), "text/plain")}
    assert (await ana.put("/users/me/avatar", files=form)).status_code == 200
    missing = await ana.put("/users/me/avatar", files={"other": ("a.png", picture())})
    assert (missing.status_code, missing.json()["errors"][0]["pointer"]) == (422, "/body/file")


@pytest.mark.parametrize("form", [b"", b"--a\r\n[\r\n--a--", b"--b--", b"--a\r\n" * 3])
async def test_a_form_that_is_none(people: People, form: bytes) -> None:
    ana = await people.make("ana")
    headers = {"Content-Type": "multipart/form-data; boundary=a"}
    answer = await ana.put("/users/me/avatar", content=form, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"][:5]) == (422, "/body")
    two = await ana.put("/users/me/avatar", files=[("file", ("a", picture())), ("cover", ("b", picture()))])
    assert (two.status_code, two.json()["errors"][0]["code"]) == (422, "form")


async def test_five_million_bytes(people: People) -> None:
    ana = await people.make("ana")
    exact, more = (picture() + b"\0" * (size - len(picture())) for size in (5_000_000, 5_000_001))
    assert (await ana.put("/users/me/avatar", content=exact)).status_code == 200
    assert (await ana.put("/users/me/avatar", files={"file": ("a", exact)})).status_code == 200
    for answer in (
        await ana.put("/users/me/avatar", content=more),
        await ana.put("/users/me/avatar", files={"file": ("a", more)}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (413, "picture_too_large")
        assert "5,000,000" in answer.json()["detail"]
    assert (await ana.put("/users/me/avatar", content=b"x" * 5_100_000)).status_code == 413


async def test_a_restricted_profile_shows_no_banner(people: People, client: httpx.AsyncClient) -> None:
    ana = await people.make("ana", profile_visibility="me", banner_key="banners/a.webp")
    assert (await client.get(f"/users/{ana.username}")).json()["banner_key"] is None


async def test_whoever_has_left_has_no_picture(people: People) -> None:
    ana = await people.make("ana")
    gone = await people.make("gone", deleted_at=datetime.now(UTC))
    assert (await gone.put("/users/me/avatar", content=picture())).status_code == 404
    assert (await ana.patch("/users/me", json={"banner_key": "x"})).status_code == 422
