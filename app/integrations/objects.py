"""What every object store can do, whichever it is."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol
from urllib.parse import quote

__all__ = ["BadKey", "Presigned", "Stat", "Storage", "Stored", "attachment", "check_key", "empty", "rounded"]

_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}(/[a-z0-9][a-z0-9_-]{0,99}){0,3}\.[a-z0-9]{1,8}")


class BadKey(ValueError):
    """A key that this project never makes."""


@dataclass(frozen=True, slots=True)
class Stat:
    """What a store says of an object. Its `content_type` is what the uploader said, or None: it proves nothing."""

    size: int
    content_type: str | None
    etag: str


@dataclass(frozen=True, slots=True)
class Stored:
    """An object in a list."""

    key: str
    size: int
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class Presigned:
    """Where and how somebody without a login may store one object: these headers, and exactly the signed length."""

    url: str
    expires_at: datetime
    headers: dict[str, str]
    method: Literal["PUT"] = field(default="PUT")


class Storage(Protocol):
    """Objects under keys such as `covers/1f0c….webp`. An object never changes: new content gets a new key.

    Only a key that was presigned may be written again until its URL expires, so what was uploaded is checked after
    it was copied to a key that nobody else knows.
    """

    async def put(self, key: str, data: bytes | AsyncIterator[bytes], *, content_type: str) -> None:
        """Stores all of the object or nothing."""

    async def get(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes] | None:
        """The bytes from `start` up to `end`, in pieces; None if there is no such object."""

    async def stat(self, key: str) -> Stat | None:
        """What is known of it; None if there is no such object."""

    async def copy(self, key: str, to: str) -> bool:
        """Stores the same object under another key; False if there is no such object."""

    async def delete(self, key: str) -> None:
        """Removes the object if it is there."""

    def list(self, prefix: str, *, older_than: timedelta = timedelta()) -> AsyncIterator[Stored]:
        """The objects whose keys begin with `prefix` (a folder: `covers/`), in any order."""

    async def presign_put(self, key: str, *, content_type: str, size: int, seconds: int) -> Presigned:
        """Has somebody else store an object of this type and size within `seconds`."""

    async def presign_get(
        self,
        key: str,
        *,
        seconds: int,
        filename: str | None = None,
        content_type: str | None = None,
        now_rounded: bool = True,
    ) -> str | None:
        """Where somebody can fetch it for at least `seconds`, Range included; None if only this server can give it.

        With a `filename` it is saved under that name. `now_rounded` gives everybody the same URL for a while.
        """

    async def check(self) -> str:
        """What it is, in a few words. Raises whatever it likes when it cannot be used."""


def check_key(key: str) -> str:
    """The key itself. Raises BadKey for one that could mean anything else than an object of ours."""
    if not _KEY.fullmatch(key):
        raise BadKey(key)
    return key


def attachment(filename: str) -> str:
    """A Content-Disposition that has browsers save under this name, whatever letters it has (RFC 6266)."""
    plain = re.sub(r"[^A-Za-z0-9 ._()-]", "_", filename)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


def rounded(seconds: int) -> tuple[datetime, int]:
    """A moment that is the same for a while, and how long from then lasts at least `seconds` from now."""
    now = int(datetime.now(UTC).timestamp())
    return datetime.fromtimestamp(now - now % seconds, UTC), 2 * seconds


async def empty() -> AsyncIterator[bytes]:
    """No bytes."""
    for piece in list[bytes]():
        yield piece
