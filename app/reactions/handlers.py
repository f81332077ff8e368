"""What likes and comments add to an export."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.core.db import Reader
from app.reactions.models import Comment, Like
from app.users.exports import every_row, exported

__all__: list[str] = []


@exported("likes")
def export_likes(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """What the person likes."""
    liked = (Like.album_id, Like.track_id, Like.review_id, Like.comment_id, Like.playlist_id)
    return every_row(db, select(Like.id, *liked, Like.created_at).where(Like.user_id == user_id), key=Like.id)


@exported("comments")
def export_comments(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """What the person wrote under what others did."""
    on = (Comment.review_id, Comment.track_id, Comment.position_ms, Comment.parent_id)
    comments = select(Comment.id, *on, Comment.text, Comment.created_at, Comment.edited_at).where(
        Comment.user_id == user_id, Comment.deleted_at.is_(None)
    )
    return every_row(db, comments, key=Comment.id)
