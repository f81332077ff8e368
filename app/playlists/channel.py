"""Playlists as channels: whoever reads one hears what changes in it. Nobody talks there."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from app.chat.owners import Command, Entry, owner, readers
from app.chat.protocol import event_kinds
from app.core.auth import Principal
from app.core.errors import AppError, Forbidden
from app.core.query import Runs
from app.playlists.entry_queries import FIRST_ENTRIES
from app.playlists.lapses import LAPSED
from app.playlists.queries import EVERY_MEMBER, STATE
from app.playlists.standing import require_readable

__all__ = ["Playlists", "Silent"]


class Silent(Forbidden):
    code, title = "no_talk", "Nobody talks in a playlist"


class Playlists:
    """The owner of channels of the kind `playlist`."""

    commands: Mapping[str, Command] = {}

    async def enter(self, db: Runs, actor: Principal, channel_id: UUID) -> Entry:
        """Whoever may see the playlist."""
        playlist = await require_readable(db, actor, channel_id)
        return Entry(role=playlist.role or "reader", can_post=False)

    async def speakers(self, db: Runs, channel_id: UUID, user_ids: Sequence[UUID]) -> Mapping[UUID, AppError | None]:
        """Nobody."""
        return dict.fromkeys(user_ids, Silent("Make a group to talk about it."))

    async def moderates(self, db: Runs, channel_id: UUID, user_id: UUID) -> bool:
        """There is nothing to moderate."""
        return False

    async def audience(self, db: Runs, channel_id: UUID, usernames: Sequence[str]) -> Mapping[str, UUID]:
        """Nobody is mentioned where nobody talks."""
        return {}

    async def snapshot(self, db: Runs, actor: Principal, channel_id: UUID) -> dict[str, Any]:
        """The playlist, who belongs to it, and its first entries, at most 500."""
        state = await STATE.first(db, playlist_id=channel_id)
        members = await EVERY_MEMBER.all(db, playlist_id=channel_id, viewer=actor.user_id)
        entries = await FIRST_ENTRIES.all(db, playlist_id=channel_id, viewer=None)
        return {
            "playlist": None if state is None else state.model_dump(),
            "members": [member.model_dump() for member in members],
            "entries": [entry.model_dump() for entry in entries],
        }


owner("playlist", Playlists())
readers("playlist", LAPSED)
event_kinds(
    {
        "playlist.entries": "Entries came, went or moved, by `op`: `add` (`at`, `entries`), `remove` (`entry_ids`), "
        "`move` (`start`, `length`, `to`: the range is taken out, then put in so that it begins at `to`), `replace` "
        "(`entries`, by their ids), `reload` (too much for one event: read the list again); and `version`, "
        "`track_count`, `duration_ms`, `updated_at`",
        "playlist.hidden": "The playlist, or its owner's profile, is not for everybody any more. Everybody's sockets "
        "end; who may still see it comes back",
        "playlist.closed": "The playlist is no more. Everybody's sockets end",
    }
)
