"""The same promises of every store: S3 that checks signatures, S3 that believes anything, Supabase, the folder."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from app.core.config import Settings
from app.core.errors import Unavailable
from app.core.health import check
from app.core.infra import Infra
from app.integrations.storage import BadKey, Storage, bucket_of, choose
from tests.conftest import running
from tests.loopback import on_loopback
from tests.object_stores import SUPABASE_PATH, s3_server
from tests.supabase import supabase_server

KINDS = ["strict", "prefixed", "lenient", "supabase", "folder"]


@pytest.fixture(scope="module")
async def addresses() -> AsyncIterator[dict[str, dict[str, str]]]:
    async with AsyncExitStack() as stack:
        strict = await stack.enter_async_context(s3_server(strict=True))
        yield {
            "strict": strict,
            "prefixed": strict | {"s3_endpoint_url": strict["s3_endpoint_url"] + SUPABASE_PATH},
            "lenient": await stack.enter_async_context(s3_server(strict=False)),
            "supabase": await stack.enter_async_context(supabase_server()),
            "folder": {},
        }


@pytest.fixture(params=KINDS)
async def store(
    request: pytest.FixtureRequest, addresses: dict[str, dict[str, str]], tmp_path: Path
) -> AsyncIterator[Storage]:
    settings = Settings(environment="test", data_dir=tmp_path, _env_file=None, **addresses[request.param])
    async with choose(settings) as chosen:
        yield chosen


async def read(store: Storage, key: str, start: int = 0, end: int | None = None) -> bytes | None:
    pieces = await store.get(key, start=start, end=end)
    return None if pieces is None else b"".join([piece async for piece in pieces])


async def test_what_is_put_can_be_got(store: Storage) -> None:
    content = os.urandom(700_000)
    await store.put("covers/a.webp", content, content_type="image/webp")
    stat = await store.stat("covers/a.webp")
    assert stat is not None
    assert (stat.size, stat.content_type in {"image/webp", None}, bool(stat.etag)) == (700_000, True, True)
    assert await read(store, "covers/a.webp") == content
    parts = ((0, 10), (1000, 690_000), (5, None), (699_999, 9_000_000), (10, 10), (700_000, None), (9_000_000, None))
    for start, end in parts:
        assert await read(store, "covers/a.webp", start, end) == content[start:end], (start, end)
    await store.put("covers/a.webp", b"other", content_type="image/webp")
    assert await read(store, "covers/a.webp") == b"other"


async def test_pieces(store: Storage) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for letter in b"abc":
            yield bytes([letter]) * 2_000_000
            await asyncio.sleep(0)

    await store.put("uploads/a.bin", pieces(), content_type="application/octet-stream")
    assert await read(store, "uploads/a.bin") == b"a" * 2_000_000 + b"b" * 2_000_000 + b"c" * 2_000_000


async def test_half_an_upload_leaves_what_was_there(store: Storage) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"half" * 3_000_000
        raise ConnectionError

    await store.put("covers/whole.webp", b"whole", content_type="image/webp")
    with pytest.raises((ConnectionError, Unavailable)):
        await store.put("covers/whole.webp", broken(), content_type="image/webp")
    assert await read(store, "covers/whole.webp") == b"whole"


async def test_what_is_not_there(store: Storage) -> None:
    key = "covers/none.webp"
    assert await read(store, key) is None
    assert await read(store, key, 5, 5) is None
    assert await read(store, key, 5) is None
    assert await store.stat(key) is None
    assert await store.copy(key, "covers/other.webp") is False
    await store.delete(key)


async def test_copy_and_delete(store: Storage) -> None:
    await store.put("in/a.txt", b"a", content_type="text/plain")
    await store.put("out/a.txt", b"before", content_type="text/plain")
    assert await store.copy("in/a.txt", "out/a.txt") is True
    await store.put("in/a.txt", b"b", content_type="text/plain")
    assert await read(store, "out/a.txt") == b"a"
    await store.delete("out/a.txt")
    assert await store.stat("out/a.txt") is None


async def test_a_list(store: Storage) -> None:
    for key in ("lists/a.webp", "lists/deep/b.webp", "listsother/c.webp"):
        await store.put(key, b"1234", content_type="image/webp")
    found = {(stored.key, stored.size) async for stored in store.list("lists/")}
    assert found == {("lists/a.webp", 4), ("lists/deep/b.webp", 4)}
    assert [stored async for stored in store.list("lists/", older_than=timedelta(hours=1))] == []
    assert [stored async for stored in store.list("nothing/")] == []


async def test_keys_that_are_refused(store: Storage) -> None:
    for key in ("../a.txt", "/etc/passwd", "a//b.txt", "A.txt", "a.txt\n", "a/../b.txt"):
        for refused in (
            store.put(key, b"", content_type="text/plain"),
            store.get(key),
            store.stat(key),
            store.copy(key, "a.txt"),
            store.delete(key),
            store.presign_put(key, content_type="text/plain", size=1, seconds=60),
            store.presign_get(key, seconds=60),
        ):
            with pytest.raises(BadKey):
                await refused


@pytest.mark.parametrize("store", ["strict", "prefixed", "lenient", "supabase"], indirect=True)
async def test_a_link_to_fetch(store: Storage) -> None:
    await store.put("audio/a.mp3", b"0123456789", content_type="audio/mpeg")
    first, second = [await store.presign_get("audio/a.mp3", seconds=3600) for _ in range(2)]
    assert first is not None
    assert first == second or "supabase" in type(store).__module__
    async with httpx.AsyncClient() as anybody:
        answer = await anybody.get(first, headers={"Range": "bytes=2-4"})
        assert (answer.status_code, answer.content) == (206, b"234")
        saved = await store.presign_get("audio/a.mp3", seconds=60, filename='Ünder "x".mp3')
        assert saved is not None
        disposition = (await anybody.get(saved)).headers["content-disposition"]
        assert disposition.startswith("attachment")
        assert "%C3%9Cnder" in disposition


async def send(url: str, content: bytes, headers: dict[str, str]) -> int:
    async with httpx.AsyncClient() as anybody:
        return (await anybody.put(url, content=content, headers=headers)).status_code


@pytest.mark.parametrize("store", ["strict", "prefixed", "lenient", "supabase"], indirect=True)
async def test_a_link_to_upload(store: Storage) -> None:
    link = await store.presign_put("uploads/a.mp3", content_type="audio/mpeg", size=10, seconds=60)
    assert await send(link.url, b"0123456789", link.headers) == 200
    stat = await store.stat("uploads/a.mp3")
    assert stat is not None
    assert (stat.size, stat.content_type) == (10, "audio/mpeg")


@pytest.mark.parametrize("store", ["strict", "prefixed"], indirect=True)
async def test_a_strict_store_takes_only_what_was_announced(store: Storage) -> None:
    await store.delete("uploads/b.mp3")
    link = await store.presign_put("uploads/b.mp3", content_type="audio/mpeg", size=10, seconds=60)
    right, other = link.headers, {"Content-Type": "text/html"}
    late = await store.presign_put("uploads/b.mp3", content_type="audio/mpeg", size=10, seconds=-1)
    for url, content, headers in (
        (link.url, b"0123456789x", right),
        (link.url, b"012345678", right),
        (link.url, b"0123456789", other),
        (link.url, b"0123456789", {}),
        (link.url.replace("/b.mp3", "/c.mp3"), b"0123456789", right),
        (link.url.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"), b"0123456789", right),
        (late.url, b"0123456789", right),
    ):
        assert await send(url, content, headers) == 403, (url, headers)
    assert await store.stat("uploads/b.mp3") is None
    assert await send(link.url, b"0123456789", right) == 200


@pytest.mark.parametrize("kind", KINDS)
async def test_health_says_which(
    kind: str, settings: Settings, addresses: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    changes = Settings(_env_file=None, **addresses[kind]).model_dump(include=set(addresses[kind]))
    async with running(settings.model_copy(update={**changes, "data_dir": tmp_path})) as app:
        (part,) = [part for part in (await check(app.state.infra)).parts if part.name == "storage"]
    assert part.state == ("degraded" if kind == "folder" else "up")
    wanted = {"supabase": "soundscore of Supabase", "folder": "no S3_BUCKET or SUPABASE_URL"}.get(kind, " at 127.0.0.1")
    assert wanted in part.detail


async def broken(scope: dict[str, object], _receive: object, send: object) -> None:
    """A store that answers nothing but errors."""
    await send({"type": "http.response.start", "status": 500, "headers": [(b"content-length", b"0")]})  # type: ignore[operator]
    await send({"type": "http.response.body", "body": b""})  # type: ignore[operator]


@pytest.mark.parametrize("kind", ["strict", "supabase"])
async def test_a_store_that_is_broken(kind: str, addresses: dict[str, dict[str, str]], infra: Infra) -> None:
    async with on_loopback(broken) as address:
        name = "supabase_url" if kind == "supabase" else "s3_endpoint_url"
        settings = Settings(environment="test", _env_file=None, **(addresses[kind] | {name: address}))
        async with choose(settings) as store:
            for asked in (
                store.stat("covers/a.webp"),
                store.get("covers/a.webp"),
                store.put("covers/a.webp", b"a", content_type="image/webp"),
                store.copy("covers/a.webp", "covers/b.webp"),
            ):
                with pytest.raises(Unavailable):
                    await asked
            with pytest.raises(Exception, match=r".") as caught:
                await store.check()
            assert not isinstance(caught.value, AssertionError)


@pytest.mark.parametrize(
    ("endpoint", "public", "style", "inside", "outside"),
    [
        ("", "", "auto", "https://b.s3.eu-west-1.amazonaws.com", "https://b.s3.eu-west-1.amazonaws.com"),
        ("", "", "true", "https://s3.eu-west-1.amazonaws.com/b", "https://s3.eu-west-1.amazonaws.com/b"),
        ("http://minio:9000", "", "auto", "http://minio:9000/b", "http://minio:9000/b"),
        ("http://minio:9000/", "https://files.org/", "auto", "http://minio:9000/b", "https://files.org/b"),
        ("https://x.r2.com", "", "false", "https://b.x.r2.com", "https://b.x.r2.com"),
        ("https://x.co/storage/v1/s3", "", "auto", "https://x.co/storage/v1/s3/b", "https://x.co/storage/v1/s3/b"),
    ],
)
def test_where_a_bucket_is(endpoint: str, public: str, style: str, inside: str, outside: str) -> None:
    given = {"s3_bucket": "b", "s3_region": "eu-west-1", "s3_access_key_id": "a", "s3_secret_access_key": "s"}
    urls = {"s3_endpoint_url": endpoint, "s3_public_endpoint_url": public, "s3_path_style": style}
    bucket = bucket_of(Settings(_env_file=None, **given, **urls))
    assert (bucket.url(public=False), bucket.url(public=True)) == (inside, outside)


def test_settings_that_lack_a_key() -> None:
    for given in ({"s3_bucket": "b"}, {"supabase_url": "https://x.supabase.co"}, {"s3_endpoint_url": "x:9000"}):
        with pytest.raises(ValueError, match=r"needs|must start"):
            Settings(_env_file=None, **given)
