"""Objects in Supabase Storage, through its own client."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryFile
from typing import Any, cast
from urllib.parse import quote

import httpx
from storage3 import AsyncStorageClient
from storage3.exceptions import StorageApiError
from storage3.utils import StorageException

from app.core.errors import Unavailable
from app.integrations.objects import Presigned, Stat, Stored, check_key, empty

__all__ = ["SupabaseStorage"]

UPLOAD_LINK = timedelta(hours=2)
"""So long the links for uploads are good; Supabase takes no other time."""
_PAGE = 500
_CHUNK = 256 * 1024
_MISSING = {"400", "404"}


class SupabaseStorage:
    """A bucket of a project. Its upload links bind neither type nor length: `finalise` looks at what came."""

    def __init__(self, client: httpx.AsyncClient, *, url: str, key: str, bucket: str) -> None:
        self._name, self._client = bucket, client
        self._url = f"{url.rstrip('/')}/storage/v1"
        self._headers = {"apikey": key, "Authorization": f"Bearer {key}"}
        self._storage = AsyncStorageClient(f"{self._url}/", self._headers, http_client=client)
        self._bucket = self._storage.from_(bucket)

    async def put(self, key: str, data: bytes | AsyncIterator[bytes], *, content_type: str) -> None:
        """Pieces are gathered on disk: the client sends what it can read twice."""
        check_key(key)
        with TemporaryFile() as file:
            async for piece in _each(data):
                await asyncio.to_thread(file.write, piece)
            file.seek(0)  # which also writes what it still holds
            options: Any = {"content-type": content_type, "upsert": "true", "cache-control": "31536000"}
            with _asking():
                await self._bucket.upload(key, cast(Any, file.raw), options)

    async def get(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes] | None:
        """The bytes from `start` up to `end`, in pieces; None if there is no such object."""
        if end is not None and end <= start:
            return None if await self.stat(key) is None else empty()
        address = f"{self._url}/object/authenticated/{quote(self._name)}/{quote(check_key(key))}"
        part = f"bytes={start}-{'' if end is None else end - 1}"
        with _asking():
            asked = self._client.build_request("GET", address, headers=self._headers | {"Range": part})
            answer = await self._client.send(asked, stream=True)
            if answer.status_code in {200, 206}:
                return _pieces(answer, skip=start if answer.status_code == 200 else 0, end=end)
            await answer.aclose()
            if answer.status_code == 416:
                return empty()
            if str(answer.status_code) in _MISSING and await self.stat(key) is None:
                return None
            answer.raise_for_status()
        raise _unavailable()

    async def stat(self, key: str) -> Stat | None:
        """What Supabase says of it."""
        with _asking():
            try:
                found = await self._bucket.info(check_key(key))
            except StorageApiError as error:
                if _is_missing(error):
                    return None
                raise
        etag = str(found.get("etag") or found.get("version") or "")
        return Stat(int(found["size"]), found.get("content_type") or found.get("contentType"), etag)

    async def copy(self, key: str, to: str) -> bool:
        """Copies within the bucket. What is there under the other key is removed first: Supabase would keep it."""
        check_key(key)
        await self.delete(to)
        with _asking():
            try:
                await self._bucket.copy(key, to)
            except StorageApiError as error:
                if _is_missing(error):
                    return False
                raise
        return True

    async def delete(self, key: str) -> None:
        """Removes the object if it is there."""
        with _asking():
            await self._bucket.remove([check_key(key)])

    async def list(self, prefix: str, *, older_than: timedelta = timedelta()) -> AsyncIterator[Stored]:
        """A request for each five hundred."""
        check_key(f"{prefix}x.x")
        before, cursor = datetime.now(UTC) - older_than, None
        while True:
            asked: Any = {"prefix": prefix, "limit": _PAGE, "with_delimiter": False}
            with _asking():
                page = await self._bucket.list_v2(asked | ({"cursor": cursor} if cursor else {}))
            for found in page.objects:
                if found.updated_at <= before:
                    yield Stored(found.key or found.name, int((found.metadata or {}).get("size", 0)), found.updated_at)
            cursor = page.nextCursor
            if not page.hasNext or not cursor:
                return

    async def presign_put(self, key: str, *, content_type: str, size: int, seconds: int) -> Presigned:
        """A link of two hours, whatever `seconds` says, that takes this key alone."""
        with _asking():
            made = await self._bucket.create_signed_upload_url(check_key(key))
        return Presigned(made["signed_url"], datetime.now(UTC) + UPLOAD_LINK, {"Content-Type": content_type})

    async def presign_get(
        self,
        key: str,
        *,
        seconds: int,
        filename: str | None = None,
        content_type: str | None = None,
        now_rounded: bool = True,
    ) -> str | None:
        """A link that Supabase signs; a new one each time."""
        options: Any = {"download": filename} if filename else {}
        with _asking():
            return (await self._bucket.create_signed_url(check_key(key), seconds, options))["signedUrl"]

    async def check(self) -> str:
        """Asks for the bucket. Raises when it cannot be read."""
        await self._storage.get_bucket(self._name)
        return f"the bucket {self._name} of Supabase"


def _is_missing(error: StorageApiError) -> bool:
    """Supabase answers 400 with a 404 in it for what is not there."""
    return str(error.status) in _MISSING and ("not" in error.message.lower() or error.code in {"not_found", "404"})


@contextmanager
def _asking() -> Iterator[None]:
    try:
        yield
    except (StorageException, httpx.HTTPError) as error:
        raise _unavailable() from error


def _unavailable() -> Unavailable:
    return Unavailable("The object store does not answer as it should. Try again shortly.")


async def _each(data: bytes | AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if isinstance(data, bytes):
        yield data
        return
    async for piece in data:
        yield piece


async def _pieces(answer: httpx.Response, *, skip: int, end: int | None) -> AsyncIterator[bytes]:
    """The part of a body that was asked for: a server that knows no ranges sends all of it."""
    place, most = (0, end) if skip or answer.status_code == 200 else (0, None)
    try:
        async for piece in answer.aiter_bytes(_CHUNK):
            wanted = piece[max(0, skip - place) : None if most is None else max(0, most - place)]
            place += len(piece)
            if wanted:
                yield wanted
            if most is not None and place >= most:
                return
    finally:
        await answer.aclose()
