"""Reads of reviews. Every one of them shows only what the viewer may read."""

from typing import Any, get_args

from sqlalchemy import (
    ColumnElement,
    Integer,
    Label,
    Select,
    SmallInteger,
    Text,
    Uuid,
    and_,
    bindparam,
    exists,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.orm import aliased

from app.catalog.models import Album, Artist
from app.core.query import PageQuery, Query
from app.reactions.models import Like
from app.reactions.queries import person_card
from app.reactions.service import liked_by_viewer
from app.reviews.models import Review, ReviewRevision
from app.reviews.schemas import ReviewCard, Revision, Sort
from app.users.models import Follow, User
from app.users.queries import VIEWER, library_visible, not_muted, visible
from app.users.schemas import PersonCard

__all__ = [
    "ALBUM_REVIEWS",
    "ALBUM_REVIEWS_RATED",
    "DRAFTS",
    "EVERYBODYS_REVIEWS",
    "FOLLOWED_REVIEWS",
    "LIKERS",
    "OWN_REVIEW",
    "REVIEW",
    "REVIEW_ID",
    "REVISIONS",
    "USER_FAVORITES",
    "USER_REVIEWS",
    "readable",
    "readable_review",
    "review_card",
]

REVIEW_ID = bindparam("review_id", type_=Uuid)


def readable(viewer: ColumnElement[Any] = VIEWER, review: Any = Review, author: Any = User) -> ColumnElement[bool]:
    """The viewer may read the review: it is published and its author visible, or it is their own."""
    return and_(or_(review.published_at.is_not(None), author.id == viewer), visible(author, viewer))


def readable_review(viewer: ColumnElement[Any] = VIEWER) -> ColumnElement[bool]:
    """The review `review_id` may be read: looked up once for a whole list of what hangs on it."""
    review, author = aliased(Review), aliased(User)
    return exists().where(review.id == REVIEW_ID, author.id == review.user_id, readable(viewer, review, author))


def review_card(prefix: str = "") -> list[Label[Any]]:
    """The columns of a ReviewCard, for a statement that joins its author (User), Album and Artist."""
    numbers = (Review.id, Review.rating, Review.text, Review.is_favorite, Review.like_count, Review.comment_count)
    times = (Review.created_at, Review.published_at, Review.edited_at)
    album = (Album.id, Album.title, Album.year, Album.cover_key)
    return [
        *(column.label(f"{prefix}{column.key}") for column in (*numbers, *times)),
        liked_by_viewer(Review.id).label(f"{prefix}liked"),
        *person_card(User, f"{prefix}author__"),
        *(column.label(f"{prefix}album__{column.key}") for column in album),
        *(column.label(f"{prefix}album__artist__{column.key}") for column in (Artist.id, Artist.name)),
    ]


def _cards() -> Select[*tuple[Any, ...]]:
    return (
        select(*review_card())
        .select_from(Review)
        .join(User, User.id == Review.user_id)
        .join(Album, Album.id == Review.album_id)
        .join(Artist, Artist.id == Album.artist_id)
    )


REVIEW = Query(_cards().where(Review.id == REVIEW_ID, readable()), into=ReviewCard)

OWN_REVIEW = Query(
    _cards().where(Review.user_id == VIEWER, Review.album_id == bindparam("album_id", type_=Uuid)), into=ReviewCard
)

DRAFTS = PageQuery(
    _cards().where(Review.user_id == VIEWER, Review.published_at.is_(None)), into=ReviewCard, order=[Review.id]
)


def _listed(sort: Sort, *where: ColumnElement[bool], heard: bool = True) -> PageQuery[ReviewCard]:
    """Published reviews of an album or a person that the viewer may read; `heard` leaves out those whom they muted.

    First the page's ids are found, then their cards. The inner LIMIT is a parameter, so that PostgreSQL expects a page
    to be a small part and walks the index. Knowing the number, it thinks of an album with 20 reviews and sorts them
    all, also where there are 100,000.
    """
    mine = (_IT.published_at.is_not(None), visible(_BY), *where, *([not_muted(_BY.id)] if heard else []))
    found = _first_after(sort, select(_IT.id).join(_BY, _BY.id == _IT.user_id).where(*mine))
    return PageQuery(_cards().where(Review.id.in_(found)), into=ReviewCard, order=_order(sort, Review))


def _first_after(sort: Sort, select: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """The page of `_IT` that PageQuery is asked for."""
    order = _order(sort, _IT)
    after = [bindparam(f"after_{i}", type_=column.type) for i, column in enumerate(order)]
    page = select.where(tuple_(*order) < tuple_(*after)).order_by(*(column.desc() for column in order))
    return page.limit(_MOST)


def _order(sort: Sort, review: Any) -> list[Any]:
    first = {"new": review.published_at, "top": review.like_count, "rating": review.rating}[sort]
    return [first, review.id]


_IT, _BY = aliased(Review), aliased(User)
_MOST = bindparam("most", type_=Integer)
_SORTS: tuple[Sort, ...] = get_args(Sort)
_NAMED = select(User.id).where(User.username_key == bindparam("username_key", type_=Text), User.deleted_at.is_(None))
_OF_ALBUM = _IT.album_id == bindparam("album_id", type_=Uuid)
_OF_USER = _IT.user_id == _NAMED.scalar_subquery()
_RATED = _IT.rating == bindparam("rating", type_=SmallInteger)

EVERYBODYS_REVIEWS = {
    sort: PageQuery(
        _cards().where(Review.published_at.is_not(None), visible(), not_muted(Review.user_id)),
        into=ReviewCard,
        order=_order(sort, Review),
    )
    for sort in _SORTS
}
ALBUM_REVIEWS = {sort: _listed(sort, _OF_ALBUM) for sort in _SORTS}
ALBUM_REVIEWS_RATED = {sort: _listed(sort, _OF_ALBUM, _RATED) for sort in _SORTS}
# whoever asks for a person by name hears them though muted
USER_REVIEWS = {sort: _listed(sort, _OF_USER, heard=False) for sort in _SORTS}
USER_FAVORITES = {sort: _listed(sort, _OF_USER, _IT.is_favorite.is_(True), heard=False) for sort in _SORTS}


def _of_followed() -> PageQuery[ReviewCard]:
    """The newest of each followed person, merged: the cost grows with the people, not with what they wrote."""
    theirs = select(_IT.id, _IT.published_at).where(_IT.user_id == _BY.id, _IT.published_at.is_not(None))
    newest = _first_after("new", theirs).lateral()
    merged = (
        select(newest.c.id)
        .select_from(Follow)
        .join(_BY, _BY.id == Follow.followed_id)
        .join(newest, true())
        .where(Follow.follower_id == VIEWER, visible(_BY), not_muted(_BY.id))
        .order_by(newest.c.published_at.desc(), newest.c.id.desc())
        .limit(_MOST)
    )
    return PageQuery(_cards().where(Review.id.in_(merged)), into=ReviewCard, order=_order("new", Review))


FOLLOWED_REVIEWS = _of_followed()

REVISIONS = PageQuery(
    select(
        ReviewRevision.id, ReviewRevision.rating, ReviewRevision.text, ReviewRevision.created_at.label("replaced_at")
    ).where(ReviewRevision.review_id == REVIEW_ID, readable_review()),
    into=Revision,
    order=[ReviewRevision.id],
)

LIKERS = PageQuery(
    select(*person_card())
    .join_from(Like, User, User.id == Like.user_id)
    .where(Like.review_id == REVIEW_ID, readable_review(), User.deleted_at.is_(None), library_visible()),
    into=PersonCard,
    order=[Like.id],
)
