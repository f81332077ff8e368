"""What sounds at this moment: told by players, kept in Redis for as long as the track lasts.

It is worth nothing once it is over, so the database never sees it. Without Redis nobody is seen playing anything, and
telling it does no harm.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from pydantic import BaseModel
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.catalog.hearing import hearable
from app.catalog.likes import open_library
from app.catalog.service import viewer_of
from app.core.auth import Principal
from app.core.errors import Invalid
from app.core.query import Runs
from app.library.queries import CARD, KNOWN_TRACKS
from app.library.rules import MINUTES_UNKNOWN
from app.library.schemas import KnownTrack, NowPlaying, NowPlayingInput, NowPlayingState, Source

__all__ = ["Playing", "announce", "get_now_playing", "playing_of", "set_now_playing", "silence"]

log = structlog.get_logger()


class Playing(BaseModel):
    """What is kept of what somebody hears."""

    track_id: UUID
    source: Source
    client: str | None
    started_at: datetime
    expires_at: datetime


async def set_now_playing(db: Runs, redis: Redis, actor: Principal, now: NowPlayingInput) -> NowPlayingState:
    """The actor hears this now. Raises Invalid for an unknown track, or a position behind its end."""
    known = await KNOWN_TRACKS.first(db, ids=[now.track_id])
    if known is None or (not known.is_public and not await hearable(db, actor.user_id, [known.track_id])):
        raise Invalid.field("/body/track_id", "There is no such track.", "unknown_id")
    position = timedelta(milliseconds=now.position_ms)
    if position >= _length(known):
        raise Invalid.field("/body/position_ms", "The track is over by then.", "out_of_range")
    started = datetime.now(UTC) - position
    playing = Playing(
        track_id=known.track_id,
        source="manual",
        client=now.client,
        started_at=started,
        expires_at=started + _length(known),
    )
    await announce(redis, actor.user_id, playing)
    return await _shown(db, actor, playing)


async def announce(redis: Redis, user_id: UUID, playing: Playing) -> None:
    """Keeps what a person hears until it is over. Never raises: it is not worth failing for."""
    rest = int((playing.expires_at - datetime.now(UTC)) / timedelta(milliseconds=1))
    try:
        await redis.set(_key(user_id), playing.model_dump_json(), px=max(1, rest))
    except (RedisError, OSError) as error:
        log.warning("now_playing_lost", reason=str(error))


async def silence(redis: Redis, user_id: UUID) -> None:
    """The person hears nothing now. Never raises."""
    try:
        await redis.delete(_key(user_id))
    except (RedisError, OSError) as error:
        log.warning("now_playing_lost", reason=str(error))


async def get_now_playing(db: Runs, redis: Redis, actor: Principal | None, username: str) -> NowPlayingState:
    """What a person hears now, if they show it. Raises NotFound, ProfileRestricted."""
    user_id = await open_library(db, actor, username)
    playing = await _find(redis, user_id)
    return await _shown(db, actor, playing) if playing else NowPlayingState(playing=None)


async def playing_of(redis: Redis, user_ids: Sequence[UUID]) -> dict[UUID, Playing]:
    """What each of these people hears now; whoever asks has found that they show it."""
    if not user_ids:
        return {}
    try:
        kept = await redis.mget([_key(user_id) for user_id in user_ids])
    except (RedisError, OSError) as error:
        log.warning("now_playing_unread", reason=str(error))
        return {}
    now = datetime.now(UTC)
    found = {user_id: Playing.model_validate_json(told) for user_id, told in zip(user_ids, kept, strict=True) if told}
    return {user_id: playing for user_id, playing in found.items() if playing.expires_at > now}


async def _find(redis: Redis, user_id: UUID) -> Playing | None:
    return (await playing_of(redis, [user_id])).get(user_id)


async def _shown(db: Runs, actor: Principal | None, playing: Playing) -> NowPlayingState:
    track = await CARD.first(db, track_id=playing.track_id, viewer=viewer_of(actor))
    if track is None:
        return NowPlayingState(playing=None)  # it was deleted while it played, or is not for the actor
    told = {name: getattr(playing, name) for name in ("source", "client", "started_at", "expires_at")}
    return NowPlayingState(playing=NowPlaying(track=track, **told))


def _length(track: KnownTrack) -> timedelta:
    return MINUTES_UNKNOWN if track.duration_ms is None else timedelta(milliseconds=track.duration_ms)


def _key(user_id: UUID) -> str:
    return f"now-playing:{user_id}"
