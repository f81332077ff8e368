"""Imports of files of albums and tracks. A second import of the same file changes nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from app.catalog.bulk import Upserted, upsert_albums, upsert_tracks
from app.catalog.tables import AlbumRow, TrackRow, read_rows
from app.core.db import Writer
from app.core.infra import Infra

__all__ = ["ImportResult", "import_albums", "import_tracks"]

R = TypeVar("R", AlbumRow, TrackRow)
Progress = Callable[[int, int], None]
_BATCH = 500


@dataclass(slots=True)
class ImportResult:
    """What became of the rows; of the bad ones the line and the reason."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    bad: list[tuple[int, str]] = field(default_factory=list)


async def import_albums(infra: Infra, path: Path, *, progress: Progress) -> ImportResult:
    """Reads `title,artist,year,release_date,label,genres`. Raises UnreadableFile."""
    return await _import(infra, path, AlbumRow, upsert_albums, progress)


async def import_tracks(infra: Infra, path: Path, *, progress: Progress) -> ImportResult:
    """Reads title, artist, genres, ids at Spotify and audio features. Raises UnreadableFile."""
    return await _import(infra, path, TrackRow, upsert_tracks, progress)


async def _import(
    infra: Infra,
    path: Path,
    kind: type[R],
    upsert: Callable[[Writer, Sequence[R]], Awaitable[Upserted]],
    progress: Progress,
) -> ImportResult:
    rows = await asyncio.to_thread(read_rows, path, kind)
    result = ImportResult(bad=rows.bad)
    for start in range(0, len(rows.good), _BATCH):
        batch = rows.good[start : start + _BATCH]
        async with infra.db.write() as db:
            done = await upsert(db, batch)
        result.created += done.created
        result.updated += done.updated
        result.unchanged += done.unchanged
        progress(start + len(batch), len(rows.good))
    return result
