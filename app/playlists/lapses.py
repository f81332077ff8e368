"""Who hears a playlist without belonging to it, and may not see it any more.

Somebody is blocked, a profile is narrowed, a follow ends, an invitation is taken back: nothing of that happens in the
playlist, so nothing in its log tells of it.
"""

from typing import Final
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, column, func, literal_column, not_, select

from app.chat.log import append
from app.chat.models import Presence
from app.core.db import Writer
from app.core.feeds import EVERYBODY
from app.core.query import Query
from app.core.schemas import Output
from app.playlists.models import Playlist
from app.playlists.queries import STATE, seen

__all__ = ["LAPSED", "LAPSED_HERE", "send_lapsed_away"]

MOST_LINES: Final = 20


class Lapsed(Output):
    """Somebody who may not hear a playlist."""

    channel_id: UUID
    person_id: UUID


_SEATS = (
    func.unnest(bindparam("channels", type_=ARRAY(Uuid)), bindparam("people", type_=ARRAY(Uuid)))
    .table_valued(column("channel_id", Uuid), column("person_id", Uuid))
    .render_derived(name="seats")
)
# their names alone: as columns, the tables would come into the inner statements of `seen` once more
_SITTING, _PRESENT = literal_column("seats.person_id", Uuid), literal_column("presences.user_id", Uuid)
LAPSED = Query(
    select(_SEATS.c.channel_id, _SEATS.c.person_id)
    .join_from(_SEATS, Playlist, Playlist.id == _SEATS.c.channel_id)
    .where(not_(seen(_SITTING))),
    into=Lapsed,
)
"""Which of these have no right to be there."""
LAPSED_HERE = Query(
    select(Presence.user_id)
    .distinct()
    .join_from(Presence, Playlist, Playlist.id == Presence.channel_id)
    .where(Presence.channel_id == bindparam("playlist_id", type_=Uuid), not_(seen(_PRESENT))),
    into=UUID,
)


async def send_lapsed_away(db: Writer, playlist_id: UUID) -> None:
    """What happens next in a playlist that is held is not for them.

    The others are told nothing new: that somebody is blocked is between two people. Of many it says so to everybody,
    and who may still see the playlist comes back.
    """
    lapsed = await LAPSED_HERE.all(db, playlist_id=playlist_id)
    if len(lapsed) > MOST_LINES:
        await append(db, playlist_id, kind="playlist.hidden", actor_id=None, data={}, removes=EVERYBODY)
    elif lapsed:
        card = await STATE.first(db, playlist_id=playlist_id)
        said = None if card is None else card.model_dump()
        for user_id in lapsed:
            await append(db, playlist_id, kind="channel.updated", actor_id=None, data=said, removes=user_id)
