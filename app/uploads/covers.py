"""Covers from the tags of recordings: an album of the uploader's that has none gets the first that comes with one."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import Select, select, update

from app.catalog.models import Album, Track
from app.catalog.pictures import COVER
from app.core.images import NotAnImage
from app.core.infra import Infra
from app.core.jobs import job
from app.pictures.service import PictureTooLarge, store_picture
from app.pictures.unused import drop_picture
from app.uploads.apart import MOST_OF_COVER, read_apart
from app.uploads.fetching import fetch
from app.uploads.models import Upload
from app.uploads.reading import Unreadable
from app.uploads.renditions import Recorded

__all__ = ["show_cover"]

EMBEDDED: Final = replace(COVER, most_bytes=MOST_OF_COVER)
"""Whoever tagged the file did not think of us: it may be larger than what people send as a cover."""
log = structlog.get_logger()


@job()
async def show_cover(infra: Infra, recorded: Recorded) -> None:
    """Takes the picture out of the file anew: most files of an album come when it has its cover already.

    A picture that cannot be used is left where it is.
    """
    bare = await infra.db.reader.rows(_bare_album(recorded.upload_id).add_columns(Upload.key, Upload.size))
    if not bare:
        return
    try:
        key = await _store(infra, bare[0].key, bare[0].size)
    except (Unreadable, NotAnImage, PictureTooLarge) as fault:
        log.warning("cover_not_used", upload=str(recorded.upload_id), reason=str(fault))
        return
    if key is not None:
        await _show(infra, recorded.upload_id, key)


async def _store(infra: Infra, key: str, size: int) -> str | None:
    with TemporaryDirectory(prefix="cover-") as folder:
        path, cover = Path(folder) / key.rpartition("/")[2], Path(folder) / "cover"
        await fetch(infra, key, path, most=size)
        await read_apart(path, cover=cover)
        if not cover.exists():
            return None
        with cover.open("rb") as picture:
            return (await store_picture(infra, EMBEDDED, picture)).key


async def _show(infra: Infra, upload_id: UUID, key: str) -> None:
    """The album may have got a cover meanwhile, or the recording another album: the first one stays."""
    bare = update(Album).where(Album.id.in_(_bare_album(upload_id)), Album.cover_key.is_(None))
    async with infra.db.write() as db:
        if await db.scalar(bare.values(cover_key=key).returning(Album.id)) is None:
            await drop_picture(db, key)


def _bare_album(upload_id: UUID) -> Select[Any]:
    """The album of an upload, if it has no cover and is the uploader's own."""
    albums = (
        select(Album.id).join_from(Upload, Track, Track.id == Upload.track_id).join(Album, Album.id == Track.album_id)
    )
    return albums.where(Upload.id == upload_id, Album.owner_id == Upload.owner_id, Album.cover_key.is_(None))
