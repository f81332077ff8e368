"""Likes on many things at once, for clients that send whole lists."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from app.catalog.events import AlbumLiked
from app.catalog.hearing import known_to
from app.catalog.likes import likes_key
from app.catalog.models import Album, Track
from app.core.auth import Principal
from app.core.db import Writer
from app.core.errors import NotFound
from app.core.jobs import emit
from app.reactions.models import Like

__all__ = ["like_all", "unlike_all"]


async def like_all(db: Writer, actor: Principal, entity: type[Album] | type[Track], ids: Iterable[UUID]) -> None:
    """Likes each of them; what is liked already stays so. Raises NotFound if one is not there for the actor."""
    wanted = await _present(db, actor, entity, ids)
    target = f"{entity.__name__.lower()}_id"
    rows = [{"user_id": actor.user_id, target: entity_id} for entity_id in wanted]
    if not rows:
        return
    add = insert(Like).values(rows).on_conflict_do_nothing().returning(getattr(Like, target))
    added = list(await db.scalars(add))
    await _count(db, entity, added, 1)
    if entity is Album:
        for album_id in added:
            await emit(db, AlbumLiked(album_id=album_id, user_id=actor.user_id))


async def unlike_all(db: Writer, actor: Principal, entity: type[Album] | type[Track], ids: Iterable[UUID]) -> None:
    """Takes the likes back that are there; of what the actor may not know any more, too."""
    target: Any = Like.album_id if entity is Album else Like.track_id
    gone = delete(Like).where(Like.user_id == actor.user_id, target.in_(list(ids))).returning(target)
    await _count(db, entity, list(await db.scalars(gone)), -1)


async def _present(db: Writer, actor: Principal, entity: type[Album] | type[Track], ids: Iterable[UUID]) -> list[UUID]:
    """The ids in order; of what was merged that of what stays."""
    asked = set(ids)
    if not asked:
        return []
    named = aliased(entity)
    stays = entity.id == func.coalesce(named.merged_into_id, named.id)
    there = select(named.id, entity.id).join_from(named, entity, stays).where(named.id.in_(asked), known_to(entity))
    found = {row[0]: row[1] for row in await db.execute(there, {"viewer": actor.user_id})}
    if missing := asked - found.keys():
        raise NotFound(f"There is no {entity.__name__.lower()} {min(missing)}.")
    return sorted(set(found.values()))


async def _count(db: Writer, entity: type[Album] | type[Track], ids: Sequence[UUID], change: int) -> None:
    if not ids:
        return
    held = select(entity.id).where(entity.id.in_(ids)).order_by(entity.id).with_for_update(key_share=True)
    await db.execute(held)
    counted = update(entity).where(entity.id.in_(ids)).values(like_count=entity.like_count + change)
    await db.execute(counted, execution_options={"synchronize_session": False})
    db.stale += map(likes_key, ids)
