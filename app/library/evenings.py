"""What a room played, kept as a playlist."""

from uuid import UUID

from sqlalchemy import TIMESTAMP, Boolean, Uuid, bindparam, func, literal_column, or_, select
from sqlalchemy.orm import aliased

from app.catalog.hearing import heard_by
from app.catalog.models import Track
from app.core.auth import Principal
from app.core.db import Writer
from app.core.errors import Conflict
from app.core.query import Query
from app.library.schemas import KeptEvening
from app.playlists.schemas import PlaylistDetail
from app.playlists.service import add_tracks, create_playlist, readable
from app.rooms.playback_models import RoomPlay
from app.rooms.rights import require_reader
from app.users.queries import VIEWER

__all__ = ["MOST_PLAYED", "NothingPlayed", "keep_history"]

MOST_PLAYED = 500
_SINCE, _UNTIL = (bindparam(name, type_=TIMESTAMP(timezone=True)) for name in ("since", "until"))
_PLAYED, _KEPT = aliased(Track), aliased(Track)
_TRACKS = Query(
    select(_KEPT.id)
    .select_from(RoomPlay)
    .join(_PLAYED, _PLAYED.id == RoomPlay.track_id)
    .join(_KEPT, _KEPT.id == func.coalesce(_PLAYED.merged_into_id, _PLAYED.id))
    .where(
        RoomPlay.room_id == bindparam("room_id", type_=Uuid),
        RoomPlay.ended_at.is_not(None),
        or_(RoomPlay.skipped.is_(False), bindparam("skipped", type_=Boolean)),
        or_(_SINCE.is_(None), RoomPlay.started_at >= _SINCE),
        or_(_UNTIL.is_(None), RoomPlay.started_at < _UNTIL),
        heard_by(_KEPT, VIEWER),
    )
    .order_by(RoomPlay.id.desc())
    .limit(literal_column(str(MOST_PLAYED))),
    into=UUID,
)


class NothingPlayed(Conflict):
    code, title = "nothing_played", "There is nothing to keep"


async def keep_history(db: Writer, actor: Principal, room_id: UUID, wanted: KeptEvening) -> PlaylistDetail:
    """A playlist of the actor's with what the room played and they may hear, in that order, the last 500 of it.

    Raises NotFound, NotMember, NothingPlayed, TooManyPlaylists.
    """
    await require_reader(db, room_id, actor.user_id)
    asked = {"skipped": wanted.skipped, "since": wanted.since, "until": wanted.until}
    played = await _TRACKS.all(db, room_id=room_id, viewer=actor.user_id, **asked)
    tracks = played[::-1] if wanted.repeats else list(dict.fromkeys(played[::-1]))
    if not tracks:
        raise NothingPlayed("The room has played nothing in that time that you may hear. Ask for another time.")
    playlist_id = await create_playlist(
        db, actor, name=wanted.name, description=wanted.description, visibility=wanted.visibility
    )
    await add_tracks(db, actor, playlist_id, tracks)
    return await readable(db, actor, playlist_id)
