"""What happens to playlists that others want to know."""

from uuid import UUID

from app.core.jobs import Event

__all__ = ["PlaylistInvited", "PlaylistLiked"]


class PlaylistInvited(Event):
    """Somebody is invited to a playlist; `member_id` is the row that waits for their answer."""

    member_id: UUID
    playlist_id: UUID
    user_id: UUID
    invited_by_id: UUID


class PlaylistLiked(Event):
    """A person likes a playlist."""

    playlist_id: UUID
    user_id: UUID
