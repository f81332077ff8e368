"""The local stand-in of the storage."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from app.core.infra import Infra
from app.integrations.grants import Grant, Grants
from app.integrations.storage import BadKey, LocalStorage, Presigned, storage


@pytest.fixture
def files(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "media", secret=b"secret", uploads_url="http://here/uploads")


async def read(files: LocalStorage, key: str, **part: int) -> bytes | None:
    pieces = await files.get(key, **part)
    return None if pieces is None else b"".join([piece async for piece in pieces])


async def test_what_is_put_can_be_got(files: LocalStorage) -> None:
    await files.put("covers/a.webp", b"0123456789", content_type="image/webp")
    assert await read(files, "covers/a.webp") == b"0123456789"
    stat = await files.stat("covers/a.webp")
    assert stat is not None
    assert (stat.size, stat.content_type) == (10, None)
    assert await files.presign_get("covers/a.webp", seconds=60) is None


async def test_a_part(files: LocalStorage) -> None:
    content = bytes(range(256)) * 4000
    await files.put("audio/a.mp3", content, content_type="audio/mpeg")
    for start, end in ((0, 10), (1000, 700_000), (5, None), (1_000_000, 9_000_000), (10, 10), (9_000_000, None)):
        assert (
            await read(files, "audio/a.mp3", start=start, **({} if end is None else {"end": end})) == content[start:end]
        )


async def test_pieces(files: LocalStorage) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for letter in b"abc":
            yield bytes([letter])
            await asyncio.sleep(0)

    await files.put("a/b/c/d.bin", pieces(), content_type="application/octet-stream")
    assert await read(files, "a/b/c/d.bin") == b"abc"


async def test_half_an_upload_leaves_nothing(files: LocalStorage, tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"half"
        raise ConnectionError

    await files.put("covers/a.webp", b"whole", content_type="image/webp")
    with pytest.raises(ConnectionError):
        await files.put("covers/a.webp", broken(), content_type="image/webp")
    assert await read(files, "covers/a.webp") == b"whole"
    assert [path.name for path in (tmp_path / "media").rglob("*") if path.is_file()] == ["a.webp"]


async def test_what_is_not_there(files: LocalStorage) -> None:
    assert await read(files, "covers/none.webp") is None
    assert await files.stat("covers/none.webp") is None
    assert await files.copy("covers/none.webp", "covers/other.webp") is False
    await files.delete("covers/none.webp")


async def test_what_is_deleted_is_gone(files: LocalStorage) -> None:
    await files.put("a.txt", b"a", content_type="text/plain")
    await files.delete("a.txt")
    assert await files.stat("a.txt") is None


async def test_a_copy_is_an_object_of_its_own(files: LocalStorage) -> None:
    await files.put("in/a.txt", b"a", content_type="text/plain")
    assert await files.copy("in/a.txt", "out/a.txt") is True
    await files.put("in/a.txt", b"b", content_type="text/plain")
    assert await read(files, "out/a.txt") == b"a"


async def test_a_list(files: LocalStorage) -> None:
    for key in ("covers/a.webp", "covers/deep/b.webp", "other/c.webp"):
        await files.put(key, b"1234", content_type="image/webp")
    found = [stored async for stored in files.list("covers/")]
    assert {(stored.key, stored.size) for stored in found} == {("covers/a.webp", 4), ("covers/deep/b.webp", 4)}
    assert [stored async for stored in files.list("covers/", older_than=timedelta(hours=1))] == []
    assert [stored async for stored in files.list("nothing/")] == []
    with pytest.raises(BadKey):
        [stored async for stored in files.list("../")]


async def test_drafts_of_the_dead_are_forgotten(files: LocalStorage, tmp_path: Path) -> None:
    drafts = tmp_path / "media" / ".drafts"
    drafts.mkdir(parents=True)
    old, new = drafts / "old", drafts / "new"
    old.touch(), new.touch()
    os.utime(old, (0, 0))
    files.forget_drafts()
    assert (old.exists(), new.exists()) == (False, True)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        "../a.txt",
        "a/../b.txt",
        "a//b.txt",
        "a\\b.txt",
        "A.txt",
        ".hidden",
        "a/.b.txt",
        "a",
        "a/b/",
        "a.txt\n",
        "a\0.txt",
        "a/b/c/d/e.txt",
        "x" * 200 + ".txt",
        "ä.txt",
        "a:b.txt",
    ],
)
async def test_keys_that_are_refused(files: LocalStorage, key: str) -> None:
    await files.put("a.txt", b"a", content_type="text/plain")
    for refused in (
        files.put(key, b"", content_type="text/plain"),
        files.get(key),
        files.stat(key),
        files.copy(key, "a.txt"),
        files.copy("a.txt", key),
        files.presign_put(key, content_type="text/plain", size=1, seconds=60),
        files.presign_get(key, seconds=60),
        files.delete(key),
    ):
        with pytest.raises(BadKey):
            await refused


@pytest.fixture
async def link(infra: Infra) -> Presigned:
    key = f"uploads/{os.urandom(8).hex()}.mp3"
    return await infra.part(storage).presign_put(key, content_type="audio/mpeg", size=10, seconds=60)


def key_of(infra: Infra, link: Presigned) -> str:
    return Grants(infra.settings.secret).read(link.url.rpartition("/")[2]).key


AUDIO = {"Content-Type": "audio/mpeg"}


async def test_an_upload_by_link(client: httpx.AsyncClient, infra: Infra, link: Presigned) -> None:
    assert (link.method, link.headers) == ("PUT", AUDIO)
    assert link.url.startswith("http://soundscore.test/api/v1/files/")
    for content in (b"0123456789", b"9876543210"):
        assert (await client.put(link.url, content=content, headers=link.headers)).status_code == 204
        stat = await infra.part(storage).stat(key_of(infra, link))
        assert stat is not None
        assert stat.size == 10


async def test_an_upload_may_be_larger_than_json(client: httpx.AsyncClient, infra: Infra) -> None:
    size = 3_000_000
    link = await infra.part(storage).presign_put("uploads/large.mp3", content_type="audio/mpeg", size=size, seconds=60)
    assert (await client.put(link.url, content=b"x" * size, headers=AUDIO)).status_code == 204
    assert (await client.put("/files/none", content=b"x" * 105_000_000)).status_code == 413
    assert (await client.put("/nowhere", content=b"x" * size)).status_code == 413
    assert (await client.post("/reviews", content=b"x" * size)).status_code == 413


@pytest.mark.parametrize(
    ("headers", "content", "header"),
    [
        ({"Content-Type": "audio/flac"}, b"0123456789", "type"),
        ({}, b"0123456789", "type"),
        (AUDIO, b"0123456789x", "length"),
        (AUDIO, b"012345678", "length"),
        (AUDIO | {"Content-Length": "-10"}, b"0123456789", "length"),
    ],
)
async def test_an_upload_of_something_else(  # noqa: PLR0917
    client: httpx.AsyncClient, infra: Infra, link: Presigned, headers: dict[str, str], content: bytes, header: str
) -> None:
    answer = await client.put(link.url, content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "upload_mismatch")
    assert answer.json()["errors"][0]["pointer"] == f"/header/content-{header}"
    assert await infra.part(storage).stat(key_of(infra, link)) is None


@pytest.mark.parametrize("count", [9, 11])
async def test_an_upload_that_says_the_right_length_and_has_another(
    client: httpx.AsyncClient, infra: Infra, link: Presigned, count: int
) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"x"

    headers = AUDIO | {"Content-Length": "10"}
    answer = await client.put(link.url, content=body(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "upload_mismatch")
    assert await infra.part(storage).stat(key_of(infra, link)) is None


async def test_an_upload_without_a_length(client: httpx.AsyncClient, link: Presigned) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"0123456789"

    answer = await client.put(link.url, content=body(), headers=AUDIO)
    assert answer.json()["errors"][0]["pointer"] == "/header/content-length"


async def test_links_that_are_not_ours(client: httpx.AsyncClient, link: Presigned) -> None:
    grant = Grant("uploads/a.mp3", "audio/mpeg", 10, int(time.time()) + 60)
    foreign, cut = Grants(b"another secret").sign(grant), link.url[:-1]
    longer = link.url.replace("files/", "files/x", 1)
    for path in (f"/files/{foreign}", cut, longer, "/files/x.y"):
        answer = await client.put(path, content=b"0123456789", headers=AUDIO)
        assert (answer.status_code, answer.json()["code"]) == (403, "upload_link_invalid"), path


async def test_a_link_that_has_expired(client: httpx.AsyncClient, infra: Infra) -> None:
    link = await infra.part(storage).presign_put("uploads/a.mp3", content_type="audio/mpeg", size=10, seconds=-1)
    answer = await client.put(link.url, content=b"0123456789", headers=AUDIO)
    assert (answer.status_code, answer.json()["code"]) == (410, "upload_link_expired")
