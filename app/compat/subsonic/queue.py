"""The play queue that a person takes from one device to the next, with the current song by its id or by its place."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, column, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert

from app.catalog.models import Track
from app.compat.subsonic import entries
from app.compat.subsonic.answers import Body
from app.compat.subsonic.calls import Asked, reads, writes
from app.compat.subsonic.errors import Code, SubsonicError
from app.compat.subsonic.models import PlayQueue
from app.compat.subsonic.queries import SONGS
from app.compat.subsonic.schemas import QueueRow, SongRow
from app.core.db import Writer
from app.core.query import Query
from app.users.models import User
from app.users.queries import VIEWER

__all__: list[str] = []

MOST = 10_000
_MOST_MS = 7 * 86_400_000
_KEPT = (
    func.unnest(PlayQueue.track_ids)
    .table_valued(column("id", Uuid), with_ordinality="place", name="kept")
    .render_derived()
)
_TRACKS = func.array_agg(aggregate_order_by(func.coalesce(Track.merged_into_id, _KEPT.c.id), _KEPT.c.place))
_STAYING = select(_TRACKS).select_from(_KEPT).outerjoin(Track, Track.id == _KEPT.c.id).scalar_subquery()
"""Of tracks that were merged since, those that stay."""
QUEUE = Query(
    select(
        User.username,
        _STAYING.label("track_ids"),
        PlayQueue.current,
        PlayQueue.position_ms,
        PlayQueue.changed_at,
        PlayQueue.changed_by,
    )
    .join_from(PlayQueue, User, User.id == PlayQueue.user_id)
    .where(PlayQueue.user_id == VIEWER, func.cardinality(PlayQueue.track_ids) > literal_column("0")),
    into=QueueRow,
)


@writes("savePlayQueue")
async def save_play_queue(asked: Asked, db: Writer) -> Body:
    """Keeps the whole queue; without songs there is none any more."""
    ids = _ids(asked)
    current = asked.given.ids("current")
    if ids and current and current[0] not in ids:
        raise SubsonicError(Code.GENERIC, "Parameter 'current' must be one of the songs.")
    return await _save(asked, db, ids, ids.index(current[0]) if ids and current else None)


@writes("savePlayQueueByIndex")
async def save_play_queue_by_index(asked: Asked, db: Writer) -> Body:
    """The same, where a song may stand in it twice."""
    ids = _ids(asked)
    index = asked.given.maybe_number("currentIndex", most=MOST)
    if ids and index is None:
        raise SubsonicError(Code.MISSING, "Required parameter 'currentIndex' is missing.")
    if ids and index is not None and index >= len(ids):
        raise SubsonicError(Code.MISSING, "Parameter 'currentIndex' must be a place of the queue.")
    return await _save(asked, db, ids, index if ids else None)


@reads("getPlayQueue")
async def get_play_queue(asked: Asked) -> Body:
    """Where one left off."""
    told, current, songs = await _queue(asked)
    if told is None:
        return {}
    return {"playQueue": {**told, "current": None if current is None else songs[current].id}}


@reads("getPlayQueueByIndex")
async def get_play_queue_by_index(asked: Asked) -> Body:
    """The same, with the place of the current song."""
    told, current, _ = await _queue(asked)
    return {} if told is None else {"playQueueByIndex": {**told, "currentIndex": current}}


def _ids(asked: Asked) -> list[UUID]:
    ids = asked.given.ids("id")
    if len(ids) > MOST:
        raise SubsonicError(Code.GENERIC, f"A play queue has at most {MOST} songs.")
    return ids


async def _save(asked: Asked, db: Writer, ids: list[UUID], current: int | None) -> Body:
    row = {
        "track_ids": ids,
        "current": current,
        "position_ms": asked.given.number("position", 0, most=_MOST_MS),
        "changed_by": asked.given.text("c")[:60],
        "changed_at": func.now(),
    }
    add = insert(PlayQueue).values(user_id=asked.viewer, **row)
    await db.execute(add.on_conflict_do_update(index_elements=[PlayQueue.user_id], set_=row))
    return {}


async def _queue(asked: Asked) -> tuple[dict[str, Any] | None, int | None, Sequence[SongRow]]:
    """The queue without what has gone since, and where the current song stands in it now."""
    kept = await QUEUE.first(asked.db, viewer=asked.viewer)
    if kept is None:
        return None, None, []
    found = {song.id: song for song in await SONGS.all(asked.db, ids=kept.track_ids, viewer=asked.viewer)}
    places = [place for place, track_id in enumerate(kept.track_ids) if track_id in found]
    songs = [found[kept.track_ids[place]] for place in places]
    current = places.index(kept.current) if kept.current in places else None
    told = {
        "position": kept.position_ms if current is not None else 0,
        "username": kept.username,
        "changed": kept.changed_at,
        "changedBy": kept.changed_by,
        "entry": [entries.song(song) for song in songs],
    }
    return told, current, songs
