"""Shapes of comments."""

from uuid import UUID

from pydantic import Field

from app.core.schemas import Output, Timestamp
from app.users.schemas import PersonCard

__all__ = ["CommentCard", "Liked", "Thread"]


class Liked(Output):
    """Whether you like it now, and how many people do."""

    liked: bool
    like_count: int = Field(examples=[3])


class CommentCard(Output):
    """A comment. One that was deleted but has replies is an empty place: without text and author."""

    id: UUID
    review_id: UUID
    parent_id: UUID | None = Field(description="the comment that this one replies to")
    text: str | None = Field(examples=["The second side is even better, @mario"])
    like_count: int
    reply_count: int
    liked: bool = Field(description="whether you like it")
    created_at: Timestamp
    edited_at: Timestamp | None
    deleted: bool
    author: PersonCard | None


class Thread(CommentCard):
    """A comment with its first replies; `reply_count` says how many there are."""

    replies: list[CommentCard]
