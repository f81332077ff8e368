"""What follows for playlists when people leave or part and tracks become one, and what this module adds to an export.

Loads what registers itself.
"""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Uuid, and_, literal, or_, select

from app.catalog.events import TracksMerged
from app.catalog.hearing import heard_by
from app.catalog.models import Track
from app.core.db import Reader, Writer
from app.core.jobs import enqueue, job, on
from app.playlists import channel, cover, export, exporting
from app.playlists.leaving import forget_names, leave_playlists, part
from app.playlists.likes import forget_likes
from app.playlists.matching import move_merged
from app.playlists.models import Playlist, PlaylistActivity, PlaylistEntry, PlaylistMember
from app.users.events import AccountDeleted, Blocked
from app.users.exports import every_row, exported

__all__ = ["channel", "cover", "export", "exporting"]
__all__ += ["leave_all_playlists", "move_merged_entries", "part_collaborators"]


class PlaylistLeaver(BaseModel):
    """Who left, and whether what they made may stay."""

    user_id: UUID
    keep_content: bool


@on(AccountDeleted)
async def begin_to_leave_playlists(db: Writer, event: AccountDeleted) -> None:
    """Each of their playlists takes a transaction of its own."""
    await enqueue(db, leave_all_playlists, PlaylistLeaver(user_id=event.user_id, keep_content=event.keep_content))


@job(seconds=900.0)
async def leave_all_playlists(infra: Any, leaver: PlaylistLeaver) -> None:
    """A second run finds what the first has left."""
    await leave_playlists(infra.db, leaver.user_id, keep_content=leaver.keep_content)
    await forget_names(infra.db, leaver.user_id)
    if not leaver.keep_content:
        await forget_likes(infra.db, leaver.user_id)


@on(Blocked)
async def begin_to_part(db: Writer, event: Blocked) -> None:
    """Each playlist that they shared takes a transaction of its own."""
    await enqueue(db, part_collaborators, event)


@job()
async def part_collaborators(infra: Any, blocked: Blocked) -> None:
    """A second run finds what the first has left."""
    await part(infra.db, blocked.blocker_id, blocked.blocked_id)


@on(TracksMerged)
async def begin_to_move_entries(db: Writer, event: TracksMerged) -> None:
    """A track that everybody loves stands in more playlists than one transaction should touch."""
    await enqueue(db, move_merged_entries, event)


@job(seconds=900.0)
async def move_merged_entries(infra: Any, merged: TracksMerged) -> None:
    """A second run finds what the first has left."""
    await move_merged(infra.db, merged.pairs)


@exported("playlists")
def export_playlists(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """The playlists that are the person's."""
    said = (Playlist.id, Playlist.name, Playlist.description, Playlist.visibility, Playlist.kind, Playlist.rules)
    playlists = select(*said, Playlist.track_count, Playlist.created_at, Playlist.updated_at)
    return every_row(db, playlists.where(Playlist.owner_id == user_id), key=Playlist.id)


@exported("playlist_entries")
def export_playlist_entries(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """What is in the playlists of the person, and what they added to those of others."""
    names = ("playlist_id", "rank", "track_id", "title", "artist", "album", "duration_ms", "isrc", "location")
    columns = [getattr(PlaylistEntry, name) for name in names]
    entries = select(PlaylistEntry.id, *columns, PlaylistEntry.added_at)
    entries = entries.join(Playlist, Playlist.id == PlaylistEntry.playlist_id)
    entries = entries.outerjoin(Track, Track.id == PlaylistEntry.track_id)
    known = or_(PlaylistEntry.track_id.is_(None), heard_by(Track, literal(user_id, Uuid)))
    mine = or_(PlaylistEntry.added_by_id == user_id, and_(Playlist.owner_id == user_id, known))
    return every_row(db, entries.where(mine), key=PlaylistEntry.id)


@exported("playlist_memberships")
def export_playlist_memberships(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """Where the person belongs or is invited, and whom they invited."""
    names = ("id", "playlist_id", "user_id", "role", "state", "invited_by_id", "created_at", "joined_at")
    mine = (PlaylistMember.user_id == user_id) | (PlaylistMember.invited_by_id == user_id)
    members = select(*(getattr(PlaylistMember, name) for name in names))
    return every_row(db, members.where(mine), key=PlaylistMember.id)


@exported("playlist_activities")
def export_playlist_activities(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """What the person did in playlists."""
    names = ("id", "playlist_id", "action", "person_id", "track_id", "title", "count", "created_at")
    done = select(*(getattr(PlaylistActivity, name) for name in names))
    return every_row(db, done.where(PlaylistActivity.actor_id == user_id), key=PlaylistActivity.id)
