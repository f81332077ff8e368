"""People, and how they stand to each other."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, false, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Row

__all__ = ["Block", "DataExport", "Follow", "Mute", "User"]

_AUDIENCE = "IN ('everyone', 'followers', 'me')"


class User(Row):
    """A person as others see them. Mail address and password are not here but in `credentials`."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("role IN ('user', 'curator', 'admin')", name="role"),
        CheckConstraint(f"profile_visibility {_AUDIENCE}", name="profile_visibility"),
        CheckConstraint(f"library_visibility {_AUDIENCE}", name="library_visibility"),
        Index("ix_users_active_at", "active_at"),
        Index("ix_users_avatar_key", "avatar_key", postgresql_where=text("avatar_key IS NOT NULL")),
        Index("ix_users_banner_key", "banner_key", postgresql_where=text("banner_key IS NOT NULL")),
    )

    username: Mapped[str]
    username_key: Mapped[str] = mapped_column(unique=True)
    display_name: Mapped[str]
    bio: Mapped[str] = mapped_column(server_default="")
    avatar_key: Mapped[str | None]
    banner_key: Mapped[str | None]
    location: Mapped[str] = mapped_column(server_default="")
    links: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    role: Mapped[str] = mapped_column(server_default="user")
    profile_visibility: Mapped[str] = mapped_column(server_default="everyone")
    library_visibility: Mapped[str] = mapped_column(server_default="everyone")
    record_room_listens: Mapped[bool] = mapped_column(server_default=false())
    follower_count: Mapped[int] = mapped_column(server_default="0")
    following_count: Mapped[int] = mapped_column(server_default="0")
    review_count: Mapped[int] = mapped_column(server_default="0")
    rating_sum: Mapped[int] = mapped_column(server_default="0")
    active_at: Mapped[datetime] = mapped_column(server_default=func.now())
    deleted_at: Mapped[datetime | None]


class Follow(Row):
    """One person follows another."""

    __tablename__ = "follows"
    __table_args__ = (
        UniqueConstraint("follower_id", "followed_id"),
        CheckConstraint("follower_id <> followed_id", name="not_self"),
        Index("ix_follows_followed_id_id", "followed_id", "id"),
        Index("ix_follows_follower_id_id", "follower_id", "id"),
    )

    follower_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    followed_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))


class Block(Base):
    """Neither of the two sees the other."""

    __tablename__ = "blocks"
    __table_args__ = (
        CheckConstraint("blocker_id <> blocked_id", name="not_self"),
        Index("ix_blocks_blocked_id", "blocked_id"),
    )

    blocker_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    blocked_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Mute(Base):
    """The muted person's doings stay out of the muter's lists and notifications; they do not learn of it."""

    __tablename__ = "mutes"
    __table_args__ = (
        CheckConstraint("muter_id <> muted_id", name="not_self"),
        Index("ix_mutes_muted_id", "muted_id"),
    )

    muter_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    muted_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class DataExport(Row):
    """A zip of all that is kept about a person, made by a job at their request."""

    __tablename__ = "data_exports"
    __table_args__ = (
        CheckConstraint("status IN ('waiting', 'ready', 'failed')", name="status"),
        CheckConstraint("status = 'waiting' OR expires_at IS NOT NULL", name="done_expires"),
        Index("uq_data_exports_waiting", "user_id", unique=True, postgresql_where=text("status = 'waiting'")),
        Index("ix_data_exports_user_id_id", "user_id", "id"),
        Index("ix_data_exports_expires_at", "expires_at"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    status: Mapped[str] = mapped_column(server_default="waiting")
    expires_at: Mapped[datetime | None]
