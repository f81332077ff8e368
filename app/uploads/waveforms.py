"""How loud recordings are along their length."""

from uuid import UUID

from app.core.auth import Principal
from app.core.errors import NotFound
from app.core.query import Runs
from app.uploads.queries import WAVEFORM
from app.uploads.schemas import Waveform

__all__ = ["NoWaveform", "get_waveform"]


class NoWaveform(NotFound):
    code, title = "no_waveform", "There is no waveform of this track"


async def get_waveform(db: Runs, actor: Principal | None, track_id: UUID) -> Waveform:
    """The waveform, for somebody who may hear the track. Raises NoWaveform."""
    waveform = await WAVEFORM.first(db, track_id=track_id, viewer=actor.user_id if actor else None)
    if waveform is None:
        raise NoWaveform("There is no such track, or its recording was not decoded.")
    return waveform
