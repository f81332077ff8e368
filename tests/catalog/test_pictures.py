"""Covers: what is accepted, how it is kept, how it is given out."""

from io import BytesIO
from uuid import UUID

import httpx
import pytest
from PIL import Image
from sqlalchemy import update

from app.catalog.models import Album
from app.core.ids import uuid7
from app.core.infra import Infra
from app.core.job_runner import drain
from app.integrations.storage import storage
from tests.catalog.factories import add_album, add_artist
from tests.people import Person
from tests.pictures.factories import bomb, picture


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
async def test_a_cover_is_kept_as_webp(curator: Person, client: httpx.AsyncClient, kind: str) -> None:
    album = await add_album(curator)
    stored = await curator.put(f"/albums/{album['id']}/cover", content=picture(kind))
    assert stored.status_code == 200, stored.text
    assert stored.json()["url"] == f"/api/v1/media/{stored.json()['key']}"
    assert (await client.get(f"/albums/{album['id']}")).json()["cover_key"] == stored.json()["key"]
    answer = await client.get(f"/media/{stored.json()['key']}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
    assert int(answer.headers["content-length"]) == len(answer.content)
    with Image.open(BytesIO(answer.content)) as image:
        assert (image.format, image.size) == ("WEBP", (40, 30))


async def test_a_form_will_do(curator: Person) -> None:
    album = await add_album(curator)
    for field in ("file", "cover"):
        form = {field: ("cover.txt", picture(colour=(field == "file" and "red") or "blue"), "text/plain")}
        assert (await curator.put(f"/albums/{album['id']}/cover", files=form)).status_code == 200
    empty = await curator.put(f"/albums/{album['id']}/cover", files={"other": ("a.png", picture())})
    assert (empty.status_code, empty.json()["errors"][0]["code"]) == (422, "missing")


async def test_browsers_keep_it_for_ever(curator: Person, client: httpx.AsyncClient) -> None:
    album = await add_album(curator)
    key = (await curator.put(f"/albums/{album['id']}/cover", content=picture())).json()["key"]
    answer = await client.get(f"/media/{key}")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    again = await client.get(f"/media/{key}", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_large_pictures_become_smaller(curator: Person, client: httpx.AsyncClient) -> None:
    album = await add_album(curator)
    key = (await curator.put(f"/albums/{album['id']}/cover", content=picture("JPEG", (3000, 1500)))).json()["key"]
    with Image.open(BytesIO((await client.get(f"/media/{key}")).content)) as image:
        assert image.size == (1000, 500)


async def test_nothing_but_the_picture_stays(curator: Person, client: httpx.AsyncClient) -> None:
    album = await add_album(curator)
    image, out, exif = Image.new("RGB", (40, 20), "teal"), BytesIO(), Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "taken at home"
    image.save(out, "JPEG", exif=exif)
    key = (await curator.put(f"/albums/{album['id']}/cover", content=out.getvalue())).json()["key"]
    content = (await client.get(f"/media/{key}")).content
    assert b"taken at home" not in content
    with Image.open(BytesIO(content)) as upright:
        assert (upright.size, len(upright.getexif())) == ((20, 40), 0)


async def test_transparency_stays(curator: Person, client: httpx.AsyncClient) -> None:
    album = await add_album(curator)
    out = BytesIO()
    Image.new("RGBA", (10, 10), (255, 0, 0, 0)).save(out, "PNG")
    key = (await curator.put(f"/albums/{album['id']}/cover", content=out.getvalue())).json()["key"]
    with Image.open(BytesIO((await client.get(f"/media/{key}")).content)) as image:
        assert image.getpixel((5, 5))[3] == 0  # type: ignore[index]


@pytest.mark.parametrize(
    "content",
    [b"", b"no picture", b"<svg xmlns='http://www.w3.org/2000/svg'/>", picture()[:60], picture("BMP"), bomb()],
    ids=["empty", "text", "svg", "cut", "bmp", "bomb"],
)
async def test_what_is_no_picture(curator: Person, content: bytes) -> None:
    album = await add_album(curator)
    answer = await curator.put(f"/albums/{album['id']}/cover", content=content)
    assert (answer.status_code, answer.json()["code"]) == (422, "not_an_image")


async def test_a_small_file_of_many_pixels(curator: Person) -> None:
    album = await add_album(curator)
    out = BytesIO()
    Image.new("1", (4001, 4000)).save(out, "PNG")
    assert len(out.getvalue()) < 10_000
    answer = await curator.put(f"/albums/{album['id']}/cover", content=out.getvalue())
    assert (answer.status_code, answer.json()["code"]) == (422, "not_an_image")
    assert "4001 x 4000 pixels" in answer.json()["detail"]


async def test_too_large(curator: Person) -> None:
    album = await add_album(curator)
    path = f"/albums/{album['id']}/cover"

    async def pieces() -> object:
        for _ in range(6):
            yield b"x" * 100_000

    answers = [
        await curator.put(path, content=b"x" * 512_001),
        await curator.put(path, content=pieces()),  # type: ignore[arg-type]
        await curator.put(path, files={"file": ("a.png", b"x" * 512_001)}),
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(413, "picture_too_large")}
    exact = await curator.put(path, content=b"x" * 512_000)
    assert exact.status_code == 422


async def test_an_unknown_album(curator: Person) -> None:
    assert (await curator.put(f"/albums/{uuid7()}/cover", content=picture())).status_code == 404
    assert (await curator.delete(f"/albums/{uuid7()}/cover")).status_code == 404


async def test_an_artist_has_a_picture_too(curator: Person, client: httpx.AsyncClient) -> None:
    artist = await add_artist(curator)
    key = (await curator.put(f"/artists/{artist['id']}/picture", content=picture())).json()["key"]
    assert key.startswith("artists/")
    assert (await client.get(f"/artists/{artist['id']}")).json()["image_key"] == key
    assert (await client.get(f"/media/{key}")).status_code == 200
    assert (await curator.delete(f"/artists/{artist['id']}/picture")).status_code == 204
    assert (await client.get(f"/artists/{artist['id']}")).json()["image_key"] is None


async def test_what_nothing_shows_is_dropped(curator: Person, client: httpx.AsyncClient, infra: Infra) -> None:
    first, second = await add_album(curator), await add_album(curator)
    content = picture(colour="#123456", size=(330, 440))
    path = f"/albums/{first['id']}/cover"
    key = (await curator.put(path, content=content)).json()["key"]
    async with infra.db.write() as db:  # as after a merge
        await db.execute(update(Album).where(Album.id == UUID(second["id"])).values(cover_key=key))
    await curator.delete(path)
    await drain(infra)
    assert (await client.get(f"/media/{key}")).status_code == 200
    await curator.put(f"/albums/{second['id']}/cover", content=picture(colour="#654321"))
    await drain(infra)
    assert (await client.get(f"/media/{key}")).status_code == 404
    assert [stored async for stored in infra.part(storage).list(key.removesuffix(".webp"))] == []


@pytest.mark.parametrize(
    "key",
    [
        "covers/none.webp",
        "../secret_key",
        "covers/../../secret_key",
        "%2e%2e/secret_key",
        "covers//x.webp",
        "/etc/passwd",
        "covers/.draft-x.webp",
        "covers",
        "covers/a\\b.webp",
    ],
)
async def test_keys_are_no_paths(client: httpx.AsyncClient, key: str) -> None:
    assert (await client.get(f"/media/{key}")).status_code == 404


async def test_private_files_are_not_given_out(client: httpx.AsyncClient, infra: Infra) -> None:
    key = f"exports/{uuid7()}.zip"
    await infra.part(storage).put(key, b"private", content_type="application/zip")
    assert (await client.get(f"/media/{key}")).status_code == 404
