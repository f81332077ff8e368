"""Pictures: how they are kept, and how they are given out.

A picture gets a key that nobody can guess, and what is under a key never changes. Equal pictures do not share a key:
so a key tells nothing about its picture, and whoever takes a picture away takes it from nobody else.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from io import BytesIO
from typing import Annotated, BinaryIO, Literal

from pydantic import BeforeValidator

from app.core.errors import NotFound, PayloadTooLarge
from app.core.http import API
from app.core.images import render
from app.core.infra import Infra
from app.integrations.objects import check_key
from app.integrations.storage import BadKey, storage
from app.pictures.schemas import Picture

__all__ = ["Kind", "PictureTooLarge", "Size", "keys_of", "open_picture", "require_key", "store_picture"]

SIZES = (320, 96)
Size = Annotated[Literal[320, 96], BeforeValidator(int)]
"""Pixels of the longer side of the smaller renditions; a query says them in letters."""
_kinds: dict[str, "Kind"] = {}


class PictureTooLarge(PayloadTooLarge):
    code, title = "picture_too_large", "The picture has too many bytes"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a picture is for. Making one has its folder given out to everybody who knows a key.

    `side` is the most pixels of the longer side, `most_bytes` what may be sent.
    """

    folder: str
    side: int = 1000
    most_bytes: int = 5_000_000

    def __post_init__(self) -> None:
        _kinds[self.folder] = self

    def check(self, size: int) -> None:
        """Raises PictureTooLarge."""
        if size > self.most_bytes:
            raise PictureTooLarge(f"Such a picture may have at most {self.most_bytes:,} bytes.")


async def store_picture(infra: Infra, kind: Kind, picture: BinaryIO | bytes) -> Picture:
    """Stores a picture in its sizes; the caller shows its key in a transaction of theirs.

    What nobody shows is removed after a day. Raises PictureTooLarge, NotAnImage, Unavailable.
    """
    file = BytesIO(picture) if isinstance(picture, bytes) else picture
    kind.check(file.seek(0, 2))
    made = await render(infra, file, (kind.side, *SIZES))
    key = f"{kind.folder}/{secrets.token_hex(16)}.webp"
    files = infra.part(storage)
    contents = {key: made.largest} | {_sized(key, side): content for side, content in made.smaller.items()}
    await asyncio.gather(*(files.put(name, data, content_type="image/webp") for name, data in contents.items()))
    return Picture(key=key, url=f"{API}/media/{key}", width=made.width, height=made.height)


def require_key(key: str) -> None:
    """Raises NotFound for what can be no picture's key."""
    try:
        check_key(key)
    except BadKey as error:
        raise NotFound("There is no such picture.") from error
    if key.partition("/")[0] not in _kinds:
        raise NotFound("There is no such picture.")


async def open_picture(infra: Infra, key: str, size: Size | None) -> tuple[AsyncIterator[bytes], int]:
    """A picture in pieces, and its number of bytes. Raises NotFound.

    One that is not larger than a size, or came before there were sizes, is given as it is.
    """
    files = infra.part(storage)
    for name in ([key] if size is None else [_sized(key, size), key]) if key.partition("/")[0] in _kinds else []:
        try:
            stat = await files.stat(name)
        except BadKey:
            break
        pieces = await files.get(name) if stat is not None else None
        if stat is not None and pieces is not None:
            return pieces, stat.size
    raise NotFound("There is no such picture.")


def keys_of(key: str) -> list[str]:
    """The key of a picture and those of its smaller renditions."""
    return [key, *(_sized(key, size) for size in SIZES)]


def _sized(key: str, size: int) -> str:
    stem, _, ending = key.rpartition(".")
    return f"{stem}-{size}.{ending}"
