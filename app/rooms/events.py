"""What happens in rooms that others want to know."""

from datetime import datetime
from uuid import UUID

from app.core.jobs import Event

__all__ = ["RoomInvited", "TrackPlayed"]


class RoomInvited(Event):
    """Somebody in a room invited a person."""

    invite_id: UUID
    room_id: UUID
    user_id: UUID
    invited_by_id: UUID


class TrackPlayed(Event):
    """A room has played a track, or a part of it; `listener_ids` have heard it."""

    room_id: UUID
    play_id: UUID
    track_id: UUID
    started_at: datetime
    played_ms: int
    listener_ids: list[UUID]
