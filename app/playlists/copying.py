"""Copies of playlists, one's own or those of others."""

from uuid import UUID

from app.core.auth import Principal
from app.core.db import Writer
from app.playlists.entries import NewEntry, fill
from app.playlists.entry_queries import EVERY_ENTRY
from app.playlists.rules import Rules
from app.playlists.schemas import SavedEntry
from app.playlists.service import create_playlist
from app.playlists.smart import Choice, chosen_entries
from app.playlists.standing import hold_playlist, require_readable

__all__ = ["copy_playlist"]


async def copy_playlist(
    db: Writer, actor: Principal, playlist_id: UUID, *, name: str | None = None, frozen: bool = False
) -> UUID:
    """A private playlist of the actor's with the same in it. Raises NotFound, TooManyPlaylists.

    A copy of a smart playlist asks about the one who copied it; `frozen`, it is the list that the original is now.
    """
    original = await require_readable(db, actor, playlist_id)
    name, description = name or original.name, original.description
    if original.rules is not None and not frozen:
        rules = Rules.model_validate(original.rules)
        return await create_playlist(db, actor, name=name, description=description, rules=rules)
    copy_id = await create_playlist(db, actor, name=name, description=description)
    if original.rules is None:
        entries = await EVERY_ENTRY.all(db, playlist_id=playlist_id, viewer=actor.user_id)
    else:
        entries = await chosen_entries(db, Choice(original.rules, original.owner_id, actor.user_id))
    held = await hold_playlist(db, actor, copy_id)
    await fill(db, held, [_again(entry, is_member=original.role is not None) for entry in entries], told=False)
    return copy_id


def _again(entry: SavedEntry, *, is_member: bool) -> NewEntry:
    """Where their files lie is for those who made the playlist."""
    told = set(NewEntry.__slots__) - (set() if is_member else {"location"})
    return NewEntry(**entry.model_dump(include=told))
