"""Objects in S3, or in what speaks its protocol: MinIO, Cloudflare R2, Supabase's S3 endpoint.

obstore moves the bytes; the URLs for others are signed here, because its own sign nothing but the host.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from app.core.errors import Unavailable
from app.integrations.objects import Presigned, Stat, Stored, attachment, check_key, empty, rounded
from app.integrations.sigv4 import Bucket, Credentials, presign

__all__ = ["S3Storage"]

_CHUNK = 256 * 1024


class S3Storage:
    """A bucket. Its errors are Unavailable, since nothing of a request can make up for them."""

    def __init__(self, bucket: Bucket, credentials: Credentials) -> None:
        self._bucket, self._credentials = bucket, credentials
        self._store = S3Store(
            bucket.name,
            config=_config(bucket, credentials),
            client_options={"allow_http": True, "connect_timeout": "3s", "timeout": "120s"},
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=10)},
        )

    async def put(self, key: str, data: bytes | AsyncIterator[bytes], *, content_type: str) -> None:
        """One request, or several parts that become the object at the end."""
        with _asking():
            await obstore.put_async(self._store, check_key(key), data, attributes={"Content-Type": content_type})

    async def get(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes] | None:
        """The bytes from `start` up to `end`, in pieces; None if there is no such object."""
        if end is not None and end <= start:
            return None if await self.stat(key) is None else empty()
        part: Any = None if not start and end is None else {"offset": start} if end is None else (start, end)
        try:
            found = await obstore.get_async(self._store, check_key(key), options={"range": part} if part else None)
        except (NotFoundError, FileNotFoundError):
            return None
        except BaseError as error:  # also where the object has ended before `start`
            stat = await self.stat(key)
            if stat is not None and start >= stat.size:
                return empty()
            raise _unavailable() from error
        return _pieces(found)

    async def stat(self, key: str) -> Stat | None:
        """What the store says of it, of which nothing is proven but the size."""
        with _asking():
            try:
                # HEAD: the type is among the attributes of a GET alone, so it is asked for and not read
                found = await obstore.get_async(self._store, check_key(key), options={"head": True})
            except (NotFoundError, FileNotFoundError):
                return None
        return Stat(found.meta["size"], found.attributes.get("Content-Type"), found.meta["e_tag"] or "")

    async def copy(self, key: str, to: str) -> bool:
        """Copies within the store."""
        with _asking():
            try:
                await obstore.copy_async(self._store, check_key(key), check_key(to))
            except (NotFoundError, FileNotFoundError):
                return False
        return True

    async def delete(self, key: str) -> None:
        """Removes the object if it is there."""
        with _asking():
            try:
                await obstore.delete_async(self._store, check_key(key))
            except (NotFoundError, FileNotFoundError):
                return

    async def list(self, prefix: str, *, older_than: timedelta = timedelta()) -> AsyncIterator[Stored]:
        """A request for each thousand."""
        folder = check_key(f"{prefix}x.x").rpartition("/")[0]
        before = datetime.now(UTC) - older_than
        with _asking():
            async for batch in obstore.list(self._store, folder or None, chunk_size=1000):
                for found in batch:
                    if found["path"].startswith(prefix) and found["last_modified"] <= before:
                        yield Stored(found["path"], found["size"], found["last_modified"])

    async def presign_put(self, key: str, *, content_type: str, size: int, seconds: int) -> Presigned:
        """Type and length are signed. Browsers send the length by themselves, so it is not among the headers."""
        now = datetime.now(UTC).replace(microsecond=0)
        headers = {"Content-Type": content_type, "Content-Length": str(size)}
        url = self._presign("PUT", key, seconds=seconds, at=now, headers=headers)
        return Presigned(url, now + timedelta(seconds=seconds), {"Content-Type": content_type})

    async def presign_get(
        self,
        key: str,
        *,
        seconds: int,
        filename: str | None = None,
        content_type: str | None = None,
        now_rounded: bool = True,
    ) -> str | None:
        """A URL of the store itself."""
        query = {"response-content-disposition": attachment(filename)} if filename else {}
        if content_type:
            query["response-content-type"] = content_type
        at, seconds = rounded(seconds) if now_rounded else (datetime.now(UTC), seconds)
        return self._presign("GET", key, seconds=seconds, at=at, query=query)

    async def check(self) -> str:
        """Asks for one key. Raises when the bucket cannot be read."""
        async for _ in obstore.list(self._store, chunk_size=1):
            break
        return f"the bucket {self._bucket.name} at {urlsplit(self._bucket.url(public=False)).netloc}"

    def _presign(self, method: str, key: str, *, seconds: int, at: datetime, **more: Any) -> str:
        url = f"{self._bucket.url(public=True)}/{check_key(key)}"
        of: dict[str, Any] = {"credentials": self._credentials, "region": self._bucket.region}
        return presign(method, url, seconds=seconds, at=at, **of, **more)


def _config(bucket: Bucket, credentials: Credentials) -> Any:
    endpoint = bucket.endpoint if bucket.path_style else bucket.url(public=False)
    given = {
        "region": bucket.region,
        "endpoint": endpoint,
        "access_key_id": credentials.access_key,
        "secret_access_key": credentials.secret_key,
        "session_token": credentials.token,
    }
    return {name: value for name, value in given.items() if value} | {
        "virtual_hosted_style_request": not bucket.path_style
    }


@contextmanager
def _asking() -> Iterator[None]:
    try:
        yield
    except BaseError as error:
        raise _unavailable() from error


def _unavailable() -> Unavailable:
    return Unavailable("The object store does not answer as it should. Try again shortly.")


async def _pieces(found: Any) -> AsyncIterator[bytes]:
    async for piece in found.stream(min_chunk_size=_CHUNK):
        yield bytes(piece)
