"""A folder in place of an object store, with upload links of its own."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copyfileobj
from tempfile import NamedTemporaryFile
from typing import BinaryIO

from app.integrations.grants import Grant, Grants, UploadMismatch
from app.integrations.objects import Presigned, Stat, Stored, check_key

__all__ = ["LocalStorage"]

_CHUNK = 256 * 1024
_DRAFTS = ".drafts"
_FORGOTTEN = timedelta(days=1)


class LocalStorage:
    """Nothing in the folder is reachable but by a valid key. `uploads_url` is where upload links begin."""

    def __init__(self, folder: Path, *, secret: bytes, uploads_url: str) -> None:
        self._folder = folder
        self._grants = Grants(secret)
        self._uploads_url = uploads_url.rstrip("/")

    async def put(self, key: str, data: bytes | AsyncIterator[bytes], *, content_type: str) -> None:
        """Writes elsewhere and renames, so that no reader meets half a file."""
        path = self._path(key)
        file = await asyncio.to_thread(_draft, self._folder)
        try:
            async for piece in _large(data):
                await asyncio.to_thread(file.write, piece)
            await asyncio.to_thread(_publish, file, path)
        finally:
            file.close()
            await asyncio.to_thread(Path(file.name).unlink, missing_ok=True)

    async def get(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes] | None:
        """The bytes from `start` up to `end`, in pieces; None if there is no such file."""
        try:
            file = await asyncio.to_thread(self._path(key).open, "rb")
        except FileNotFoundError:
            return None
        return _pieces(file, start, end)

    async def stat(self, key: str) -> Stat | None:
        """The size of the file; None if there is none. A folder keeps no types."""
        try:
            found = await asyncio.to_thread(self._path(key).stat)
        except FileNotFoundError:
            return None
        return Stat(found.st_size, None, f'"{found.st_mtime_ns:x}-{found.st_size:x}"')

    async def copy(self, key: str, to: str) -> bool:
        """A copy of the bytes: a link to the same file would change with it."""
        return await asyncio.to_thread(_copy, self._folder, self._path(key), self._path(to))

    async def delete(self, key: str) -> None:
        """Removes the file if it is there."""
        await asyncio.to_thread(self._path(key).unlink, missing_ok=True)

    async def list(self, prefix: str, *, older_than: timedelta = timedelta()) -> AsyncIterator[Stored]:
        """The files of a folder and those below it."""
        folder = check_key(f"{prefix}x.x").rpartition("/")[0]
        before = (datetime.now(UTC) - older_than).timestamp()
        files = _files(self._folder, self._folder / folder, before)
        while (found := await asyncio.to_thread(next, files, None)) is not None:
            if found.key.startswith(prefix):
                yield found

    async def presign_put(self, key: str, *, content_type: str, size: int, seconds: int) -> Presigned:
        """A link to this server's own route for uploads."""
        expires = int(time.time()) + seconds
        token = self._grants.sign(Grant(check_key(key), content_type, size, expires))
        expires_at = datetime.fromtimestamp(expires, UTC)
        return Presigned(f"{self._uploads_url}/{token}", expires_at, {"Content-Type": content_type})

    async def presign_get(self, key: str, **_: object) -> str | None:
        """None: files of this folder go through the server."""
        check_key(key)
        return None

    async def check(self) -> str:
        """Looks whether it can be written to."""
        await asyncio.to_thread(lambda: _draft(self._folder).close())
        return f"the folder {self._folder}"

    async def receive(
        self, token: str, body: AsyncIterator[bytes], *, content_type: str | None, length: int | None
    ) -> None:
        """Stores what a link allows. Raises UploadLinkInvalid, UploadLinkExpired, UploadMismatch."""
        grant = self._grants.read(token)
        grant.check(content_type=content_type, length=length)
        await self.put(grant.key, _exactly(body, grant.size), content_type=grant.content_type)

    def forget_drafts(self) -> None:
        """Removes what processes that were killed had begun to write."""
        before = time.time() - _FORGOTTEN.total_seconds()
        for draft in (self._folder / _DRAFTS).glob("*"):
            with suppress(FileNotFoundError):  # another process removes it at this moment
                if draft.stat().st_mtime < before:
                    draft.unlink()

    def _path(self, key: str) -> Path:
        return self._folder / check_key(key)


def _draft(folder: Path) -> BinaryIO:
    drafts = folder / _DRAFTS
    drafts.mkdir(parents=True, exist_ok=True)
    return NamedTemporaryFile(dir=drafts, delete=False)  # type: ignore[return-value]


def _publish(file: BinaryIO, path: Path) -> None:
    file.flush()
    os.fsync(file.fileno())
    file.close()
    path.parent.mkdir(parents=True, exist_ok=True)
    Path(file.name).replace(path)


def _copy(folder: Path, path: Path, to: Path) -> bool:
    with _draft(folder) as file:
        try:
            with path.open("rb") as source:
                copyfileobj(source, file, _CHUNK)
            _publish(file, to)
        except FileNotFoundError:
            return False
        finally:
            Path(file.name).unlink(missing_ok=True)
    return True


def _files(root: Path, folder: Path, before: float) -> Iterator[Stored]:
    for path in folder.rglob("*.*"):
        key = path.relative_to(root).as_posix()
        try:
            found = path.stat()
        except FileNotFoundError:
            continue
        if path.is_file() and found.st_mtime <= before:
            yield Stored(key, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))


async def _large(data: bytes | AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in larger pieces: each is a way to a thread and back."""
    if isinstance(data, bytes):
        yield data
        return
    waiting = bytearray()
    async for piece in data:
        waiting += piece
        if len(waiting) >= _CHUNK:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)


async def _exactly(body: AsyncIterator[bytes], size: int) -> AsyncIterator[bytes]:
    """The body as long as it has `size` bytes, neither more nor less."""
    taken = 0
    async for piece in body:
        taken += len(piece)
        if taken > size:
            raise UploadMismatch(f"The body has more than the {size:,} bytes that you announced.")
        yield piece
    if taken < size:
        raise UploadMismatch(f"The body ended after {taken:,} of the {size:,} bytes that you announced.")


async def _pieces(file: BinaryIO, start: int, end: int | None) -> AsyncIterator[bytes]:
    pieces = _read(file, start, end)
    try:
        while piece := await asyncio.to_thread(next, pieces, b""):
            yield piece
    finally:
        file.close()


def _read(file: BinaryIO, start: int, end: int | None) -> Iterator[bytes]:
    file.seek(start)
    left = None if end is None else max(0, end - start)
    while piece := file.read(_CHUNK if left is None else min(_CHUNK, left)):
        left = None if left is None else left - len(piece)
        yield piece
