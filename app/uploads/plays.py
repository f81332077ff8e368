"""Plays: what somebody has heard from the server long enough is a listen."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.catalog.service import get_track
from app.core.auth import Principal
from app.core.db import Writer
from app.core.errors import Invalid
from app.core.jobs import emit
from app.uploads.events import TrackStreamed
from app.uploads.schemas import Play, PlayVerdict
from app.uploads.streaming import NoRecording

__all__ = ["HEARD_MS", "record_play"]

HEARD_MS = 30_000
_LATE, _EARLY = timedelta(days=14), timedelta(seconds=10)
"""How late a play may be told, by a player that was offline; and how far its clock may be off."""


async def record_play(db: Writer, actor: Principal, track_id: UUID, play: Play) -> PlayVerdict:
    """Half a minute, or half of a shorter track, is a listen. Told again with the same beginning it stays one, and
    so does what begins before so much of it can have been heard.

    Raises NotFound, Merged, NoRecording, Invalid for what cannot have been heard by now.
    """
    track = await get_track(db, actor, track_id)
    if track.audio_type is None:
        raise NoRecording("There is nothing of this track to hear.")
    needed = HEARD_MS if track.duration_ms is None else min(HEARD_MS, track.duration_ms // 2)
    _check(play)
    counted = play.played_ms >= needed
    if counted:
        began = play.model_dump() | {"needed_ms": needed}
        await emit(db, TrackStreamed(user_id=actor.user_id, track_id=track_id, **began))
    return PlayVerdict(counted=counted, needed_ms=needed)


def _check(play: Play) -> None:
    now = datetime.now(UTC)
    if not now - _LATE <= play.started_at <= now + _EARLY:
        raise Invalid.field("/body/started_at", "Tell of a play within 14 days.", "out_of_range")
    if timedelta(milliseconds=play.played_ms) > now - play.started_at + _EARLY:
        raise Invalid.field("/body/played_ms", "So much time has not passed since it began.", "out_of_range")
