"""The local stand-in of the storage."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.integrations.storage import BadKey, LocalStorage


@pytest.fixture
def files(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "media")


async def read(files: LocalStorage, key: str, **part: int) -> bytes | None:
    pieces = await files.get(key, **part)
    return None if pieces is None else b"".join([piece async for piece in pieces])


async def test_what_is_put_can_be_got(files: LocalStorage) -> None:
    await files.put("covers/a.webp", b"0123456789", content_type="image/webp")
    assert await read(files, "covers/a.webp") == b"0123456789"
    assert (await files.size("covers/a.webp"), await files.exists("covers/a.webp")) == (10, True)
    assert files.url("covers/a.webp") is None


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
    assert [path.name for path in (tmp_path / "media" / "covers").iterdir()] == ["a.webp"]


async def test_what_is_not_there(files: LocalStorage) -> None:
    assert await read(files, "covers/none.webp") is None
    assert (await files.size("covers/none.webp"), await files.exists("covers/none.webp")) == (None, False)
    await files.delete("covers/none.webp")


async def test_what_is_deleted_is_gone(files: LocalStorage) -> None:
    await files.put("a.txt", b"a", content_type="text/plain")
    await files.delete("a.txt")
    assert not await files.exists("a.txt")


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
    for refused in (
        files.put(key, b"", content_type="text/plain"),
        files.get(key),
        files.size(key),
        files.exists(key),
        files.delete(key),
    ):
        with pytest.raises(BadKey):
            await refused
    with pytest.raises(BadKey):
        files.url(key)
