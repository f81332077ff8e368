"""What OpenMusic says of a song and the catalogue does not."""

from uuid import UUID

from sqlalchemy import ForeignKey, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

__all__ = ["OpenMusicSong"]


class OpenMusicSong(Base):
    """A track that was written as a song: its own year, and its genre as it was spelt."""

    __tablename__ = "openmusic_songs"

    track_id: Mapped[UUID] = mapped_column(ForeignKey("tracks.id", ondelete="CASCADE"), primary_key=True)
    year: Mapped[int] = mapped_column(SmallInteger)
    genre: Mapped[str]
