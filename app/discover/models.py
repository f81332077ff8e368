"""Charts, worked out by a job and read as they are, and what somebody does not want suggested."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

__all__ = ["Chart", "ChartEntry", "Dismissal", "RoomDismissal", "TrackTrend"]


class Chart(Base):
    """A chart as it was last made: `kind` is top or trending, `period` week, month, year or all.

    `genre` is empty in the chart of all genres. The counts are of everything in the period, listed or not.
    """

    __tablename__ = "charts"

    kind: Mapped[str] = mapped_column(primary_key=True)
    period: Mapped[str] = mapped_column(primary_key=True)
    genre: Mapped[str] = mapped_column(primary_key=True)
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime]
    weeks_back: Mapped[int] = mapped_column(server_default="0")
    album_count: Mapped[int]
    review_count: Mapped[int]
    made_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ChartEntry(Base):
    """A place in a chart. `previous_rank` is the place at the end of the day before."""

    __tablename__ = "chart_entries"
    __table_args__ = (Index("ix_chart_entries_album_id", "album_id"),)

    kind: Mapped[str] = mapped_column(primary_key=True)
    period: Mapped[str] = mapped_column(primary_key=True)
    genre: Mapped[str] = mapped_column(primary_key=True)
    rank: Mapped[int] = mapped_column(primary_key=True)
    album_id: Mapped[UUID] = mapped_column(ForeignKey("albums.id", ondelete="CASCADE"))
    score: Mapped[float]
    mean_rating: Mapped[float | None]
    review_count: Mapped[int]
    previous_rank: Mapped[int | None]
    made_at: Mapped[datetime] = mapped_column(server_default=func.now())


class TrackTrend(Base):
    """A place among the tracks that are heard most now. `previous_rank` is the place at the end of the day before."""

    __tablename__ = "track_trends"
    __table_args__ = (Index("ix_track_trends_track_id", "track_id"),)

    genre: Mapped[str] = mapped_column(primary_key=True)
    rank: Mapped[int] = mapped_column(primary_key=True)
    track_id: Mapped[UUID] = mapped_column(ForeignKey("tracks.id", ondelete="CASCADE"))
    score: Mapped[float]
    play_count: Mapped[int]
    listener_count: Mapped[int]
    previous_rank: Mapped[int | None]
    made_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Dismissal(Base):
    """Somebody whom a person does not want to be suggested again."""

    __tablename__ = "dismissals"
    __table_args__ = (
        CheckConstraint("user_id <> dismissed_id", name="not_self"),
        Index("ix_dismissals_dismissed_id", "dismissed_id"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    dismissed_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class RoomDismissal(Base):
    """A room that a person is not interested in."""

    __tablename__ = "room_dismissals"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    room_id: Mapped[UUID] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True, index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
