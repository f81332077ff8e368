"""Shapes of reviews. Ratings are half stars everywhere: 1 is half a star, 10 is five stars."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from app.catalog.schemas import AlbumDetails, ArtistRef
from app.core.examples import UNREVIEWED
from app.core.schemas import Id, Input, Output, Prose, Timestamp
from app.reactions.schemas import CommentText
from app.users.schemas import PersonCard

__all__ = [
    "AlbumPage",
    "CommentEdit",
    "NewComment",
    "NewReview",
    "Rating",
    "ReviewCard",
    "ReviewEdit",
    "ReviewedAlbum",
    "Revision",
    "Sort",
]

Sort = Literal["new", "top", "rating"]
Rating = Annotated[int, Field(ge=1, le=10, description="Half stars: 1 is half a star, 10 is five stars", examples=[9])]
_ReviewText = Annotated[Prose, Field(max_length=5000, examples=["Warm, patient, and never a note too many."])]


class ReviewedAlbum(Output):
    """An album as shown beside its review."""

    id: UUID
    title: str = Field(examples=["Kind of Blue"])
    artist: ArtistRef
    year: int | None
    cover_key: str | None


class ReviewCard(Output):
    """A review with its author and album. Without `published_at` it is a draft, which only its author sees."""

    id: UUID
    rating: Rating | None
    text: str | None
    is_favorite: bool
    like_count: int
    comment_count: int
    liked: bool = Field(description="whether you like it")
    created_at: Timestamp
    published_at: Timestamp | None
    edited_at: Timestamp | None
    author: PersonCard
    album: ReviewedAlbum


class AlbumPage(AlbumDetails):
    """An album with your own review of it, if you wrote one; it may be a draft."""

    my_review: ReviewCard | None


class Revision(Output):
    """What a review said until `replaced_at`."""

    id: UUID
    rating: Rating
    text: str | None
    replaced_at: Timestamp


class NewReview(Input):
    """A review to publish, or to keep as a draft. Only a draft may do without a rating."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"album_id": UNREVIEWED, "rating": 10, "text": "A prayer in four parts."}]}
    )

    album_id: Id
    rating: Rating | None = None
    text: _ReviewText | None = None
    is_favorite: bool = False
    draft: bool = False


class ReviewEdit(Input):
    """What to change; what is left out stays. A null text takes the text away; `"draft": false` publishes a draft."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"rating": 10, "is_favorite": True}]})

    rating: Rating | None = None
    text: _ReviewText | None = None
    is_favorite: bool | None = None
    draft: bool | None = None


class NewComment(Input):
    """A comment, or a reply to one. A reply to a reply joins the same thread."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "The second side is even better!"}]})

    text: CommentText
    parent_id: Id | None = None


class CommentEdit(Input):
    """What the comment is to say."""

    text: CommentText
