"""What happens to reviews."""

from uuid import UUID

from app.core.jobs import Event

__all__ = ["CommentLiked", "CommentWritten", "FavoriteMarked", "ReviewDeleted", "ReviewLiked", "ReviewPublished"]


class ReviewPublished(Event):
    """A review can be read by others for the first time."""

    review_id: UUID
    user_id: UUID
    album_id: UUID


class FavoriteMarked(Event):
    """A published review's album became one of its author's favourites."""

    review_id: UUID
    user_id: UUID


class ReviewDeleted(Event):
    """A review is gone, and with it what hung on it."""

    review_id: UUID
    user_id: UUID
    album_id: UUID


class ReviewLiked(Event):
    """A person likes a review."""

    review_id: UUID
    user_id: UUID


class CommentWritten(Event):
    """A person commented on a review, or replied to a comment if there is a parent."""

    comment_id: UUID
    review_id: UUID
    user_id: UUID
    parent_id: UUID | None


class CommentLiked(Event):
    """A person likes a comment under a review or a track."""

    comment_id: UUID
    review_id: UUID | None
    track_id: UUID | None = None
    user_id: UUID
