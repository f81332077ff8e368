"""Likes on reviews and comments."""

from uuid import UUID

from sqlalchemy import select, update

from app.catalog.service import viewer_of
from app.core.auth import Principal
from app.core.db import Reader, Writer
from app.core.errors import NotFound
from app.core.jobs import emit
from app.core.paging import Page, PageRequest
from app.reactions.models import Comment
from app.reactions.schemas import Liked
from app.reactions.service import Target, like, unlike
from app.reviews.events import CommentLiked, ReviewLiked
from app.reviews.models import Review
from app.reviews.queries import LIKERS
from app.reviews.reading import require_review
from app.reviews.service import CHANGE, KEEP, Lock, lock_published
from app.reviews.threads import OPEN_COMMENT
from app.users.schemas import PersonCard

__all__ = ["like_comment", "like_review", "list_likers", "unlike_comment", "unlike_review"]


async def like_review(db: Writer, actor: Principal, review_id: UUID) -> Liked:
    """Likes a review, once. Raises NotFound, ReviewIsDraft."""
    await lock_published(db, actor, review_id, KEEP)
    changed = await like(db, actor.user_id, Target(review_id=review_id))
    if changed:
        await emit(db, ReviewLiked(review_id=review_id, user_id=actor.user_id))
    return Liked(liked=True, like_count=await _count(db, Review, review_id, by=int(changed)))


async def unlike_review(db: Writer, actor: Principal, review_id: UUID) -> Liked:
    """Takes the like back. Raises NotFound, ReviewIsDraft."""
    await lock_published(db, actor, review_id)
    changed = await unlike(db, actor.user_id, Target(review_id=review_id))
    return Liked(liked=False, like_count=await _count(db, Review, review_id, by=-int(changed)))


async def like_comment(db: Writer, actor: Principal, comment_id: UUID) -> Liked:
    """Likes a comment, once. Raises NotFound."""
    comment = await _lock(db, actor, comment_id, KEEP)
    changed = await like(db, actor.user_id, Target(comment_id=comment_id))
    if changed:
        under = {"review_id": comment.review_id, "track_id": comment.track_id}
        await emit(db, CommentLiked(comment_id=comment_id, user_id=actor.user_id, **under))
    return Liked(liked=True, like_count=await _count(db, Comment, comment_id, by=int(changed)))


async def unlike_comment(db: Writer, actor: Principal, comment_id: UUID) -> Liked:
    """Takes the like back. Raises NotFound."""
    await _lock(db, actor, comment_id, CHANGE)
    changed = await unlike(db, actor.user_id, Target(comment_id=comment_id))
    return Liked(liked=False, like_count=await _count(db, Comment, comment_id, by=-int(changed)))


async def list_likers(db: Reader, actor: Principal | None, review_id: UUID, page: PageRequest) -> Page[PersonCard]:
    """People who like the review, the latest first. Raises NotFound."""
    found = await LIKERS.page(db, page, review_id=review_id, viewer=viewer_of(actor))
    if not found.items:
        await require_review(db, actor, review_id)
    return found


async def _lock(db: Writer, actor: Principal, comment_id: UUID, lock: Lock) -> Comment:
    asked = {"comment_id": comment_id, "viewer": actor.user_id}
    comment = await db.scalar(OPEN_COMMENT.with_for_update(of=Comment, **lock), asked)
    if comment is None:
        raise NotFound("There is no such comment.")
    return comment


async def _count(db: Writer, kind: type[Review | Comment], liked_id: UUID, *, by: int) -> int:
    """Counts last: until the commit everybody else who likes it waits for this row."""
    it = kind.id == liked_id
    if not by:
        return (await db.scalars(select(kind.like_count).where(it))).one()
    counted = update(kind).where(it).values(like_count=kind.like_count + by).returning(kind.like_count)
    return (await db.scalars(counted)).one()
