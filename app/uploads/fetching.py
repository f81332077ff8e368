"""Recordings brought from the store into files, for programs that read files."""

import asyncio
import hashlib
from pathlib import Path
from typing import Any

from app.core.infra import Infra
from app.integrations.storage import storage
from app.uploads.reading import Unreadable

__all__ = ["bring", "fetch"]


async def fetch(infra: Infra, key: str, path: Path, *, most: int) -> str:
    """Brings an object into a file; its SHA-256. Raises Unreadable for one that is not there or longer than `most`."""
    pieces = await infra.part(storage).get(key)
    if pieces is None:
        raise Unreadable("lost", "The file is gone. Upload it anew.")
    digest, taken = hashlib.sha256(), 0
    with path.open("wb") as file:
        async for piece in pieces:
            taken += len(piece)
            if taken > most:
                raise Unreadable("other_size", "The file is larger than was announced.")
            await asyncio.to_thread(_take, file, digest, piece)
    return digest.hexdigest()


def _take(file: Any, digest: Any, piece: bytes) -> None:
    digest.update(piece)
    file.write(piece)


async def bring(infra: Infra, key: str, path: Path) -> None:
    """Brings an object that was looked at before into a file. Raises FileNotFoundError."""
    pieces = await infra.part(storage).get(key)
    if pieces is None:
        raise FileNotFoundError(key)
    with path.open("wb") as file:
        async for piece in pieces:
            await asyncio.to_thread(file.write, piece)
