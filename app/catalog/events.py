"""What happens to the catalogue."""

from uuid import UUID

from app.core.jobs import Event

__all__ = ["AlbumLiked", "AlbumsMerged", "ArtistsMerged", "TrackCommented", "TrackHidden", "TracksMerged"]


class ArtistsMerged(Event):
    """An artist was found to be a duplicate: what belongs to them moves to the one that stays."""

    duplicate_id: UUID
    kept_id: UUID


class AlbumsMerged(Event):
    """An album was found to be a duplicate: what belongs to it moves to the one that stays."""

    duplicate_id: UUID
    kept_id: UUID


class TracksMerged(Event):
    """Tracks were found to be duplicates: the first of each pair moves to the second, which stays."""

    pairs: list[tuple[UUID, UUID]]


class TrackHidden(Event):
    """A track is no longer for everybody who could hear it, or gone. Who shows it live looks again."""

    track_id: UUID


class AlbumLiked(Event):
    """A person likes an album."""

    album_id: UUID
    user_id: UUID


class TrackCommented(Event):
    """A person commented on a track, or replied to a comment there if there is a parent."""

    comment_id: UUID
    track_id: UUID
    user_id: UUID
    parent_id: UUID | None
