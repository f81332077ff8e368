"""What a change of a playlist begins and ends with: who may do it, and who is told of it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.catalog.service import viewer_of
from app.chat.log import append, hold
from app.core.auth import Principal
from app.core.db import Writer
from app.core.errors import Conflict, Forbidden, NotFound
from app.core.query import Runs
from app.playlists.lapses import send_lapsed_away
from app.playlists.models import Playlist, PlaylistActivity, PlaylistMember
from app.playlists.queries import PLAYLIST, STATE, seen
from app.playlists.schemas import Action, PlaylistDetail

__all__ = [
    "Held",
    "NotCollaborator",
    "NotOwner",
    "PlaylistChanged",
    "PlaylistIsSmart",
    "find_member",
    "hold_alone",
    "hold_playlist",
    "note",
    "require_readable",
    "tell_of_changes",
    "tell_of_entries",
]


class NotCollaborator(Forbidden):
    code, title = "not_collaborator", "Only its owner and editors may do this"


class NotOwner(Forbidden):
    code, title = "not_owner", "Only the owner of the playlist may do this"


class PlaylistIsSmart(Conflict):
    code, title = "playlist_is_smart", "A smart playlist is filled by its rules"


class PlaylistChanged(Conflict):
    code, title = "playlist_changed", "The playlist has changed since you read it"


@dataclass(frozen=True, slots=True)
class Held:
    """A playlist in which nothing else happens until the transaction ends, and the actor's part in it."""

    playlist: Playlist
    me: PlaylistMember | None
    actor_id: UUID

    @property
    def role(self) -> str | None:
        """The actor's role; None for who only reads it, or has not answered."""
        return self.me.role if self.me is not None and self.me.state == "accepted" else None

    def require_owner(self) -> None:
        """Raises NotOwner."""
        if self.role != "owner":
            raise NotOwner

    def require_editor(self, version: int | None = None) -> None:
        """Raises NotCollaborator, PlaylistIsSmart, and PlaylistChanged if another version is there than this."""
        if self.role not in {"owner", "editor"}:
            raise NotCollaborator("Ask its owner to make you an editor.")
        if self.playlist.kind == "smart":
            raise PlaylistIsSmart("Change its rules, or copy it with `frozen`.")
        if version is not None and version != self.playlist.version:
            detail = f"It is at version {self.playlist.version} now. Read it again, and repeat what still makes sense."
            raise PlaylistChanged(detail, version=self.playlist.version)


async def hold_alone(db: Writer, playlist_id: UUID) -> None:
    """Lets nothing else happen in a playlist, and nobody hear of what does who may not see it. Raises NotFound."""
    await hold(db, playlist_id, kind="playlist")
    await send_lapsed_away(db, playlist_id)


async def hold_playlist(db: Writer, actor: Principal, playlist_id: UUID) -> Held:
    """What every change of a playlist begins with. Raises NotFound, also for what the actor may not see."""
    await hold_alone(db, playlist_id)
    found = await db.execute(
        select(Playlist, PlaylistMember)
        .outerjoin(
            PlaylistMember, (PlaylistMember.playlist_id == Playlist.id) & (PlaylistMember.user_id == actor.user_id)
        )
        .where(Playlist.id == playlist_id, seen()),
        {"viewer": actor.user_id},
    )
    row = found.one_or_none()
    if row is None:
        raise NotFound("There is no such playlist.")
    return Held(row[0], row[1], actor.user_id)


async def find_member(db: Writer, playlist_id: UUID, user_id: UUID) -> PlaylistMember | None:
    """Somebody's part in a playlist, also one that they are only invited to."""
    return await db.one(select(PlaylistMember).filter_by(playlist_id=playlist_id, user_id=user_id))


async def require_readable(db: Runs, actor: Principal | None, playlist_id: UUID) -> PlaylistDetail:
    """A playlist that the actor may see. Raises NotFound."""
    found = await PLAYLIST.first(db, playlist_id=playlist_id, viewer=viewer_of(actor))
    if found is None:
        raise NotFound("There is no such playlist.")
    return found


def note(
    db: Writer,
    held: Held,
    action: Action,
    *,
    title: str | None = None,
    track_id: UUID | None = None,
    person_id: UUID | None = None,
    count: int = 1,
) -> None:
    """Writes down what the actor did."""
    what = {"action": action, "title": title, "track_id": track_id, "person_id": person_id, "count": count}
    db.add(PlaylistActivity(playlist_id=held.playlist.id, actor_id=held.actor_id, **what))


async def tell_of_changes(db: Writer, playlist: Playlist, *, actor_id: UUID | None) -> None:
    """Counts a change of what the playlist says of itself, and gives its sockets the new card."""
    _count(playlist)
    card = await STATE.first(db, playlist_id=playlist.id)
    assert card is not None, "its channel is held"
    await append(db, playlist.id, kind="channel.updated", actor_id=actor_id, data=card.model_dump())


async def tell_of_entries(db: Writer, playlist: Playlist, change: dict[str, Any], *, actor_id: UUID | None) -> None:
    """Counts a change of what is in the playlist, and gives its sockets the difference."""
    _count(playlist)
    numbers = ("version", "track_count", "duration_ms", "updated_at")
    data = {**change, **{name: getattr(playlist, name) for name in numbers}}
    await append(db, playlist.id, kind="playlist.entries", actor_id=actor_id, data=data)


def _count(playlist: Playlist) -> None:
    playlist.version += 1
    playlist.updated_at = datetime.now(UTC)
