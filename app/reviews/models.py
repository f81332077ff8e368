"""Reviews of albums, and what they said before they were edited."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Row

__all__ = ["Review", "ReviewRevision"]

_PUBLISHED = text("published_at IS NOT NULL")


class Review(Row):
    """A person's review of an album; a draft while `published_at` is empty. Ratings are half stars, 1 to 10."""

    __tablename__ = "reviews"
    __table_args__ = (
        UniqueConstraint("user_id", "album_id"),
        CheckConstraint("rating BETWEEN 1 AND 10", name="rating"),
        CheckConstraint("published_at IS NULL OR rating IS NOT NULL", name="published_has_rating"),
        Index("ix_reviews_recent", "published_at", "id", postgresql_where=_PUBLISHED),
        Index("ix_reviews_top", "like_count", "id", postgresql_where=_PUBLISHED),
        Index("ix_reviews_rating", "rating", "id", postgresql_where=_PUBLISHED),
        Index("ix_reviews_album_new", "album_id", "published_at", "id"),
        Index("ix_reviews_album_top", "album_id", "like_count", "id", postgresql_where=_PUBLISHED),
        Index("ix_reviews_album_rating", "album_id", "rating", "id", postgresql_where=_PUBLISHED),
        Index("ix_reviews_user_new", "user_id", "published_at", "id"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    album_id: Mapped[UUID] = mapped_column(ForeignKey("albums.id", ondelete="RESTRICT"))
    """Of a draft too, which no count of reviews shows."""
    rating: Mapped[int | None] = mapped_column(SmallInteger)
    text: Mapped[str | None]
    is_favorite: Mapped[bool] = mapped_column(server_default="false")
    published_at: Mapped[datetime | None]
    edited_at: Mapped[datetime | None]
    like_count: Mapped[int] = mapped_column(server_default="0")
    comment_count: Mapped[int] = mapped_column(server_default="0")


class ReviewRevision(Row):
    """What a published review said before an edit."""

    __tablename__ = "review_revisions"
    __table_args__ = (Index("ix_review_revisions_review_id_id", "review_id", "id"),)

    review_id: Mapped[UUID] = mapped_column(ForeignKey("reviews.id", ondelete="CASCADE"))
    rating: Mapped[int] = mapped_column(SmallInteger)
    text: Mapped[str | None]
