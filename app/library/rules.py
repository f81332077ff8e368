"""What counts as a listen, and when two reports are of the same one. Pure functions, for those who watch playback."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.core.ids import uuid7_named

__all__ = ["FIRST", "LATEST", "MINUTES_UNKNOWN", "counts_as_listen", "is_plausible", "listen_id", "whole_second"]

LEAST_MS = 30_000
ENOUGH_MS = 240_000
MINUTES_UNKNOWN = timedelta(minutes=4)
"""How long a track is taken to be whose length nobody knows."""
FIRST = datetime(2002, 1, 1, tzinfo=UTC)
"""The year in which scrobbling began: earlier times are mistakes."""
LATEST = timedelta(minutes=5)
"""How far a clock may be ahead of ours."""


def counts_as_listen(played_ms: int, duration_ms: int | None) -> bool:
    """Half of the track or four minutes, and half a minute in any case.

    Source: Last.fm's scrobbling guidelines (https://www.last.fm/api/scrobbling), "played for at least half its
    duration, or for 4 minutes (whichever occurs earlier)" and "longer than 30 seconds"; ListenBrainz asks for the same.
    The half minute is of playing time here, so the half of a track below a minute is not enough.
    """
    half = duration_ms is not None and played_ms * 2 >= duration_ms
    return played_ms >= LEAST_MS and (half or played_ms >= ENOUGH_MS)


def is_plausible(listened_at: datetime, now: datetime) -> bool:
    """Neither before anybody could tell nor in the future."""
    return FIRST <= listened_at <= now + LATEST


def whole_second(moment: datetime) -> datetime:
    """Scrobblers send whole seconds: the same listen must not come twice for its fraction."""
    return moment.astimezone(UTC).replace(microsecond=0)


def listen_id(user_id: UUID, track_id: UUID, listened_at: datetime) -> UUID:
    """The id of a person's listen: it stands for the time, and says the same however often it is reported."""
    return uuid7_named(whole_second(listened_at), user_id.bytes + track_id.bytes)
