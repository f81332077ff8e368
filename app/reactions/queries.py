"""Reads of comments, to be narrowed to a target by its owner."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Label,
    Select,
    Uuid,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    not_,
    select,
)
from sqlalchemy.orm import aliased

from app.core.query import Query
from app.reactions.models import Comment
from app.reactions.schemas import CommentCard
from app.reactions.service import liked_by_viewer
from app.users.models import User
from app.users.queries import not_blocked, not_muted

__all__ = ["COMMENT", "COMMENT_ID", "comment_cards", "person_card", "threads"]

FIRST_REPLIES = 3
COMMENT_ID = bindparam("comment_id", type_=Uuid)


def person_card(person: Any = User, prefix: str = "") -> list[Label[Any]]:
    """The columns of a PersonCard."""
    columns = (person.id, person.username, person.display_name, person.avatar_key)
    return [column.label(f"{prefix}{column.key}") for column in columns]


def comment_cards(comment: Any = Comment, author: Any = User) -> Select[Any]:
    """CommentCards of people whom the viewer neither blocks nor mutes, nor is blocked by."""
    shown = [
        case((comment.deleted_at.is_(None), column)).label(column.key) for column in person_card(author, "author__")
    ]
    return (
        select(*_card(comment), *shown)
        .select_from(comment)
        .join(author, author.id == comment.user_id)
        .where(_heard(comment))
    )


def threads() -> Select[Any]:
    """Comments that reply to nothing, each with its first replies: Threads."""
    return comment_cards().add_columns(_first_replies().label("replies")).where(Comment.parent_id.is_(None))


def _card(comment: Any) -> list[Label[Any]]:
    there = comment.deleted_at.is_(None)
    on = (comment.review_id, comment.track_id, comment.position_ms, comment.parent_id)
    plain = (comment.id, *on, comment.like_count, comment.reply_count)
    return [
        *(column.label(column.key) for column in (*plain, comment.created_at, comment.edited_at)),
        case((there, comment.text)).label("text"),
        liked_by_viewer(comment.id).label("liked"),
        not_(there).label("deleted"),
    ]


def _heard(comment: Any) -> ColumnElement[bool]:
    return and_(not_blocked(comment.user_id), not_muted(comment.user_id))


def _first_replies() -> ColumnElement[Any]:
    """One JSON array for each comment: a page of threads stays one statement."""
    reply, author = aliased(Comment), aliased(User)
    card = _object([*_card(reply), _object(person_card(author)).label("author")])
    first = (
        select(card.label("card"))
        .select_from(reply)
        .join(author, author.id == reply.user_id)
        .where(reply.parent_id == Comment.id, _heard(reply))
        .order_by(reply.id)
        .limit(literal_column(str(FIRST_REPLIES)))
        .correlate(Comment)
        .subquery()
    )
    cards = func.coalesce(func.json_agg(first.c.card), literal_column("'[]'::json"), type_=JSON)
    return select(cards).select_from(first).scalar_subquery()


def _object(columns: Sequence[Label[Any]]) -> ColumnElement[Any]:
    # names as literals: each of them would be a parameter to send with every read
    pairs = [part for column in columns for part in (literal_column(f"'{column.key}'"), column.element)]
    return func.json_build_object(*pairs, type_=JSON)


COMMENT = Query(comment_cards().where(Comment.id == COMMENT_ID), into=CommentCard)
"""The comment `comment_id` for who wrote it."""
