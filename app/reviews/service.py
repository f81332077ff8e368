"""Reviews: writing, publishing, editing and deleting them."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from app.catalog.models import Album
from app.core.auth import Principal
from app.core.db import Writer
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.ids import uuid7
from app.core.jobs import emit
from app.reviews.counts import tally
from app.reviews.events import FavoriteMarked, ReviewDeleted, ReviewPublished
from app.reviews.models import Review, ReviewRevision
from app.reviews.queries import REVIEW, REVIEW_ID, readable
from app.reviews.schemas import NewReview, ReviewCard, ReviewEdit
from app.users.models import User
from app.users.queries import VIEWER

__all__ = [
    "CHANGE",
    "KEEP",
    "AlbumMerged",
    "AlreadyPublished",
    "ReviewExists",
    "ReviewIsDraft",
    "create_review",
    "delete_review",
    "edit_review",
    "lock_published",
    "remove",
]

Lock = dict[str, bool]
KEEP: Lock = {"read": True, "key_share": True}
"""It must not go meanwhile; others may change it."""
CHANGE: Lock = {"key_share": True}
REMOVE: Lock = {}
"""Taken at once: who holds CHANGE and wants this would wait for one who holds KEEP and wants CHANGE."""


# made once: to put its conditions together costs more than to run it
_OPEN = select(Review).join(User, User.id == Review.user_id).where(Review.id == REVIEW_ID, readable())
_MODERATED = select(Review).where(
    Review.id == REVIEW_ID, or_(Review.published_at.is_not(None), Review.user_id == VIEWER)
)
"""What an admin may delete: also of people who block them, who else would be out of reach."""


class ReviewExists(Conflict):
    code, title = "review_exists", "You have reviewed this album already"


class AlreadyPublished(Conflict):
    code, title = "already_published", "A published review cannot become a draft again"


class ReviewIsDraft(Conflict):
    code, title = "review_is_draft", "This review is not published yet"


class AlbumMerged(Conflict):
    code, title = "album_merged", "This album was just merged into another one"


async def create_review(db: Writer, actor: Principal, new: NewReview) -> ReviewCard:
    """Publishes a review, or keeps a draft. Raises NotFound, Invalid, ReviewExists, AlbumMerged."""
    if not new.draft and new.rating is None:
        raise _rating_missing()
    review = await _insert(db, actor, await _album_id(db, new.album_id), new)
    if review.published_at:
        await tally(db, review, old=None, new=review.rating)
        await _tell(db, review, published=True, favorite=review.is_favorite)
    await _hold_album(db, review.album_id)
    return await _card(db, actor, review.id)


async def edit_review(db: Writer, actor: Principal, review_id: UUID, edit: ReviewEdit) -> ReviewCard:
    """Changes one's review, or publishes a draft. Raises NotFound, Forbidden, Invalid, AlreadyPublished."""
    review = await _lock(db, actor, review_id)
    _require_author(actor, review)
    counted, marked = _counted(review), _marked(review)
    was_published = review.published_at is not None
    if was_published and edit.draft:
        raise AlreadyPublished("Delete it if nobody should read it any longer.")
    _change(db, review, edit)
    if not was_published and edit.draft is False:
        await _hold_album(db, review.album_id)
        review.published_at = datetime.now(UTC)
    if review.published_at and review.rating is None:
        raise _rating_missing()
    await db.flush()
    await tally(db, review, old=counted, new=_counted(review))
    published = review.published_at is not None and not was_published
    await _tell(db, review, published=published, favorite=_marked(review) and not marked)
    return await _card(db, actor, review_id)


async def delete_review(db: Writer, actor: Principal, review_id: UUID) -> None:
    """Deletes a review with its comments and likes. Raises NotFound, Forbidden."""
    review = await _lock(db, actor, review_id, REMOVE, among=_MODERATED if actor.is_admin else _OPEN)
    if not actor.is_admin:
        _require_author(actor, review)
    await remove(db, review)


async def remove(db: Writer, review: Review) -> None:
    """Deletes a review that is locked, counts and tells of it."""
    await db.execute(delete(Review).where(Review.id == review.id))
    await tally(db, review, old=_counted(review), new=None)
    if review.published_at:
        await emit(db, ReviewDeleted(review_id=review.id, user_id=review.user_id, album_id=review.album_id))


