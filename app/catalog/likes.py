"""Likes on albums and tracks."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased

from app.catalog.events import AlbumLiked
from app.catalog.like_queries import ALBUM_LIKERS, ALBUM_LIKES, LIBRARY, LIKED_ALBUMS, LIKED_TRACKS, TRACK_LIKERS
from app.catalog.models import Album, Track
from app.catalog.queries import pair_table
from app.catalog.schemas import LikeCount, LikedAlbum, LikedTrack
from app.catalog.service import explain_absence, require, viewer_of
from app.core.auth import Principal
from app.core.cache import Cache
from app.core.db import Writer
from app.core.errors import NotFound
from app.core.jobs import emit
from app.core.paging import Page, PageRequest
from app.core.query import Runs
from app.reactions.models import Like
from app.reactions.schemas import Liked
from app.reactions.service import Target, like, unlike
from app.users.schemas import PersonCard
from app.users.service import ProfileRestricted

__all__ = [
    "count_album_likes",
    "forget_some_likes",
    "like_album",
    "like_track",
    "likes_key",
    "list_album_likers",
    "list_liked_albums",
    "list_liked_tracks",
    "list_track_likers",
    "move_likes",
    "open_library",
    "unlike_album",
    "unlike_track",
]

_CACHED_SECONDS = 1800
_BATCH = 200


async def like_album(db: Writer, actor: Principal, album_id: UUID) -> Liked:
    """Likes the album; again changes nothing. Raises NotFound, Merged."""
    await require(db, Album, album_id, "/like", actor=actor)
    added = await like(db, actor.user_id, Target(album_id=album_id))
    if added:
        await emit(db, AlbumLiked(album_id=album_id, user_id=actor.user_id))
    return await _count(db, Album, album_id, int(added), liked=True)


async def unlike_album(db: Writer, actor: Principal, album_id: UUID) -> Liked:
    """Takes the like back, if there is one. Raises NotFound, Merged."""
    await require(db, Album, album_id, "/like", actor=actor)
    gone = await unlike(db, actor.user_id, Target(album_id=album_id))
    return await _count(db, Album, album_id, -gone, liked=False)


async def like_track(db: Writer, actor: Principal, track_id: UUID) -> Liked:
    """Likes the track; again changes nothing. Raises NotFound, Merged."""
    await require(db, Track, track_id, "/like", actor=actor)
    added = await like(db, actor.user_id, Target(track_id=track_id))
    return await _count(db, Track, track_id, int(added), liked=True)


async def unlike_track(db: Writer, actor: Principal, track_id: UUID) -> Liked:
    """Takes the like back, if there is one. Raises NotFound, Merged."""
    await require(db, Track, track_id, "/like", actor=actor)
    gone = await unlike(db, actor.user_id, Target(track_id=track_id))
    return await _count(db, Track, track_id, -gone, liked=False)


async def count_album_likes(db: Runs, cache: Cache, album_id: UUID) -> tuple[LikeCount, bool]:
    """How many like the album, and whether the cache knew. Raises NotFound, Merged."""

    async def load() -> bytes:
        count = await ALBUM_LIKES.first(db, album_id=album_id)
        if count is None:
            await require(db, Album, album_id, "/likes")
            await explain_absence(db, Album, album_id)
        return count.model_dump_json().encode()

    kept, cached = await cache.get_or_load(likes_key(album_id), _CACHED_SECONDS, load)
    return LikeCount.model_validate_json(kept), cached


async def list_album_likers(
    db: Runs, actor: Principal | None, page: PageRequest, *, album_id: UUID
) -> Page[PersonCard]:
    """Who likes the album, as far as they show it, the last first. Raises NotFound, Merged."""
    likers = await ALBUM_LIKERS.page(db, page, viewer=viewer_of(actor), album_id=album_id)
    if not likers.items:
        await require(db, Album, album_id, "/likers", actor=actor)
    return likers


async def list_track_likers(
    db: Runs, actor: Principal | None, page: PageRequest, *, track_id: UUID
) -> Page[PersonCard]:
    """Who likes the track, as far as they show it, the last first. Raises NotFound, Merged."""
    likers = await TRACK_LIKERS.page(db, page, viewer=viewer_of(actor), track_id=track_id)
    if not likers.items:
        await require(db, Track, track_id, "/likers", actor=actor)
    return likers


async def list_liked_albums(db: Runs, actor: Principal | None, page: PageRequest, *, username: str) -> Page[LikedAlbum]:
    """The albums that a person likes, the last liked first. Raises NotFound, ProfileRestricted."""
    user_id = await open_library(db, actor, username)
    return await LIKED_ALBUMS.page(db, page, viewer=viewer_of(actor), user_id=user_id)


async def list_liked_tracks(db: Runs, actor: Principal | None, page: PageRequest, *, username: str) -> Page[LikedTrack]:
    """The tracks that a person likes, the last liked first. Raises NotFound, ProfileRestricted."""
    user_id = await open_library(db, actor, username)
    return await LIKED_TRACKS.page(db, page, viewer=viewer_of(actor), user_id=user_id)


async def move_likes(db: Writer, entity: type[Album] | type[Track], pairs: Sequence[tuple[UUID, UUID]]) -> None:
    """Those who liked the first of a pair like the second instead, each once."""
    target = _target(entity)
    moves, ids = pair_table(pairs), sorted({entity_id for pair in pairs for entity_id in pair})
    other = aliased(Like)
    already = exists().where(getattr(other, target.key) == moves.c.kept, other.user_id == Like.user_id)
    # one transaction may have merged two duplicates of one thing, so a person may move twice
    once = moves.c.kept, Like.user_id
    first = select(Like.id).ext(distinct_on(*once)).join(moves, target == moves.c.duplicate).order_by(*once, Like.id)
    change = update(Like).where(target == moves.c.duplicate, ~already, Like.id.in_(first.scalar_subquery()))
    await db.execute(change.values({target.key: moves.c.kept}), execution_options={"synchronize_session": False})
    await db.execute(delete(Like).where(target.in_([duplicate for duplicate, _ in pairs])))
    likes = select(func.count()).select_from(Like).where(target == entity.id).scalar_subquery()
    await _hold(db, entity, ids)
    await db.execute(update(entity).where(entity.id.in_(ids)).values(like_count=likes))
    db.stale += map(likes_key, ids)


async def forget_some_likes(db: Writer, entity: type[Album] | type[Track], user_id: UUID) -> bool:
    """Takes back some of a person's likes. Whether there may be more."""
    target = _target(entity)
    mine = select(target).where(Like.user_id == user_id, target.is_not(None)).order_by(Like.id).limit(_BATCH)
    ids = await db.all(mine)
    await _hold(db, entity, ids)
    gone = delete(Like).where(Like.user_id == user_id, target.in_(ids)).returning(target)
    unliked = list(await db.scalars(gone))
    await db.execute(update(entity).where(entity.id.in_(unliked)).values(like_count=entity.like_count - 1))
    db.stale += map(likes_key, unliked)
    return bool(ids)


