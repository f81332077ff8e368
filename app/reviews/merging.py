"""When two albums become one, so do their reviews."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, func, select, update

from app.catalog.models import Album
from app.core.db import Writer
from app.core.jobs import emit
from app.reviews.counts import recount_albums, recount_people
from app.reviews.events import ReviewDeleted
from app.reviews.models import Review

__all__ = ["move_reviews"]


async def move_reviews(db: Writer, *, duplicate_id: UUID, kept_id: UUID) -> None:
    """Moves the reviews of a duplicate to the album that stays, and counts both anew.

    Of a person's two reviews the published one stays, and of two published ones the one that was written or edited
    last: it is what the person thinks now. Done twice it changes nothing.
    """
    both = [duplicate_id, kept_id]
    await db.execute(select(Review.id).where(Review.album_id.in_(both)).order_by(Review.id).with_for_update())
    # in their order, before the reviews refer to another one and hold that alone
    await db.execute(select(Album.id).where(Album.id.in_(both)).order_by(Album.id).with_for_update(key_share=True))
    superseded = await _superseded(db, both)
    await db.execute(delete(Review).where(Review.id.in_([review.id for review in superseded])))
    await db.execute(update(Review).where(Review.album_id == duplicate_id).values(album_id=kept_id))
    await recount_albums(db, both)
    await recount_people(db, [review.user_id for review in superseded])
    for review in superseded:
        if review.published_at:
            await emit(db, ReviewDeleted(review_id=review.id, user_id=review.user_id, album_id=review.album_id))


async def _superseded(db: Writer, album_ids: Sequence[UUID]) -> list[Review]:
    best_first = (
        Review.published_at.is_(None),
        func.coalesce(Review.edited_at, Review.published_at, Review.created_at).desc(),
        Review.id.desc(),
    )
    place = func.row_number().over(partition_by=Review.user_id, order_by=best_first).label("place")
    ranked = select(Review.id, place).where(Review.album_id.in_(album_ids)).subquery()
    return await db.all(select(Review).join(ranked, ranked.c.id == Review.id).where(ranked.c.place > 1))
