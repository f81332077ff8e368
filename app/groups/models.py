"""Groups, who belongs to them, who may not come in, and invitations."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, Integer, SmallInteger, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.catalog.models import Key
from app.chat.models import Invitation
from app.core.db import Base, Row

__all__ = ["Group", "GroupBan", "GroupInvite", "GroupLink", "GroupMember", "GroupMute"]


class Group(Base):
    """People who talk about something. Its id is its channel's, and ordered by time."""

    __tablename__ = "groups"
    __table_args__ = (
        CheckConstraint("member_count >= 0", name="member_count"),
        Index("ix_groups_popular", "member_count", "id"),
        Index("ix_groups_category_new", "category", "id"),
        Index("ix_groups_category_popular", "category", "member_count", "id"),
        Index("ix_groups_words", text("to_tsvector('simple', name_key)"), postgresql_using="gin"),
        Index("ix_groups_name_key", "name_key"),
        Index("ix_groups_owner_id", "owner_id"),
        Index("ix_groups_cover_key", "cover_key", postgresql_where=text("cover_key IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(ForeignKey("channels.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str]
    name_key: Mapped[Key]
    category: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")
    cover_key: Mapped[str | None]
    is_private: Mapped[bool] = mapped_column(server_default=text("false"))
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    member_count: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class GroupMember(Base):
    """Somebody who belongs to a group. `rank` orders the roles: the owner is 1."""

    __tablename__ = "group_members"
    __table_args__ = (
        CheckConstraint("role IN ('owner', 'admin', 'moderator', 'member')", name="role"),
        Index("ix_group_members_listed", "group_id", "rank", "joined_at", "user_id"),
        Index("ix_group_members_user_id", "user_id", "group_id"),
        Index("uq_group_members_owner", "group_id", unique=True, postgresql_where=text("role = 'owner'")),
    )

    group_id: Mapped[UUID] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str]
    rank: Mapped[int] = mapped_column(
        SmallInteger,
        Computed(
            "CASE role WHEN 'owner' THEN 1 WHEN 'admin' THEN 2 WHEN 'moderator' THEN 3 ELSE 4 END", persisted=True
        ),
    )
    joined_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    muted_until: Mapped[datetime | None]


class GroupBan(Base):
    """Who may not come in: for ever, or until a moment."""

    __tablename__ = "group_bans"
    __table_args__ = (Index("ix_group_bans_group_id_created_at", "group_id", "created_at", "user_id"),)

    group_id: Mapped[UUID] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    banned_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    reason: Mapped[str] = mapped_column(server_default="")
    until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class GroupMute(Base):
    """Somebody who left while they might not speak: when they come back, they still may not."""

    __tablename__ = "group_mutes"

    group_id: Mapped[UUID] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    until: Mapped[datetime]


class GroupInvite(Invitation):
    """A person is invited to a group by a member."""

    __tablename__ = "group_invites"
    place = "group_id"

    group_id: Mapped[UUID] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"))


class GroupLink(Row):
    """A link that lets people in, until it ends or as often as it says. Its token is not kept."""

    __tablename__ = "group_links"
    __table_args__ = (
        CheckConstraint("max_uses IS NULL OR uses <= max_uses", name="uses"),
        Index("ix_group_links_group_id_id", "group_id", "id"),
    )

    group_id: Mapped[UUID] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"))
    digest: Mapped[bytes] = mapped_column(unique=True)
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    max_uses: Mapped[int | None] = mapped_column(Integer)
    uses: Mapped[int] = mapped_column(Integer, server_default="0")
    expires_at: Mapped[datetime | None]
