"""What follows for reviews when albums become one and people leave, and what this module adds to an export."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import select

from app.catalog.events import AlbumsMerged
from app.catalog.models import Album, Artist
from app.core.db import Reader, Writer
from app.core.jobs import enqueue, job, on
from app.reviews import sharing
from app.reviews.leaving import forget_comments, forget_likes, forget_reviews
from app.reviews.merging import move_reviews
from app.reviews.models import Review, ReviewRevision
from app.users.events import AccountDeleted
from app.users.exports import every_row, exported

__all__ = ["begin_to_forget", "forget_person", "merge_reviews", "sharing"]


class Leaver(BaseModel):
    """Who left, and whether what they wrote stays."""

    user_id: UUID
    keep_content: bool


@on(AlbumsMerged)
async def merge_reviews(db: Writer, event: AlbumsMerged) -> None:
    """The reviews of the duplicate move."""
    await move_reviews(db, duplicate_id=event.duplicate_id, kept_id=event.kept_id)


@on(AccountDeleted)
async def begin_to_forget(db: Writer, event: AccountDeleted) -> None:
    """The rest takes as many transactions as the person wrote much."""
    await enqueue(db, forget_person, Leaver(user_id=event.user_id, keep_content=event.keep_content))


@job()
async def forget_person(infra: Any, leaver: Leaver) -> None:
    """Drafts go in any case: nobody else ever saw them. A second run finds what the first has left."""
    await forget_reviews(infra.db, leaver.user_id, drafts_only=leaver.keep_content)
    if not leaver.keep_content:
        await forget_comments(infra.db, leaver.user_id)
        await forget_likes(infra.db, leaver.user_id)


@exported("reviews")
def export_reviews(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """What the person wrote, drafts too."""
    own = (Review.id, Review.album_id, Review.rating, Review.text, Review.is_favorite)
    times = (Review.created_at, Review.published_at, Review.edited_at)
    album = (Album.title.label("album"), Artist.name.label("artist"))
    reviews = select(*own, *times, *album).join(Album, Album.id == Review.album_id)
    reviews = reviews.join(Artist, Artist.id == Album.artist_id).where(Review.user_id == user_id)
    return every_row(db, reviews, key=Review.id)


@exported("review_revisions")
def export_revisions(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """What the person's reviews said before."""
    columns = [column for column in ReviewRevision.__table__.columns if column.name != "created_at"]
    revisions = select(*columns, ReviewRevision.created_at.label("replaced_at")).join(
        Review, Review.id == ReviewRevision.review_id
    )
    return every_row(db, revisions.where(Review.user_id == user_id), key=ReviewRevision.id)
