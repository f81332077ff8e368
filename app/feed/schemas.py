"""Shapes of the feed."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from app.core.paging import Page
from app.core.schemas import Output, Timestamp
from app.reviews.schemas import ReviewCard
from app.users.schemas import PersonCard

__all__ = ["FeedItem", "FeedPage", "Source"]

Source = Literal["following", "everyone"]


class FeedItem(Output):
    """Something that `actor` did: wrote `review`, made its album a favourite, or followed `person`."""

    id: UUID
    kind: Literal["review", "favorite", "follow"]
    created_at: Timestamp
    actor: PersonCard
    review: ReviewCard | None
    person: PersonCard | None


class FeedPage(Page[FeedItem]):
    """A page of the feed, and whose doings it tells of."""

    source: Source = Field(description="`everyone` for as long as you follow nobody")