async def lock_published(db: Writer, actor: Principal, review_id: UUID, lock: Lock = CHANGE) -> Review:
    """The review for what hangs on it. Raises NotFound, ReviewIsDraft."""
    review = await _lock(db, actor, review_id, lock)
    if review.published_at is None:
        raise ReviewIsDraft("Publish it first.")
    return review


async def _lock(
    db: Writer, actor: Principal, review_id: UUID, lock: Lock = CHANGE, *, among: Select[Review] = _OPEN
) -> Review:
    """The review, `among` those that the actor may read. Its row is locked before what hangs on it, everywhere."""
    asked = {"review_id": review_id, "viewer": actor.user_id}
    review = await db.scalar(among.with_for_update(of=Review, **lock), asked)
    if review is None:
        raise NotFound("There is no such review.")
    return review


def _require_author(actor: Principal, review: Review) -> None:
    if review.user_id != actor.user_id:
        raise Forbidden("This is somebody else's review.")


async def _album_id(db: Writer, album_id: UUID) -> UUID:
    named = select(func.coalesce(Album.merged_into_id, Album.id)).where(Album.id == album_id, Album.listed)
    kept = await db.one(named)
    if kept is None:
        raise NotFound("There is no such album.")
    return kept


async def _insert(db: Writer, actor: Principal, album_id: UUID, new: NewReview) -> Review:
    row: dict[str, Any] = {
        "id": uuid7(),
        "user_id": actor.user_id,
        "album_id": album_id,
        "rating": new.rating,
        "text": new.text or None,
        "is_favorite": new.is_favorite,
        "published_at": None if new.draft else datetime.now(UTC),
    }
    added = await db.scalars(insert(Review).values(row).on_conflict_do_nothing().returning(Review))
    review = added.one_or_none()
    if review is None:
        raise await _exists(db, actor, album_id)
    return review


async def _exists(db: Writer, actor: Principal, album_id: UUID) -> ReviewExists:
    existing = await db.one(select(Review.id).filter_by(user_id=actor.user_id, album_id=album_id))
    location = f"/api/v1/reviews/{existing}"
    return ReviewExists("Edit the review that you have.", existing_id=existing, headers={"Location": location})


async def _hold_album(db: Writer, album_id: UUID) -> None:
    """An album that people have written of stays listed.

    Raises AlbumMerged where a merge was faster: reviews that come after it would stay behind. Raises NotFound where its
    owner was faster, who no longer shows it to everybody.
    """
    there = select(Album.listed).where(Album.id == album_id, Album.merged_into_id.is_(None))
    listed = await db.one(there.with_for_update(read=True))
    if listed is None:
        raise AlbumMerged("Send it again: it will go to the album that stays.")
    if not listed:
        raise NotFound("There is no such album.")


def _change(db: Writer, review: Review, edit: ReviewEdit) -> None:
    given = edit.model_dump(include={"rating", "text"}, exclude_unset=True)
    if "text" in given:
        given["text"] = given["text"] or None
    if review.published_at and any(getattr(review, name) != value for name, value in given.items()):
        assert review.rating is not None
        db.add(ReviewRevision(review_id=review.id, rating=review.rating, text=review.text))
        review.edited_at = datetime.now(UTC)
    for name, value in given.items():
        setattr(review, name, value)
    if edit.is_favorite is not None:
        review.is_favorite = edit.is_favorite


def _counted(review: Review) -> int | None:
    return review.rating if review.published_at else None


def _marked(review: Review) -> bool:
    return review.published_at is not None and review.is_favorite


async def _tell(db: Writer, review: Review, *, published: bool, favorite: bool) -> None:
    if published:
        await emit(db, ReviewPublished(review_id=review.id, user_id=review.user_id, album_id=review.album_id))
    if favorite:
        await emit(db, FavoriteMarked(review_id=review.id, user_id=review.user_id))


async def _card(db: Writer, actor: Principal, review_id: UUID) -> ReviewCard:
    card = await REVIEW.first(db, review_id=review_id, viewer=actor.user_id)
    assert card is not None, "its author reads it"
    return card


def _rating_missing() -> Invalid:
    return Invalid.field("/body/rating", "A published review needs a rating from 1 to 10.", "missing")
