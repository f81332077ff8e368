"""Likes and comments on whatever can be liked or commented: one table each, with real foreign keys."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Row

__all__ = ["Comment", "Like"]

_LIKED = ("album_id", "track_id", "review_id", "comment_id", "playlist_id")
_COMMENTED = ("review_id", "track_id")


def _target(table: str) -> Mapped[UUID | None]:
    return mapped_column(ForeignKey(f"{table}.id", ondelete="CASCADE"))


class Like(Row):
    """A person likes one thing, once."""

    __tablename__ = "likes"
    __table_args__ = (
        CheckConstraint(f"num_nonnulls({', '.join(_LIKED)}) = 1", name="one_target"),
        *(
            Index(
                f"uq_likes_{name}_user_id", name, "user_id", unique=True, postgresql_where=text(f"{name} IS NOT NULL")
            )
            for name in _LIKED
        ),
        Index("ix_likes_user_id_id", "user_id", "id"),
        *(
            Index(f"ix_likes_{name}_id", name, "id", postgresql_where=text(f"{name} IS NOT NULL"))
            for name in ("album_id", "review_id", "playlist_id")
        ),
        *(
            Index(f"ix_likes_user_id_{name}", "user_id", "id", postgresql_where=text(f"{name} IS NOT NULL"))
            for name in ("album_id", "track_id", "playlist_id")
        ),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    album_id: Mapped[UUID | None] = _target("albums")
    track_id: Mapped[UUID | None] = _target("tracks")
    review_id: Mapped[UUID | None] = _target("reviews")
    comment_id: Mapped[UUID | None] = _target("comments")
    playlist_id: Mapped[UUID | None] = _target("playlists")


class Comment(Row):
    """A comment or a reply to one, on a track also about a moment of it. A deleted one with replies stays as an empty
    place.
    """

    __tablename__ = "comments"
    __table_args__ = (
        CheckConstraint(f"num_nonnulls({', '.join(_COMMENTED)}) = 1", name="one_target"),
        CheckConstraint("position_ms IS NULL OR (position_ms >= 0 AND track_id IS NOT NULL)", name="moment_of_track"),
        Index("ix_comments_threads", "review_id", "id", postgresql_where=text("parent_id IS NULL")),
        Index("ix_comments_review_id", "review_id"),
        Index("ix_comments_track_id_id", "track_id", "id", postgresql_where=text("track_id IS NOT NULL")),
        Index("ix_comments_moments", "track_id", "position_ms", "id", postgresql_where=text("position_ms IS NOT NULL")),
        Index("ix_comments_parent_id_id", "parent_id", "id"),
        Index("ix_comments_user_id_id", "user_id", "id"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    review_id: Mapped[UUID | None] = _target("reviews")
    track_id: Mapped[UUID | None] = _target("tracks")
    position_ms: Mapped[int | None]
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("comments.id", ondelete="CASCADE"))
    text: Mapped[str]
    like_count: Mapped[int] = mapped_column(server_default="0")
    reply_count: Mapped[int] = mapped_column(server_default="0")
    edited_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
