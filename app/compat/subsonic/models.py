"""What Subsonic clients keep that nothing else here knows of."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Integer, SmallInteger, Uuid, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Row

__all__ = ["PlayQueue", "SubsonicRating", "SubsonicStar"]

_RATED = ("artist_id", "album_id", "track_id")


class SubsonicRating(Row):
    """One to five stars of a person's own, which nobody else sees: a review is something that people publish."""

    __tablename__ = "subsonic_ratings"
    __table_args__ = (
        CheckConstraint(f"num_nonnulls({', '.join(_RATED)}) = 1", name="one_target"),
        CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),
        Index("ix_subsonic_ratings_user_id_id", "user_id", "id"),
        *(
            Index(
                f"uq_subsonic_ratings_{name}_user_id",
                name,
                "user_id",
                unique=True,
                postgresql_where=text(f"{name} IS NOT NULL"),
            )
            for name in _RATED
        ),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    artist_id: Mapped[UUID | None] = mapped_column(ForeignKey("artists.id", ondelete="CASCADE"))
    album_id: Mapped[UUID | None] = mapped_column(ForeignKey("albums.id", ondelete="CASCADE"))
    track_id: Mapped[UUID | None] = mapped_column(ForeignKey("tracks.id", ondelete="CASCADE"))
    rating: Mapped[int] = mapped_column(SmallInteger)


class SubsonicStar(Base):
    """An artist whom a person has starred. Starred albums and tracks are likes."""

    __tablename__ = "subsonic_stars"
    __table_args__ = (Index("ix_subsonic_stars_artist_id", "artist_id"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    artist_id: Mapped[UUID] = mapped_column(ForeignKey("artists.id", ondelete="CASCADE"), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class PlayQueue(Base):
    """What a person left playing on one device, to go on with on another: the whole queue is saved each time."""

    __tablename__ = "play_queues"
    __table_args__ = (
        CheckConstraint("cardinality(track_ids) <= 10000", name="length"),
        CheckConstraint("position_ms >= 0", name="position"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    track_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    current: Mapped[int | None] = mapped_column(Integer)
    position_ms: Mapped[int] = mapped_column(server_default="0")
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())
    changed_by: Mapped[str]
