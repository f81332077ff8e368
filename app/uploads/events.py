"""What happens to recordings."""

from datetime import datetime
from uuid import UUID

from app.core.jobs import Event

__all__ = ["TrackStreamed"]


class TrackStreamed(Event):
    """Somebody has heard so much of a track from the server that it is a listen: `needed_ms`."""

    user_id: UUID
    track_id: UUID
    started_at: datetime
    played_ms: int
    needed_ms: int = 0
    client: str | None
