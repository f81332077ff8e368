"""Charts, worked out by a job and read as they are."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Integer, func
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

__all__ = ["ChartEntry"]


class ChartEntry(Base):
    """A place in a chart. `chart` is `top` or `trending`, `period` is week, month, year or all."""

    __tablename__ = "chart_entries"
    __table_args__ = (Index("ix_chart_entries_album_id", "album_id"),)

    chart: Mapped[str] = mapped_column(primary_key=True)
    period: Mapped[str] = mapped_column(primary_key=True)
    rank: Mapped[int] = mapped_column(Integer, primary_key=True)
    album_id: Mapped[UUID] = mapped_column(ForeignKey("albums.id", ondelete="CASCADE"))
    score: Mapped[float]
    review_count: Mapped[int]
    mean_rating: Mapped[float]
    since: Mapped[datetime | None]
    made_at: Mapped[datetime] = mapped_column(server_default=func.now())
