"""What people heard."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

__all__ = ["Listen", "Listener"]


class Listen(Base):
    """A person heard a track, from `listened_at` on, which is a whole second.

    The id follows from person, track and time (`listen_id`), so the primary key is what makes a listen unique, and its
    order is that of time. It includes the track: lists of what was heard most are read from the index alone.
    """

    __tablename__ = "listens"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "id", postgresql_include=["track_id"]),
        Index("ix_listens_track_id", "track_id"),
        # nearly all arrive in the order of time: this is thousands of times smaller than a tree, and what was heard in
        # the last days is found by it without the years before
        Index(
            "ix_listens_listened_at", "listened_at", postgresql_using="brin", postgresql_with={"autosummarize": "on"}
        ),
        CheckConstraint(
            "source IN ('room', 'stream', 'spotify', 'listenbrainz', 'lastfm', 'subsonic', 'import', 'manual')",
            name="source",
        ),
        CheckConstraint("played_ms >= 0", name="played"),
        # an index is read alone only where VACUUM has been: after a fiftieth of the table, not a fifth
        {"postgresql_with": {"autovacuum_vacuum_insert_scale_factor": "0.02"}},
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    id: Mapped[UUID]
    track_id: Mapped[UUID] = mapped_column(ForeignKey("tracks.id", ondelete="RESTRICT"))
    room_id: Mapped[UUID | None]
    listened_at: Mapped[datetime]
    played_ms: Mapped[int | None] = mapped_column(Integer)
    source: Mapped[str]
    client: Mapped[str | None]


class Listener(Base):
    """How much a person has heard. Its row lock has the listens of one person recorded one batch after the other."""

    __tablename__ = "listeners"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    listen_count: Mapped[int] = mapped_column(server_default="0")
