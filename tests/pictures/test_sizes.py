"""The sizes of a picture, and how they are given out."""

from io import BytesIO

import httpx
import pytest
from PIL import Image

from app.core.infra import Infra
from app.integrations.storage import storage
from tests.people import People, Person, queries
from tests.pictures.factories import picture


@pytest.fixture(scope="module")
async def ana(people: People) -> Person:
    return await people.make("ana")


def size_of(content: bytes) -> tuple[int, int]:
    with Image.open(BytesIO(content)) as image:
        assert image.format == "WEBP"
        return image.size


async def test_fixed_sizes(ana: Person, client: httpx.AsyncClient) -> None:
    stored = (await ana.put("/users/me/avatar", content=picture("JPEG", (3000, 1500)))).json()
    assert (stored["width"], stored["height"], stored["url"]) == (1000, 500, f"/api/v1/media/{stored['key']}")
    path = f"/media/{stored['key']}"
    answers = [await client.get(f"{path}{query}") for query in ("", "?size=320", "?size=96")]
    assert [size_of(answer.content) for answer in answers] == [(1000, 500), (320, 160), (96, 48)]
    assert len({answer.headers["etag"] for answer in answers}) == 3
    assert {answer.headers["cache-control"] for answer in answers} == {"public, max-age=31536000, immutable"}
    for answer, query in zip(answers, ("", "?size=320", "?size=96"), strict=True):
        again = await client.get(f"{path}{query}", headers={"If-None-Match": f'"x", {answer.headers["etag"]}'})
        assert (again.status_code, again.content) == (304, b"")
    assert size_of((await client.get(path.replace(".webp", "-320.webp"))).content) == (320, 160)


async def test_a_picture_that_is_small_already(ana: Person, client: httpx.AsyncClient) -> None:
    key = (await ana.put("/users/me/avatar", content=picture(size=(200, 100)))).json()["key"]
    sizes = [size_of((await client.get(f"/media/{key}{query}")).content) for query in ("", "?size=320", "?size=96")]
    assert sizes == [(200, 100), (200, 100), (96, 48)]


@pytest.mark.parametrize("size", ["1000", "0", "x", "-96", "320.5"])
async def test_sizes_that_there_are_not(client: httpx.AsyncClient, size: str) -> None:
    answer = await client.get(f"/media/covers/none.webp?size={size}")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/query/size")


async def test_keys_tell_nothing(ana: Person) -> None:
    keys = {(await ana.put("/users/me/avatar", content=picture())).json()["key"] for _ in range(2)}
    assert len(keys) == 2


async def test_a_picture_costs_no_statement(ana: Person, client: httpx.AsyncClient, infra: Infra) -> None:
    async with queries(infra) as ran:
        key = (await ana.put("/users/me/avatar", content=picture())).json()["key"]
    assert ran[0] <= 4, "hold, update, job and its key"
    async with queries(infra) as ran:
        assert (await client.get(f"/media/{key}?size=96")).status_code == 200
    assert ran == [0]


async def test_only_pictures_are_given_out(client: httpx.AsyncClient, infra: Infra) -> None:
    for key in ("uploads/a.mp3", "exports/a.zip"):
        await infra.part(storage).put(key, b"private", content_type="audio/mpeg")
        for query in ("", "?size=96"):
            assert (await client.get(f"/media/{key}{query}")).status_code == 404


async def test_what_is_no_picture_has_not_changed_either(client: httpx.AsyncClient) -> None:
    for path in ("/media/anything", "/media/%E6%BC%A2", "/media/covers/none.webp"):
        assert (await client.get(path, headers={"If-None-Match": "*"})).status_code == 404, path
