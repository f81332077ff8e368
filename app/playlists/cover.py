"""Covers of playlists."""

from typing import BinaryIO, Final
from uuid import UUID

from app.core.auth import Principal
from app.core.db import Writer
from app.core.infra import Infra
from app.pictures.schemas import Picture
from app.pictures.service import Kind, store_picture
from app.pictures.unused import drop_picture, shows
from app.playlists.models import Playlist
from app.playlists.standing import NotOwner, hold_playlist, require_readable, tell_of_changes

__all__ = ["PLAYLIST_COVER", "remove_cover", "set_cover"]

PLAYLIST_COVER: Final = Kind("playlists")
shows(PLAYLIST_COVER.folder, Playlist.cover_key)


async def set_cover(infra: Infra, actor: Principal, playlist_id: UUID, picture: BinaryIO) -> Picture:
    """Stores a picture and shows it. Raises NotFound, NotOwner, PictureTooLarge, NotAnImage, Unavailable."""
    if (await require_readable(infra.db.reader, actor, playlist_id)).role != "owner":
        raise NotOwner
    stored = await store_picture(infra, PLAYLIST_COVER, picture)
    async with infra.db.write() as db:
        await _show(db, actor, playlist_id, stored.key)
    return stored


async def remove_cover(db: Writer, actor: Principal, playlist_id: UUID) -> None:
    """Shows no picture any longer. Raises NotFound, NotOwner."""
    await _show(db, actor, playlist_id, None)


async def _show(db: Writer, actor: Principal, playlist_id: UUID, key: str | None) -> None:
    held = await hold_playlist(db, actor, playlist_id)
    held.require_owner()
    before = held.playlist.cover_key
    if before == key:
        return
    held.playlist.cover_key = key
    await drop_picture(db, before)
    await tell_of_changes(db, held.playlist, actor_id=actor.user_id)
