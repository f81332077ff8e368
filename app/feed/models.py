"""What people did, and in whose feed it stands."""

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Row

__all__ = ["Activity", "FeedEntry"]


class Activity(Row):
    """One thing that a person did: reviewed an album, made it a favourite, or followed somebody."""

    __tablename__ = "activities"
    __table_args__ = (
        CheckConstraint("kind IN ('review', 'favorite', 'follow')", name="kind"),
        CheckConstraint("num_nonnulls(review_id, followed_id) = 1", name="one_subject"),
        Index("ix_activities_actor_id_id", "actor_id", "id"),
        Index("uq_activities_review", "review_id", "kind", unique=True, postgresql_where=text("review_id IS NOT NULL")),
        Index(
            "uq_activities_follow",
            "actor_id",
            "followed_id",
            unique=True,
            postgresql_where=text("followed_id IS NOT NULL"),
        ),
    )

    actor_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str]
    review_id: Mapped[UUID | None] = mapped_column(ForeignKey("reviews.id", ondelete="CASCADE"))
    followed_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)


class FeedEntry(Base):
    """An activity in a reader's feed, written when it happened: reading costs the same however many one follows."""

    __tablename__ = "feed_entries"
    __table_args__ = (Index("ix_feed_entries_activity_id", "activity_id"),)

    reader_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    activity_id: Mapped[UUID] = mapped_column(ForeignKey("activities.id", ondelete="CASCADE"), primary_key=True)
