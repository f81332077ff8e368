"""Reads of what people say under reviews, and of comments wherever they stand."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import aliased

from app.catalog.comments import under_open_track
from app.core.query import PageQuery, Query
from app.reactions.models import Comment
from app.reactions.queries import COMMENT_ID, comment_cards, threads
from app.reactions.schemas import CommentCard, Thread
from app.reviews.models import Review
from app.reviews.queries import REVIEW_ID, readable, readable_review
from app.users.models import User
from app.users.queries import VIEWER, not_blocked

__all__ = ["ONE_COMMENT", "OPEN_COMMENT", "READABLE_COMMENT", "REPLIES", "STANDING_COMMENT", "THREADS"]


def _readable(viewer: ColumnElement[Any] = VIEWER, comment: Any = Comment) -> ColumnElement[bool]:
    """The comment stands under what may be read, and neither its author nor the viewer blocks the other."""
    review, author = aliased(Review), aliased(User)
    stands = exists().where(
        review.id == comment.review_id, author.id == review.user_id, readable(viewer, review, author)
    )
    return and_(or_(stands, under_open_track(comment, viewer)), not_blocked(comment.user_id, viewer))


STANDING_COMMENT = select(Comment).where(Comment.id == COMMENT_ID, Comment.deleted_at.is_(None))
"""The comment `comment_id` if it is not deleted, whoever may read it."""

OPEN_COMMENT = STANDING_COMMENT.where(_readable())
"""The comment `comment_id` if the viewer may read it and it is not deleted."""

READABLE_COMMENT = Query(select(Comment.id).where(Comment.id == COMMENT_ID, _readable()), into=UUID)

ONE_COMMENT = Query(comment_cards().where(Comment.id == COMMENT_ID, _readable()), into=CommentCard)
"""The comment `comment_id` as the lists show it; one that was deleted but has replies is an empty place."""

THREADS = {
    sort: PageQuery(
        threads().where(Comment.review_id == REVIEW_ID, readable_review()),
        into=Thread,
        order=[Comment.id],
        ascending=sort == "old",
    )
    for sort in ("old", "new")
}


def _replies() -> PageQuery[CommentCard]:
    parent = aliased(Comment)
    may_read = exists().where(parent.id == COMMENT_ID, _readable(VIEWER, parent))
    replies = comment_cards().where(Comment.parent_id == COMMENT_ID, may_read)
    return PageQuery(replies, into=CommentCard, order=[Comment.id], ascending=True)


REPLIES = _replies()
