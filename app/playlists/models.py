"""Playlists, what is in them, who works on them, and what they did."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.catalog.models import Key
from app.core.db import Base, Row

__all__ = ["Playlist", "PlaylistActivity", "PlaylistEntry", "PlaylistExport", "PlaylistMember"]

_PUBLIC = text("visibility = 'public'")


class Playlist(Base):
    """Tracks in an order, or rules that choose them. Its id is its channel's.

    `owner_id` is empty when the account of the last owner is gone. `version` counts the changes. Of a smart playlist,
    `track_count` and `duration_ms` are those of the moment at which its rules were set.
    """

    __tablename__ = "playlists"
    __table_args__ = (
        CheckConstraint("visibility IN ('public', 'private')", name="visibility"),
        CheckConstraint("kind IN ('manual', 'smart')", name="kind"),
        CheckConstraint("(kind = 'smart') = (rules IS NOT NULL)", name="smart_has_rules"),
        CheckConstraint("track_count BETWEEN 0 AND 10000", name="track_count"),
        CheckConstraint("like_count >= 0", name="like_count"),
        Index("ix_playlists_public", "id", postgresql_where=_PUBLIC),
        Index("ix_playlists_popular", "like_count", "id", postgresql_where=_PUBLIC),
        Index("ix_playlists_words", text("to_tsvector('simple', name_key)"), postgresql_using="gin"),
        Index("ix_playlists_name_key", "name_key"),
        Index("ix_playlists_owner_id", "owner_id", "id"),
        Index("ix_playlists_cover_key", "cover_key", postgresql_where=text("cover_key IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(ForeignKey("channels.id", ondelete="CASCADE"), primary_key=True)
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    name: Mapped[str]
    name_key: Mapped[Key]
    description: Mapped[str] = mapped_column(server_default="")
    visibility: Mapped[str] = mapped_column(server_default="private")
    cover_key: Mapped[str | None]
    kind: Mapped[str] = mapped_column(server_default="manual")
    rules: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    track_count: Mapped[int] = mapped_column(Integer, server_default="0")
    duration_ms: Mapped[int] = mapped_column(server_default="0")
    like_count: Mapped[int] = mapped_column(server_default="0")
    version: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class PlaylistEntry(Base):
    """A track at its place, or the words for one that the catalogue does not have.

    `rank` orders the entries, with gaps between. What the entry says of itself is what was known when it was added, and
    is what is left of it when the track goes.
    """

    __tablename__ = "playlist_entries"
    __table_args__ = (
        # checked when a statement is done: one may give many entries new ranks
        UniqueConstraint("playlist_id", "rank", deferrable=True),
        Index("ix_playlist_entries_track_id", "track_id", postgresql_where=text("track_id IS NOT NULL")),
        Index("ix_playlist_entries_added_by_id", "added_by_id", postgresql_where=text("added_by_id IS NOT NULL")),
        CheckConstraint("duration_ms > 0", name="duration_positive"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    playlist_id: Mapped[UUID] = mapped_column(ForeignKey("playlists.id", ondelete="CASCADE"))
    rank: Mapped[int]
    track_id: Mapped[UUID | None] = mapped_column(ForeignKey("tracks.id", ondelete="SET NULL"))
    title: Mapped[str]
    artist: Mapped[str]
    album: Mapped[str | None]
    duration_ms: Mapped[int | None] = mapped_column(Integer)
    isrc: Mapped[str | None]
    musicbrainz_id: Mapped[UUID | None]
    spotify_id: Mapped[str | None]
    location: Mapped[str | None]
    added_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    added_at: Mapped[datetime] = mapped_column(server_default=func.now())


class PlaylistMember(Row):
    """Somebody who works on a playlist or sees it though it is private, or who is invited to."""

    __tablename__ = "playlist_members"
    __table_args__ = (
        CheckConstraint("role IN ('owner', 'editor', 'viewer')", name="role"),
        CheckConstraint("state IN ('invited', 'accepted')", name="state"),
        CheckConstraint("role <> 'owner' OR state = 'accepted'", name="owner_is_there"),
        UniqueConstraint("playlist_id", "user_id"),
        Index("uq_playlist_members_owner", "playlist_id", unique=True, postgresql_where=text("role = 'owner'")),
        Index("ix_playlist_members_playlist_id_id", "playlist_id", "id"),
        Index("ix_playlist_members_user_id", "user_id", "state", "id"),
    )

    playlist_id: Mapped[UUID] = mapped_column(ForeignKey("playlists.id", ondelete="CASCADE"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    role: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="accepted")
    invited_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    joined_at: Mapped[datetime | None]


class PlaylistActivity(Row):
    """What somebody did to a playlist: to one track, to `count` of which `title` is the first, or to a person.

    People stand there by their ids alone, so that their names go with them.
    """

    __tablename__ = "playlist_activities"
    __table_args__ = (
        CheckConstraint(
            "action IN ('create', 'update', 'add', 'remove', 'move', 'match', 'join', 'leave', 'role', 'owner')",
            name="action",
        ),
        Index("ix_playlist_activities_playlist_id_id", "playlist_id", "id"),
        Index("ix_playlist_activities_actor_id", "actor_id", postgresql_where=text("actor_id IS NOT NULL")),
        Index("ix_playlist_activities_person_id", "person_id", postgresql_where=text("person_id IS NOT NULL")),
        Index("ix_playlist_activities_track_id", "track_id", postgresql_where=text("track_id IS NOT NULL")),
    )

    playlist_id: Mapped[UUID] = mapped_column(ForeignKey("playlists.id", ondelete="CASCADE"))
    actor_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    action: Mapped[str]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    track_id: Mapped[UUID | None] = mapped_column(ForeignKey("tracks.id", ondelete="SET NULL"))
    title: Mapped[str | None]
    count: Mapped[int] = mapped_column(Integer, server_default="1")


class PlaylistExport(Row):
    """A playlist that somebody wants to have mailed: the truth about it, whoever does the work.

    `next_attempt_at` is when it may be tried (again). While somebody works on it, that is when they are given up.
    `handed_at` is when the broker took its id for the attempt that is to come.
    """

    __tablename__ = "playlist_exports"
    __table_args__ = (
        CheckConstraint("state IN ('queued', 'working', 'sent', 'failed')", name="state"),
        CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent"),
        CheckConstraint("(state = 'failed') = (failure IS NOT NULL)", name="failed"),
        CheckConstraint("attempts >= 0", name="attempts"),
        Index("ix_playlist_exports_user_id_id", "user_id", "id"),
        Index("ix_playlist_exports_playlist_id", "playlist_id", postgresql_where=text("playlist_id IS NOT NULL")),
        Index("ix_playlist_exports_due", "next_attempt_at", postgresql_where=text("state IN ('queued', 'working')")),
        Index("ix_playlist_exports_created_at", "created_at"),
    )

    playlist_id: Mapped[UUID | None] = mapped_column(ForeignKey("playlists.id", ondelete="SET NULL"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    target_email: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="queued")
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=func.now())
    handed_at: Mapped[datetime | None]
    failure: Mapped[str | None]
    sent_at: Mapped[datetime | None]
