"""Likes on whatever can be liked. The owners of the targets authorise, count and tell of it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.dialects.postgresql import insert

from app.core.db import Writer
from app.reactions.models import Like
from app.users.queries import VIEWER

__all__ = ["Target", "like", "liked_by_viewer", "unlike"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is liked: exactly one of these ids."""

    album_id: UUID | None = None
    track_id: UUID | None = None
    review_id: UUID | None = None
    comment_id: UUID | None = None
    playlist_id: UUID | None = None

    def __post_init__(self) -> None:
        if len(self.key) != 1:
            raise ValueError("a target is exactly one thing")

    @property
    def key(self) -> dict[str, UUID]:
        """The column of `likes` that names the target, and its value."""
        ids = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in ids.items() if value is not None}


async def like(db: Writer, user_id: UUID, target: Target) -> bool:
    """Likes the target. Whether that changed anything: only then the owner counts."""
    added = insert(Like).values(user_id=user_id, **target.key).on_conflict_do_nothing().returning(Like.id)
    return await db.scalar(added) is not None


async def unlike(db: Writer, user_id: UUID, target: Target) -> bool:
    """Takes the like back. Whether there was one."""
    gone = delete(Like).filter_by(user_id=user_id, **target.key).returning(Like.id)
    return await db.scalar(gone) is not None


def liked_by_viewer(column: ColumnElement[UUID] | Any) -> ColumnElement[bool]:
    """Whether the reader of a Query (parameter `viewer`) likes the row that `column` names: Album.id, or an alias's."""
    (source,) = column.base_columns
    target = Like.__table__.c[f"{source.table.name.removesuffix('s')}_id"]
    # not EXISTS: of that PostgreSQL may make a hash of everything the reader ever liked
    return select(Like.user_id).where(target == column, Like.user_id == VIEWER).scalar_subquery().is_not(None)
