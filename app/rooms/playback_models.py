"""What waits and what plays in rooms, who wants to skip it, and what was played."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Integer, Uuid, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Row

__all__ = ["Playback", "QueueItem", "QueueUndo", "QueueVote", "RoomPlay", "RoomPlayListener", "SkipVote", "ToldQueue"]

_NOBODY = text("'{}'::uuid[]")


class QueueItem(Row):
    """A track that waits. `place` is its age among the others, or where it was moved to.

    What was taken out stays for as long as that can be undone, with `removed_at`.
    """

    __tablename__ = "queue_items"
    __table_args__ = (
        Index("ix_queue_items_waiting", "room_id", "place", postgresql_where=text("removed_at IS NULL")),
        Index("ix_queue_items_removed_at", "removed_at", postgresql_where=text("removed_at IS NOT NULL")),
    )

    room_id: Mapped[UUID] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"), index=True)
    track_id: Mapped[UUID] = mapped_column(ForeignKey("tracks.id", ondelete="CASCADE"), index=True)
    added_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    place: Mapped[int]
    vote_count: Mapped[int] = mapped_column(Integer, server_default="0")
    removed_at: Mapped[datetime | None]


class QueueVote(Base):
    """That somebody wants to hear an item sooner."""

    __tablename__ = "queue_votes"

    item_id: Mapped[UUID] = mapped_column(ForeignKey("queue_items.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)


class QueueUndo(Base):
    """The last thing that somebody did to a queue and may take back: items taken out, or one moved from an index."""

    __tablename__ = "queue_undos"

    room_id: Mapped[UUID] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True)
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    item_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    moved_from: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class ToldQueue(Base):
    """What the room was told of its queue last: the items in their order, and the votes of each.

    What is told next is the difference to this, whatever has happened to the items meanwhile.
    """

    __tablename__ = "told_queues"

    room_id: Mapped[UUID] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True)
    item_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    votes: Mapped[list[int]] = mapped_column(ARRAY(Integer))


class Playback(Base):
    """What a room hears, by the server's clock: at `at_ms` (Unix milliseconds) it is, or will be, at `position_ms`.

    `item` is what clients were told of the item. At `due_ms` the server must do something: end the wait for who is
    not ready, or go on to the next track. `served` are those who had their turn in the present round of a fair queue.
    `back_to` is the play before which `previous` looks. `dry`: it would play, had it something. `unheard` counts tracks
    of the server's own choice to which nobody listened.
    """

    __tablename__ = "playbacks"
    __table_args__ = (
        Index("ix_playbacks_due_ms", "due_ms", postgresql_where=text("due_ms IS NOT NULL")),
        Index("ix_playbacks_asleep", "room_id", postgresql_where=text("dry AND unheard > 0")),
        CheckConstraint("position_ms >= 0", name="position"),
    )

    room_id: Mapped[UUID] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(server_default="0")
    item_id: Mapped[UUID | None]
    item: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    track_id: Mapped[UUID | None] = mapped_column(ForeignKey("tracks.id", ondelete="SET NULL"), index=True)
    duration_ms: Mapped[int | None]
    playing: Mapped[bool] = mapped_column(server_default=text("false"))
    position_ms: Mapped[int] = mapped_column(server_default="0")
    at_ms: Mapped[float] = mapped_column(server_default="0")
    heard_ms: Mapped[int] = mapped_column(server_default="0")
    gate_until_ms: Mapped[float | None]
    ready: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), server_default=_NOBODY)
    due_ms: Mapped[float | None]
    play_id: Mapped[UUID | None]
    back_to: Mapped[UUID | None]
    served: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), server_default=_NOBODY)
    dry: Mapped[bool] = mapped_column(server_default=text("false"))
    unheard: Mapped[int] = mapped_column(Integer, server_default="0")
    skip_votes: Mapped[int] = mapped_column(Integer, server_default="0")
    skip_needed: Mapped[int] = mapped_column(Integer, server_default="1")


class SkipVote(Base):
    """That somebody does not want to hear what plays now. Gone with the next track."""

    __tablename__ = "skip_votes"

    room_id: Mapped[UUID] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)


class RoomPlay(Row):
    """A track that a room played, or plays: then `ended_at` is empty."""

    __tablename__ = "room_plays"
    __table_args__ = (Index("ix_room_plays_room_id_id", "room_id", "id"),)

    room_id: Mapped[UUID] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"))
    item_id: Mapped[UUID]
    track_id: Mapped[UUID] = mapped_column(ForeignKey("tracks.id", ondelete="CASCADE"), index=True)
    added_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    played_ms: Mapped[int] = mapped_column(server_default="0")
    skipped: Mapped[bool] = mapped_column(server_default=text("false"))


class RoomPlayListener(Base):
    """Somebody who was there for long enough to have heard the track."""

    __tablename__ = "room_play_listeners"

    play_id: Mapped[UUID] = mapped_column(ForeignKey("room_plays.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
