"""What happens to the catalogue."""

from uuid import UUID

from app.core.jobs import Event

__all__ = ["AlbumLiked", "AlbumsMerged"]


class AlbumsMerged(Event):
    """An album was found to be a duplicate: what belongs to it moves to the one that stays."""

    duplicate_id: UUID
    kept_id: UUID


class AlbumLiked(Event):
    """A person likes an album."""

    album_id: UUID
    user_id: UUID
