"""Copies of playlists, one's own or those of others."""

from uuid import UUID

from app.core.auth import Principal
from app.core.db import Writer
from app.playlists.entries import NewEntry, fill
from app.playlists.queries import EVERY_ENTRY
from app.playlists.rules import Rules
from app.playlists.schemas import SavedEntry
from app.playlists.service import create_playlist
from app.playlists.smart import chosen_entries
from app.playlists.standing import hold_playlist, require_readable

__all__ = ["copy_playlist"]


async def copy_playlist(
    db: Writer, actor: Principal, playlist_id: UUID, *, name: str | None = None, frozen: bool = False
) -> UUID:
    """A private playlist of the actor's with the same in it. Raises NotFound, TooManyPlaylists.

    A copy of a smart playlist asks about the one who copied it; `frozen`, it is the list that the original is now.
    """
    original = await require_readable(db, actor, playlist_id)
    said = {"name": name or original.name, "description": original.description}
    if original.rules is not None and not frozen:
        return await create_playlist(db, actor, **said, rules=Rules.model_validate(original.rules))
    copy_id = await create_playlist(db, actor, **said)
    if original.rules is None:
        entries = await EVERY_ENTRY.all(db, playlist_id=playlist_id, viewer=actor.user_id)
    else:
        entries = await chosen_entries(db, original.rules, original.owner_id)
    held = await hold_playlist(db, actor, copy_id)
    await fill(db, held, [_again(entry) for entry in entries], told=False)
    return copy_id


def _again(entry: SavedEntry) -> NewEntry:
    return NewEntry(**entry.model_dump(include=set(NewEntry.__slots__)))
