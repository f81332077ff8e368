"""Files: what people upload and what we make of it. The local stand-in keeps them in a folder."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import BinaryIO, Protocol

from app.core.infra import Infra, opened

__all__ = ["BadKey", "LocalStorage", "Storage", "check_key", "storage"]

_CHUNK = 256 * 1024
_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}(/[a-z0-9][a-z0-9_-]{0,99}){0,3}\.[a-z0-9]{1,8}")


class BadKey(ValueError):
    """A key that this project never makes."""


class Storage(Protocol):
    """Objects under keys such as `covers/1f0c….webp`. An object never changes: new content gets a new key."""

    async def put(self, key: str, data: bytes | AsyncIterator[bytes], *, content_type: str) -> None:
        """Stores all of the object or nothing."""

    async def get(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes] | None:
        """The bytes from `start` up to `end`, in pieces; None if there is no such object."""

    async def size(self, key: str) -> int | None:
        """How many bytes it has; None if there is no such object."""

    async def exists(self, key: str) -> bool:
        """Whether there is such an object."""

    async def delete(self, key: str) -> None:
        """Removes the object if it is there."""

    def url(self, key: str) -> str | None:
        """Where anybody can fetch it directly; None if only this server can."""


def check_key(key: str) -> str:
    """The key itself. Raises BadKey for one that could mean anything else than an object of ours."""
    if not _KEY.fullmatch(key):
        raise BadKey(key)
    return key


class LocalStorage:
    """A folder in place of an object store. Nothing in it is reachable but by a valid key."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, key: str, data: bytes | AsyncIterator[bytes], *, content_type: str) -> None:
        """Writes beside the place and renames, so that no reader meets half a file."""
        path = self._path(key)
        file = await asyncio.to_thread(_draft, path)
        try:
            if isinstance(data, bytes):
                await asyncio.to_thread(file.write, data)
            else:
                async for piece in data:
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

    async def size(self, key: str) -> int | None:
        """The size of the file; None if there is none."""
        try:
            return (await asyncio.to_thread(self._path(key).stat)).st_size
        except FileNotFoundError:
            return None

    async def exists(self, key: str) -> bool:
        """Whether there is such a file."""
        return await self.size(key) is not None

    async def delete(self, key: str) -> None:
        """Removes the file if it is there."""
        await asyncio.to_thread(self._path(key).unlink, missing_ok=True)

    def url(self, key: str) -> str | None:
        """None: files of this folder go through the server."""
        check_key(key)
        return None

    def _path(self, key: str) -> Path:
        return self._folder / check_key(key)


@opened
@asynccontextmanager
async def storage(infra: Infra) -> AsyncIterator[Storage]:
    """The storage that the settings ask for."""
    yield LocalStorage(infra.settings.data_dir / "media")


def _draft(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    return NamedTemporaryFile(dir=path.parent, prefix=".draft-", delete=False)  # type: ignore[return-value]


def _publish(file: BinaryIO, path: Path) -> None:
    file.close()
    Path(file.name).replace(path)


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
