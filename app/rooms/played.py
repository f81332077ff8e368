"""What was played, and who heard it.

Who is there for 30 seconds of a track, or for half of a shorter one, has heard it. That is seen each 15 seconds and at
the end of a track, so that also those are known who left before its end.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, and_, bindparam, or_, select

from app.catalog.models import Album, Artist, Track
from app.core.auth import Principal
from app.core.db import Reader, Writer
from app.core.ids import uuid7
from app.core.jobs import emit, every
from app.core.paging import Page, PageRequest
from app.core.query import PageQuery
from app.rooms.deck import heard
from app.rooms.events import TrackPlayed
from app.rooms.playback_models import RoomPlay
from app.rooms.playing_schemas import PlayedItem
from app.rooms.rights import require_reader
from app.rooms.stage import ALIVE, SHARED, Item, Stage, clock_ms
from app.users.models import User
from app.users.queries import VIEWER, not_blocked

__all__ = ["HEARD_MS", "begin_play", "count_listeners", "end_play", "list_history", "play_before"]

HEARD_MS = 30_000
HISTORY = PageQuery(
    select(
        RoomPlay.id.label("id"),
        Track.id.label("track__id"),
        Track.title.label("track__title"),
        Artist.name.label("track__artist"),
        Artist.id.label("track__artist_id"),
        Album.id.label("track__album_id"),
        Album.title.label("track__album"),
        Track.duration_ms.label("track__duration_ms"),
        Album.cover_key.label("track__cover_key"),
        User.id.label("added_by__id"),
        User.username.label("added_by__username"),
        User.display_name.label("added_by__display_name"),
        User.avatar_key.label("added_by__avatar_key"),
        RoomPlay.started_at.label("started_at"),
        RoomPlay.ended_at.label("ended_at"),
        RoomPlay.played_ms.label("played_ms"),
        RoomPlay.skipped.label("skipped"),
    )
    .select_from(RoomPlay)
    .join(Track, Track.id == RoomPlay.track_id)
    .join(Artist, Artist.id == Track.artist_id)
    .outerjoin(Album, Album.id == Track.album_id)
    .outerjoin(User, and_(User.id == RoomPlay.added_by_id, not_blocked(User.id)))
    .where(
        RoomPlay.room_id == bindparam("room_id", type_=Uuid),
        RoomPlay.ended_at.is_not(None),
        or_(Track.visibility == "public", Track.owner_id == VIEWER, Track.owner_id == RoomPlay.added_by_id),
    ),
    into=PlayedItem,
    order=[RoomPlay.id],
)

_BEGIN = """
    INSERT INTO room_plays (id, room_id, item_id, track_id, added_by_id, started_at) VALUES ($1, $2, $3, $4, $5, $6)"""
_END = """
    UPDATE room_plays SET ended_at = $2, played_ms = $3, skipped = $4 WHERE id = $1 RETURNING track_id, started_at"""
_THERE = f"""
    JOIN presences p ON p.channel_id = r.room_id JOIN heartbeats h ON h.process_id = p.process_id AND {ALIVE}"""
_SINCE_MS = "extract(epoch FROM clock_timestamp() - greatest(min(p.since), r.started_at)) * 1000"
_LISTENERS_AT_END = f"""
    INSERT INTO room_play_listeners (play_id, user_id)
    SELECT r.id, p.user_id FROM room_plays r {_THERE}
    WHERE r.id = $1 GROUP BY r.id, p.user_id HAVING {_SINCE_MS} >= $2 AND (
        min(p.since) <= r.started_at
        OR least($3, extract(epoch FROM $4::timestamptz - min(p.since)) * 1000) >= $2)
    ORDER BY p.user_id ON CONFLICT DO NOTHING"""  # noqa: S608 -- constants only
"""Those who were there from its beginning. For who came later counts what was played until the last pause."""
_ENOUGH = f"least({HEARD_MS}, b.duration_ms / 2.0)"
_LISTENERS_NOW = f"""
    INSERT INTO room_play_listeners (play_id, user_id)
    SELECT r.id, p.user_id FROM playbacks b JOIN room_plays r ON r.id = b.play_id {_THERE}
    WHERE b.playing AND b.heard_ms + greatest(0, $1 - b.at_ms) >= {_ENOUGH}
    GROUP BY r.id, p.user_id, b.duration_ms HAVING {_SINCE_MS} >= {_ENOUGH}
    ORDER BY r.id, p.user_id ON CONFLICT DO NOTHING"""  # noqa: S608 -- constants only
_HEARD_BY = "SELECT user_id FROM room_play_listeners WHERE play_id = $1 ORDER BY user_id"
_BEFORE = f"""
    SELECT p.track_id, p.added_by_id, p.id FROM room_plays p JOIN tracks t ON t.id = p.track_id
    WHERE p.room_id = $1 AND p.id < $2 AND p.ended_at IS NOT NULL AND {SHARED.format("p.added_by_id")}
    ORDER BY p.id DESC LIMIT 1"""  # noqa: S608 -- constants only
_LAST = UUID(int=2**128 - 1)


async def begin_play(db: Writer, stage: Stage, item: Item, *, at_ms: float) -> UUID:
    """Notes that a track begins; the play's id."""
    play_id, moment = uuid7(), datetime.fromtimestamp(at_ms / 1000, UTC)
    await db.records(_BEGIN, [play_id, stage.room_id, item.id, item.track["id"], item.added_by, moment])
    return play_id


async def end_play(db: Writer, stage: Stage, *, now_ms: float, skipped: bool) -> bool:
    """Notes that the track has ended, and who heard it; whether anybody did."""
    played_ms = heard(stage.state, now_ms)
    rows = await db.records(_END, [stage.play_id, datetime.fromtimestamp(now_ms / 1000, UTC), played_ms, skipped])
    if not rows:  # the track was deleted, and with it that it was played
        return False
    length = stage.state.duration_ms
    enough = HEARD_MS if length is None else min(HEARD_MS, length / 2)
    if played_ms >= enough:
        until_ms = now_ms if stage.state.playing else min(now_ms, stage.state.at_ms)
        played_until = datetime.fromtimestamp(until_ms / 1000, UTC)
        await db.records(_LISTENERS_AT_END, [stage.play_id, enough, played_ms, played_until])
    listeners = [row["user_id"] for row in await db.records(_HEARD_BY, [stage.play_id])]
    told: dict[str, Any] = {"room_id": stage.room_id, "play_id": stage.play_id, **dict(rows[0])}
    await emit(db, TrackPlayed(**told, played_ms=played_ms, listener_ids=listeners))
    return bool(listeners)


async def play_before(db: Writer, stage: Stage) -> tuple[UUID, UUID | None, UUID] | None:
    """The track that was played before this one, who added it, and that play."""
    rows = await db.records(_BEFORE, [stage.room_id, stage.back_to or _LAST])
    return (rows[0]["track_id"], rows[0]["added_by_id"], rows[0]["id"]) if rows else None


async def list_history(db: Reader, actor: Principal | None, room_id: UUID, page: PageRequest) -> Page[PlayedItem]:
    """What the room has played, the latest first. Raises NotFound, NotMember."""
    viewer = actor.user_id if actor else None
    await require_reader(db, room_id, viewer)
    return await HISTORY.page(db, page, room_id=room_id, viewer=viewer)


@every(seconds=15.0)
async def count_listeners(infra: Any) -> None:
    """One statement for all rooms."""
    async with infra.db.write() as db:
        await db.records(_LISTENERS_NOW, [clock_ms()])
