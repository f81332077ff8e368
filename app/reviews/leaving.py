"""What a person who leaves takes along. Many short transactions: none holds up those who stay."""

from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update

from app.core.db import Database, Writer
from app.reactions.models import Comment, Like
from app.reviews.comments import erase_and_count
from app.reviews.models import Review
from app.reviews.service import remove

__all__ = ["forget_comments", "forget_likes", "forget_reviews"]

BATCH = 200


async def forget_reviews(database: Database, user_id: UUID, *, drafts_only: bool) -> None:
    """Deletes the person's reviews one by one: each of them locks an album that others review meanwhile."""
    mine = select(Review).where(Review.user_id == user_id)
    mine = mine.where(Review.published_at.is_(None)) if drafts_only else mine
    more = True
    while more:
        async with database.write() as db:
            review = await db.one(mine.limit(1).with_for_update())
            if review is not None:
                await remove(db, review)
        more = review is not None


async def forget_comments(database: Database, user_id: UUID) -> None:
    """Deletes the person's comments; those with replies become empty places."""
    mine = select(Comment.id).where(Comment.user_id == user_id, Comment.deleted_at.is_(None))
    mine = mine.order_by(Comment.id).limit(BATCH)
    more = True
    while more:
        async with database.write() as db:
            ids = await db.all(mine)
            if ids:
                await erase_and_count(db, ids)
        more = bool(ids)


async def forget_likes(database: Database, user_id: UUID) -> None:
    """Takes back the person's likes on reviews and comments."""
    for kind, column in ((Review, Like.review_id), (Comment, Like.comment_id)):
        more = True
        while more:
            async with database.write() as db:
                more = await _forget_some_likes(db, user_id, kind, column)


async def _forget_some_likes(db: Writer, user_id: UUID, kind: type[Review | Comment], column: Any) -> bool:
    mine = select(column).where(Like.user_id == user_id, column.is_not(None)).limit(BATCH)
    liked = select(kind.id).where(kind.id.in_(mine)).order_by(kind.id).with_for_update(key_share=True)
    ids = await db.all(liked)
    gone = delete(Like).where(Like.user_id == user_id, column.in_(ids)).returning(column)
    unliked = list(await db.scalars(gone))
    await db.execute(update(kind).where(kind.id.in_(unliked)).values(like_count=kind.like_count - 1))
    return bool(ids)