async def _hold(db: Writer, entity: type[Album] | type[Track], ids: Sequence[UUID]) -> None:
    await db.execute(select(entity.id).where(entity.id.in_(ids)).order_by(entity.id).with_for_update(key_share=True))


def _target(entity: type[Album] | type[Track]) -> Any:
    return Like.album_id if entity is Album else Like.track_id


async def _count(db: Writer, entity: type[Album] | type[Track], entity_id: UUID, change: int, *, liked: bool) -> Liked:
    mine = entity.id == entity_id
    if change:
        added = update(entity).where(mine).values(like_count=entity.like_count + change)
        count = await db.scalar(added.returning(entity.like_count))
        db.stale.append(likes_key(entity_id))
    else:
        count = await db.scalar(select(entity.like_count).where(mine))
    return Liked(liked=liked, like_count=count or 0)


async def open_library(db: Runs, actor: Principal | None, username: str) -> UUID:
    """The person, if what they like and hear may be read by the actor. Raises NotFound, ProfileRestricted."""
    library = await LIBRARY.first(db, viewer=viewer_of(actor), username_key=username.lower())
    if library is None:
        raise NotFound(f"There is nobody called {username}.")
    if not library.is_open:
        raise ProfileRestricted(f"{username} does not show this to you.")
    return library.user_id


def likes_key(entity_id: UUID) -> str:
    """Where the count of an album's likes is kept."""
    return f"likes:{entity_id}"
