"""Channels: ordered logs, the messages in them, and who is there."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, UniqueConstraint, Uuid, func
from sqlalchemy import text as sql_text
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.core.db import Base, Row

__all__ = [
    "Channel",
    "ChannelCommand",
    "ChannelEvent",
    "ChannelReader",
    "ChatPicture",
    "DirectChannel",
    "Heartbeat",
    "Invitation",
    "Message",
    "MessageReaction",
    "MessageRevision",
    "Presence",
]


class Invitation(Row):
    """A person is invited by another. Each kind of place has a table of these; `place` is the column that says where.

    Whoever has one that is pending and not too old sees the place.
    """

    __abstract__ = True
    place: ClassVar[str]

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    invited_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    status: Mapped[str] = mapped_column(server_default="pending")
    expires_at: Mapped[datetime]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Any, ...]:  # noqa: N805
        table, place = cls.__tablename__, cls.place
        waits = sql_text("status = 'pending'")
        return (
            CheckConstraint("status IN ('pending', 'accepted', 'declined')", name="status"),
            Index(f"uq_{table}_pending", place, "user_id", unique=True, postgresql_where=waits),
            Index(f"ix_{table}_{place}_id", place, "id"),
            Index(f"ix_{table}_user_id_id", "user_id", "id"),
        )


class Channel(Base):
    """An ordered log. Its row lock gives the events their order: a later sequence is committed later.

    A room, a group, a conversation or a playlist has the id of its channel.
    """

    __tablename__ = "channels"
    __table_args__ = (CheckConstraint("kind IN ('room', 'group', 'direct', 'playlist')", name="kind"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    last_sequence: Mapped[int] = mapped_column(server_default="0")
    message_count: Mapped[int] = mapped_column(server_default="0")
    last_message_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ChannelEvent(Base):
    """Something that happened in a channel. What a message says stands there, so that deleting deletes it."""

    __tablename__ = "channel_events"
    __table_args__ = (
        Index(
            "uq_channel_events_client_id",
            "channel_id",
            "actor_id",
            "client_id",
            unique=True,
            postgresql_where=sql_text("client_id IS NOT NULL"),
        ),
        Index("ix_channel_events_actor_id", "actor_id"),
        Index("ix_channel_events_message_id", "message_id", postgresql_where=sql_text("message_id IS NOT NULL")),
    )

    channel_id: Mapped[UUID] = mapped_column(ForeignKey("channels.id", ondelete="CASCADE"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    actor_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    client_id: Mapped[str | None]
    message_id: Mapped[UUID | None] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"))
    removes: Mapped[UUID | None]
    data: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class Message(Row):
    """A message. `ordinal` counts the messages of the channel, so that unread ones are a difference.

    `quote` is what it answers, as that was when it was answered.
    """

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("channel_id", "sequence"),
        Index("ix_messages_author_id", "author_id", "id"),
        Index("ix_messages_search", "search", postgresql_using="gin"),
    )

    channel_id: Mapped[UUID] = mapped_column(ForeignKey("channels.id", ondelete="CASCADE"))
    sequence: Mapped[int]
    ordinal: Mapped[int]
    author_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    client_id: Mapped[str | None]
    text: Mapped[str]
    search: Mapped[Any] = mapped_column(TSVECTOR, server_default="")
    reply_to_id: Mapped[UUID | None] = mapped_column(ForeignKey("messages.id", ondelete="SET NULL"), index=True)
    quote: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    mentions: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), server_default=sql_text("'{}'::uuid[]"))
    track_id: Mapped[UUID | None] = mapped_column(ForeignKey("tracks.id", ondelete="SET NULL"), index=True)
    review_id: Mapped[UUID | None] = mapped_column(ForeignKey("reviews.id", ondelete="SET NULL"), index=True)
    image_key: Mapped[str | None]
    edited_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]


class ChatPicture(Base):
    """A picture for a message of its author's in this channel. Until a message shows it, `used_at` is NULL."""

    __tablename__ = "chat_pictures"
    __table_args__ = (
        Index("ix_chat_pictures_unused", "created_at", postgresql_where=sql_text("used_at IS NULL")),
        Index("ix_chat_pictures_channel_id", "channel_id"),
        Index("ix_chat_pictures_author_id", "author_id"),
    )

    key: Mapped[str] = mapped_column(primary_key=True)
    channel_id: Mapped[UUID] = mapped_column(ForeignKey("channels.id", ondelete="CASCADE"))
    author_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    width: Mapped[int]
    height: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    used_at: Mapped[datetime | None]


class MessageRevision(Row):
    """What a message said before an edit."""

    __tablename__ = "message_revisions"

    message_id: Mapped[UUID] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), index=True)
    text: Mapped[str]


class MessageReaction(Base):
    """An emoji that a person put to a message."""

    __tablename__ = "message_reactions"

    message_id: Mapped[UUID] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True)
    emoji: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ChannelReader(Base):
    """How far a person has read, and whether the channel is silent for them."""

    __tablename__ = "channel_readers"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    channel_id: Mapped[UUID] = mapped_column(
        ForeignKey("channels.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    sequence: Mapped[int] = mapped_column(server_default="0")
    ordinal: Mapped[int] = mapped_column(server_default="0")
    muted: Mapped[bool] = mapped_column(server_default=sql_text("false"))


class ChannelCommand(Base):
    """A command that was carried out, and its answer: a repetition gets the same one. Kept for a day."""

    __tablename__ = "channel_commands"

    channel_id: Mapped[UUID] = mapped_column(ForeignKey("channels.id", ondelete="CASCADE"), primary_key=True)
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    client_id: Mapped[str] = mapped_column(primary_key=True)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


class DirectChannel(Base):
    """The conversation of two people. `first_id` is the smaller of the two ids."""

    __tablename__ = "direct_channels"
    __table_args__ = (
        UniqueConstraint("first_id", "second_id"),
        CheckConstraint("first_id < second_id", name="in_order"),
    )

    id: Mapped[UUID] = mapped_column(ForeignKey("channels.id", ondelete="CASCADE"), primary_key=True)
    first_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    second_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)


class Heartbeat(Base):
    """A server process. When it has not been seen for a while, those whom it held are gone."""

    __tablename__ = "heartbeats"

    process_id: Mapped[UUID] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class Presence(Base):
    """One open socket of a person; a second tab is a second row."""

    __tablename__ = "presences"
    __table_args__ = (Index("ix_presences_channel_id", "channel_id", "user_id"),)

    connection_id: Mapped[UUID] = mapped_column(primary_key=True)
    process_id: Mapped[UUID] = mapped_column(ForeignKey("heartbeats.process_id", ondelete="CASCADE"), index=True)
    channel_id: Mapped[UUID] = mapped_column(ForeignKey("channels.id", ondelete="CASCADE"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    since: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
