"""Shapes of comments."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from app.core.schemas import Id, Input, Output, Prose, Timestamp
from app.users.schemas import PersonCard

__all__ = ["CommentCard", "CommentText", "Liked", "NewTrackComment", "Thread"]

CommentText = Annotated[Prose, Field(min_length=1, max_length=2000, examples=["The second side is even better!"])]


class Liked(Output):
    """Whether you like it now, and how many people do."""

    liked: bool
    like_count: int = Field(examples=[3])


class CommentCard(Output):
    """A comment. One that was deleted but has replies is an empty place: without text and author."""

    id: UUID
    review_id: UUID | None = Field(description="the review that it stands under, unless that is a track")
    track_id: UUID | None = Field(description="the track that it stands under, unless that is a review")
    position_ms: int | None = Field(description="the moment of the track that it is about, if any", examples=[83_500])
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


class NewTrackComment(Input):
    """A comment on a track, if wanted about a moment of it, or a reply. A reply to a reply joins the same thread."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"text": "Here comes Coltrane!", "position_ms": 150_000}]}
    )

    text: CommentText
    position_ms: Annotated[int, Field(ge=0, le=24 * 3600 * 1000, examples=[150_000])] | None = None
    parent_id: Id | None = None
