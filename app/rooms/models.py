"""Rooms, who belongs to them, what each role may do, and who may not come in."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, SmallInteger, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.catalog.models import Key
from app.chat.models import Invitation
from app.core.db import Base, Row

__all__ = ["Room", "RoomBan", "RoomInvitation", "RoomInvite", "RoomMember", "RoomPermission", "RoomVisit"]


class Room(Base):
    """People who hear the same. Its id is its channel's. `owner_id` is empty when the last owner's account is gone."""

    __tablename__ = "rooms"
    __table_args__ = (
        CheckConstraint("queue_mode IN ('fifo', 'votes', 'fair')", name="queue_mode"),
        CheckConstraint("entry_role IN ('member', 'guest')", name="entry_role"),
        CheckConstraint("capacity > 0", name="capacity_positive"),
        CheckConstraint("member_count BETWEEN 0 AND capacity", name="not_too_full"),
        CheckConstraint("skip_quorum > 0 AND skip_quorum <= 1", name="skip_quorum"),
        CheckConstraint("items_per_person > 0", name="items_per_person"),
        CheckConstraint("is_private OR password_hash IS NULL", name="password_is_private"),
        Index("ix_rooms_genres", "genres", postgresql_using="gin"),
        Index("ix_rooms_owner_id", "owner_id"),
    )

    id: Mapped[UUID] = mapped_column(ForeignKey("channels.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str]
    name_key: Mapped[Key] = mapped_column(unique=True)
    description: Mapped[str] = mapped_column(server_default="")
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    is_private: Mapped[bool] = mapped_column(server_default=text("false"))
    password_hash: Mapped[str | None]
    capacity: Mapped[int] = mapped_column(Integer, server_default="50")
    member_count: Mapped[int] = mapped_column(Integer, server_default="0")
    genres: Mapped[list[str]] = mapped_column(server_default=text("'{}'::text[]"))
    is_permanent: Mapped[bool] = mapped_column(server_default=text("false"))
    entry_role: Mapped[str] = mapped_column(server_default="member")
    queue_mode: Mapped[str] = mapped_column(server_default="fifo")
    auto_dj: Mapped[bool] = mapped_column(server_default=text("false"))
    items_per_person: Mapped[int] = mapped_column(SmallInteger, server_default="20")
    skip_quorum: Mapped[float] = mapped_column(server_default="0.5")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_active_at: Mapped[datetime] = mapped_column(server_default=func.now())


class RoomMember(Base):
    """Somebody who is in a room, with an open socket or without."""

    __tablename__ = "room_members"
    __table_args__ = (
        CheckConstraint("role IN ('owner', 'dj', 'member', 'guest')", name="role"),
        Index("ix_room_members_user_id", "user_id", "joined_at"),
        Index("ix_room_members_joined", "room_id", "joined_at", "user_id"),
        Index("uq_room_members_owner", "room_id", unique=True, postgresql_where=text("role = 'owner'")),
    )

    room_id: Mapped[UUID] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str]
    joined_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    muted_until: Mapped[datetime | None]


class RoomLimit(Base):
    """Somebody who left while they might not speak, or as a guest: when they come back, it is as it was."""

    __tablename__ = "room_limits"

    room_id: Mapped[UUID] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    muted_until: Mapped[datetime | None]
    role: Mapped[str | None]


class RoomPermission(Base):
    """Where a role of a room may do more, or less, than it usually may."""

    __tablename__ = "room_permissions"
    __table_args__ = (CheckConstraint("role IN ('dj', 'member', 'guest')", name="role"),)

    room_id: Mapped[UUID] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    permission: Mapped[str] = mapped_column(primary_key=True)
    allowed: Mapped[bool]


class RoomBan(Base):
    """Who may not come in: for ever, or until a moment."""

    __tablename__ = "room_bans"

    room_id: Mapped[UUID] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    banned_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    reason: Mapped[str] = mapped_column(server_default="")
    until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class RoomInvite(Row):
    """A link that lets people in, as often as it says and until it ends."""

    __tablename__ = "room_invites"
    __table_args__ = (
        CheckConstraint("max_uses IS NULL OR uses <= max_uses", name="uses"),
        Index("ix_room_invites_room_id_id", "room_id", "id"),
    )

    room_id: Mapped[UUID] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"))
    code: Mapped[str] = mapped_column(unique=True)
    made_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    max_uses: Mapped[int | None] = mapped_column(Integer)
    uses: Mapped[int] = mapped_column(Integer, server_default="0")
    expires_at: Mapped[datetime | None]


class RoomInvitation(Invitation):
    """A person is invited to a room by somebody who is in it."""

    __tablename__ = "room_invitations"
    place = "room_id"

    room_id: Mapped[UUID] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"))


class RoomVisit(Base):
    """That somebody came into a room, kept after they left: what they may like is told from it."""

    __tablename__ = "room_visits"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    room_id: Mapped[UUID] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True, index=True)
    visits: Mapped[int] = mapped_column(Integer, server_default="1")
    last_at: Mapped[datetime] = mapped_column(server_default=func.now())
