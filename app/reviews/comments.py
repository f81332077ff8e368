"""Comments: those under reviews are written here, all are edited and erased here.

Whoever writes or erases one has locked the review or track first, so that its count is exact.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, update

from app.catalog.comments import hold_commented_tracks, recount_comments
from app.catalog.models import Track
from app.catalog.service import viewer_of
from app.core.auth import Principal
from app.core.db import Reader, Writer
from app.core.errors import Forbidden, NotFound
from app.core.jobs import emit
from app.core.paging import Page, PageRequest
from app.reactions.comments import erase_comments, write_comment
from app.reactions.models import Comment
from app.reactions.queries import COMMENT
from app.reactions.schemas import CommentCard, Thread
from app.reactions.service import Target
from app.reviews.events import CommentWritten
from app.reviews.models import Review
from app.reviews.reading import require_comment, require_review
from app.reviews.schemas import CommentEdit, NewComment
from app.reviews.service import lock_published
from app.reviews.threads import ONE_COMMENT, OPEN_COMMENT, REPLIES, STANDING_COMMENT, THREADS

__all__ = ["create_comment", "delete_comment", "edit_comment", "erase_and_count", "get_comment", "list_comments"]
__all__ += ["list_replies"]


async def create_comment(db: Writer, actor: Principal, review_id: UUID, new: NewComment) -> CommentCard:
    """Comments on a review, or replies to a comment there. Raises NotFound, ReviewIsDraft."""
    await lock_published(db, actor, review_id)
    parent_id = await _thread(db, actor, review_id, new.parent_id) if new.parent_id else None
    target = Target(review_id=review_id)
    comment_id = await write_comment(db, actor.user_id, target, text=new.text, parent_id=parent_id)
    more = update(Review).where(Review.id == review_id).values(comment_count=Review.comment_count + 1)
    await db.execute(more)
    written = CommentWritten(comment_id=comment_id, review_id=review_id, user_id=actor.user_id, parent_id=parent_id)
    await emit(db, written)
    return await _card(db, actor, comment_id)


async def edit_comment(db: Writer, actor: Principal, comment_id: UUID, edit: CommentEdit) -> CommentCard:
    """Changes the text of one's comment. Raises NotFound, Forbidden."""
    comment = await _open(db, actor, comment_id)
    if comment.user_id != actor.user_id:
        raise Forbidden("This is somebody else's comment.")
    changed = update(Comment).where(Comment.id == comment_id, Comment.deleted_at.is_(None), Comment.text != edit.text)
    await db.execute(changed.values(text=edit.text, edited_at=datetime.now(UTC)))
    return await _card(db, actor, comment_id)


async def delete_comment(db: Writer, actor: Principal, comment_id: UUID) -> None:
    """Deletes a comment: its author, the author of what it stands under or an admin may, who need not be able to read
    it. Raises NotFound, Forbidden.
    """
    comment = await _open(db, actor, comment_id, among=STANDING_COMMENT if actor.is_admin else OPEN_COMMENT)
    owner: Any = select(Review.user_id).where(Review.id == comment.review_id)
    if comment.track_id is not None:
        owner = select(Track.owner_id).where(Track.id == comment.track_id)
    if actor.user_id not in {comment.user_id, await db.one(owner)} and not actor.is_admin:
        raise Forbidden("Its author, who owns what it stands under and admins may delete it.")
    await erase_and_count(db, [comment_id])


async def erase_and_count(db: Writer, ids: Sequence[UUID]) -> None:
    """Erases comments and counts anew those of the reviews and tracks that they stood under."""
    under = select(Comment.review_id).where(Comment.id.in_(ids))
    locked = select(Review.id).where(Review.id.in_(under)).order_by(Review.id).with_for_update(key_share=True)
    review_ids = await db.all(locked)
    track_ids = await hold_commented_tracks(db, ids)
    await erase_comments(db, ids)
    left = select(func.count()).where(Comment.review_id == Review.id, Comment.deleted_at.is_(None)).scalar_subquery()
    await db.execute(update(Review).where(Review.id.in_(review_ids)).values(comment_count=left))
    await recount_comments(db, track_ids)


async def list_comments(
    db: Reader, actor: Principal | None, review_id: UUID, *, sort: str, page: PageRequest
) -> Page[Thread]:
    """Comments on the review, each with its first replies. Raises NotFound."""
    found = await THREADS[sort].page(db, page, review_id=review_id, viewer=viewer_of(actor))
    if not found.items:
        await require_review(db, actor, review_id)
    return found


async def get_comment(db: Reader, actor: Principal | None, comment_id: UUID) -> CommentCard:
    """One comment. Raises NotFound."""
    comment = await ONE_COMMENT.first(db, comment_id=comment_id, viewer=viewer_of(actor))
    if comment is None:
        raise NotFound("There is no such comment.")
    return comment


async def list_replies(db: Reader, actor: Principal | None, comment_id: UUID, page: PageRequest) -> Page[CommentCard]:
    """Replies to the comment, the oldest first. Raises NotFound."""
    found = await REPLIES.page(db, page, comment_id=comment_id, viewer=viewer_of(actor))
    if not found.items:
        await require_comment(db, actor, comment_id)
    return found


async def _open(db: Writer, actor: Principal, comment_id: UUID, *, among: Select[Comment] = OPEN_COMMENT) -> Comment:
    comment = await db.scalar(among, {"comment_id": comment_id, "viewer": actor.user_id})
    if comment is None:
        raise NotFound("There is no such comment.")
    return comment


async def _thread(db: Writer, actor: Principal, review_id: UUID, parent_id: UUID) -> UUID:
    """The comment that a reply to `parent_id` hangs on: there is one level of replies."""
    parent = await _open(db, actor, parent_id)
    if parent.review_id != review_id:
        raise NotFound("There is no such comment on this review.")
    return parent.parent_id or parent.id


async def _card(db: Writer, actor: Principal, comment_id: UUID) -> CommentCard:
    card = await COMMENT.first(db, comment_id=comment_id, viewer=actor.user_id)
    if card is None:
        raise NotFound("There is no such comment.")
    return card
