"""Notifications: a numbered list for each person."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Row

__all__ = ["COUNT_DELETIONS", "Inbox", "Notification", "NotificationPreference"]


class Inbox(Base):
    """A person's counters. Its row lock gives the numbers their order: a later number is committed later.

    `version` grows with every change, so that all of a person's devices notice it.
    """

    __tablename__ = "inboxes"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    last_number: Mapped[int] = mapped_column(server_default="0")
    unread_count: Mapped[int] = mapped_column(server_default="0")
    version: Mapped[int] = mapped_column(server_default="0")


class Notification(Row):
    """Something that somebody did and that concerns the person. `subject` makes a repetition no second one."""

    __tablename__ = "notifications"
    __table_args__ = (
        UniqueConstraint("user_id", "number"),
        UniqueConstraint("user_id", "kind", "actor_id", "subject"),
        Index("ix_notifications_unread", "user_id", "number", postgresql_where=text("read_at IS NULL")),
        Index("ix_notifications_actor_id", "actor_id"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    number: Mapped[int]
    kind: Mapped[str]
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    subject: Mapped[str]
    review_id: Mapped[UUID | None] = mapped_column(ForeignKey("reviews.id", ondelete="CASCADE"), index=True)
    comment_id: Mapped[UUID | None] = mapped_column(ForeignKey("comments.id", ondelete="CASCADE"), index=True)
    track_id: Mapped[UUID | None] = mapped_column(ForeignKey("tracks.id", ondelete="CASCADE"), index=True)
    message_id: Mapped[UUID | None] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), index=True)
    group_invite_id: Mapped[UUID | None] = mapped_column(ForeignKey("group_invites.id", ondelete="CASCADE"), index=True)
    playlist_member_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("playlist_members.id", ondelete="CASCADE"), index=True
    )
    room_invitation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("room_invitations.id", ondelete="CASCADE"), index=True
    )
    read_at: Mapped[datetime | None]


class NotificationPreference(Base):
    """A kind that a person has switched off, or on again."""

    __tablename__ = "notification_preferences"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    enabled: Mapped[bool]


COUNT_DELETIONS = (
    """CREATE FUNCTION uncount_notifications() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM FROM inboxes WHERE user_id IN (SELECT user_id FROM gone WHERE read_at IS NULL)
            ORDER BY user_id FOR UPDATE;
        UPDATE inboxes SET unread_count = unread_count - fewer.unread, version = version + 1
            FROM (SELECT user_id, count(*) AS unread FROM gone WHERE read_at IS NULL GROUP BY user_id) AS fewer
            WHERE inboxes.user_id = fewer.user_id;
        RETURN NULL;
    END $$""",
    """CREATE TRIGGER uncount AFTER DELETE ON notifications REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION uncount_notifications()""",
)
"""For the migration. Notifications also go with the review or comment that they are about, by its foreign key: only a
trigger sees those, and the counter stays exact in the same transaction."""
