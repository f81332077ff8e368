"""Recordings that people upload."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Integer, SmallInteger, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Row

__all__ = ["Upload", "UploadLink"]


class Upload(Row):
    """A recording from its announcement on. Once it is ready it is that of a track.

    `content_type` and `size` are what was announced, `audio_type` what the content turned out to be. `wishes` are what
    the person said of it at the end; `tags` what the file says itself.
    """

    __tablename__ = "uploads"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'processing', 'ready', 'failed')", name="state"),
        CheckConstraint("(state = 'failed') = (failure_code IS NOT NULL)", name="failed_with_reason"),
        CheckConstraint("state <> 'ready' OR (sha256 IS NOT NULL AND audio_type IS NOT NULL)", name="ready_is_known"),
        CheckConstraint("size > 0", name="size_positive"),
        Index("ix_uploads_owner_id_id", "owner_id", "id", postgresql_include=["state", "size"]),
        Index(
            "uq_uploads_owner_id_sha256", "owner_id", "sha256", unique=True, postgresql_where=text("state = 'ready'")
        ),
        Index("ix_uploads_key", "key"),
        Index(
            "ix_uploads_renditions",
            "renditions",
            postgresql_using="gin",
            postgresql_ops={"renditions": "jsonb_path_ops"},
        ),
        Index("ix_uploads_expires_at", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
    )

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    track_id: Mapped[UUID | None] = mapped_column(ForeignKey("tracks.id", ondelete="SET NULL"), unique=True)
    state: Mapped[str] = mapped_column(server_default="waiting")
    failure_code: Mapped[str | None]
    failure: Mapped[str | None]
    filename: Mapped[str]
    content_type: Mapped[str]
    size: Mapped[int]
    key: Mapped[str]
    wishes: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    audio_type: Mapped[str | None]
    sha256: Mapped[str | None]
    duration_ms: Mapped[int | None] = mapped_column(Integer)
    bitrate_kbps: Mapped[int | None] = mapped_column(Integer)
    sample_rate: Mapped[int | None] = mapped_column(Integer)
    channels: Mapped[int | None] = mapped_column(Integer)
    tags: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    renditions: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    peaks: Mapped[list[int] | None] = mapped_column(ARRAY(SmallInteger))
    finalised_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    link_expires_at: Mapped[datetime | None]


class UploadLink(Row):
    """A link that outlives its upload, whose id it has: until it expires so many bytes may come by it."""

    __tablename__ = "upload_links"
    __table_args__ = (Index("ix_upload_links_owner_id", "owner_id"), Index("ix_upload_links_expires_at", "expires_at"))

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    size: Mapped[int]
    expires_at: Mapped[datetime]
