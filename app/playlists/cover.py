"""Covers of playlists."""

import hashlib
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import exists, select

from app.catalog.pictures import MOST_BYTES, PictureTooLarge
from app.catalog.schemas import Picture
from app.core.auth import Principal
from app.core.db import Writer
from app.core.http import API
from app.core.images import as_webp
from app.core.infra import Infra
from app.core.jobs import enqueue, job
from app.integrations.storage import storage
from app.playlists.models import Playlist
from app.playlists.standing import NotOwner, hold_playlist, require_readable, tell_of_changes

__all__ = ["drop_cover", "drop_playlist_cover", "remove_cover", "set_cover"]

SIDE = 1000


class UnusedPlaylistCover(BaseModel):
    """A picture that no playlist may show any longer."""

    key: str


async def set_cover(infra: Infra, actor: Principal, playlist_id: UUID, data: bytes) -> Picture:
    """Stores a picture and shows it. Raises NotFound, NotOwner, PictureTooLarge, NotAnImage."""
    if len(data) > MOST_BYTES:
        raise PictureTooLarge
    if (await require_readable(infra.db.reader, actor, playlist_id)).role != "owner":
        raise NotOwner
    webp = await as_webp(infra, data, side=SIDE)
    key = f"playlists/{hashlib.sha256(webp).hexdigest()[:32]}.webp"
    await infra.part(storage).put(key, webp, content_type="image/webp")
    async with infra.db.write() as db:
        await _show(db, actor, playlist_id, key)
    return Picture(key=key, url=f"{API}/media/{key}")


async def remove_cover(db: Writer, actor: Principal, playlist_id: UUID) -> None:
    """Shows no picture any longer. Raises NotFound, NotOwner."""
    await _show(db, actor, playlist_id, None)


async def drop_cover(db: Writer, key: str | None) -> None:
    """Has a picture deleted unless another playlist shows it."""
    if key is not None:
        await enqueue(db, drop_playlist_cover, UnusedPlaylistCover(key=key))


@job()
async def drop_playlist_cover(infra: Any, unused: UnusedPlaylistCover) -> None:
    """Equal pictures share a file, so it stays while any playlist shows it."""
    if not await infra.db.reader.one(select(exists().where(Playlist.cover_key == unused.key))):
        await infra.part(storage).delete(unused.key)


async def _show(db: Writer, actor: Principal, playlist_id: UUID, key: str | None) -> None:
    held = await hold_playlist(db, actor, playlist_id)
    held.require_owner()
    before = held.playlist.cover_key
    if before == key:
        return
    held.playlist.cover_key = key
    await drop_cover(db, before)
    await tell_of_changes(db, held.playlist, actor_id=actor.user_id)
