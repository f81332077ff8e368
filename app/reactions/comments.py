"""Comments on whatever can be commented on. The target's owner authorises, locks its row, counts and tells of it."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import aliased

from app.core.db import Writer
from app.reactions.models import Comment, Like
from app.reactions.service import Target

__all__ = ["erase_comments", "write_comment"]


async def write_comment(
    db: Writer, user_id: UUID, target: Target, *, text: str, parent_id: UUID | None, position_ms: int | None = None
) -> UUID:
    """Adds a comment, or a reply to `parent_id`, and counts the reply."""
    comment = Comment(user_id=user_id, text=text, parent_id=parent_id, position_ms=position_ms, **target.key)
    db.add(comment)
    await db.flush()
    if parent_id:
        more = update(Comment).where(Comment.id == parent_id).values(reply_count=Comment.reply_count + 1)
        await db.execute(more)
    return comment.id


async def erase_comments(db: Writer, ids: Sequence[UUID]) -> None:
    """Erases comments with what hangs on them. One that has replies stays as an empty place, until the last is gone.

    The targets' rows are locked, so nobody else counts the replies meanwhile.
    """
    # at once for deletion, and before their likes: whoever likes a comment keeps it first
    await db.execute(select(Comment.id).where(Comment.id.in_(ids)).order_by(Comment.id).with_for_update())
    reply = aliased(Comment)
    parents = await db.all(select(Comment.parent_id).where(Comment.id.in_(ids), Comment.parent_id.is_not(None)))
    empty = {"text": "", "like_count": 0, "edited_at": None, "deleted_at": func.now()}
    await db.execute(update(Comment).where(Comment.id.in_(ids)).values(empty))
    await db.execute(delete(Like).where(Like.comment_id.in_(ids)))
    await db.execute(delete(Comment).where(Comment.id.in_(ids), Comment.parent_id.is_not(None)))
    replies = select(func.count()).where(reply.parent_id == Comment.id).scalar_subquery()
    await db.execute(update(Comment).where(Comment.id.in_(parents)).values(reply_count=replies))
    childless = ~exists().where(reply.parent_id == Comment.id)
    places = Comment.id.in_([*ids, *parents]) & Comment.deleted_at.is_not(None)
    await db.execute(delete(Comment).where(places, childless))
