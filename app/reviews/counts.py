"""The ratings that albums and people are counted by.

Whoever counts has locked the reviews first, then locks albums, then people: so no two transactions wait for each other.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select, update
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import InstrumentedAttribute, aliased

from app.catalog.models import Album
from app.core.db import Writer
from app.reviews.models import Review
from app.users.models import User

__all__ = ["recount_albums", "recount_people", "tally"]


async def tally(db: Writer, review: Review, *, old: int | None, new: int | None) -> None:
    """Counts that the published rating was `old` and is `new`; None where there was or is none."""
    if old == new:
        return
    more = (new is not None) - (old is not None)
    higher = (new or 0) - (old or 0)
    bars: dict[Any, Any] = {Album.rating_counts[old]: Album.rating_counts[old] - 1} if old else {}
    bars |= {Album.rating_counts[new]: Album.rating_counts[new] + 1} if new else {}
    for owner, owner_id, own in ((Album, review.album_id, bars), (User, review.user_id, {})):
        sums = {owner.review_count: owner.review_count + more, owner.rating_sum: owner.rating_sum + higher}
        await db.execute(update(owner).where(owner.id == owner_id).values(sums | own))


async def recount_albums(db: Writer, ids: Sequence[UUID]) -> None:
    """Counts the albums' published reviews anew."""
    bars = array([func.count().filter(Review.rating == rating) for rating in range(1, 11)])
    await _recount(db, Album, Review.album_id, ids, rating_counts=bars)


async def recount_people(db: Writer, ids: Sequence[UUID]) -> None:
    """Counts the people's published reviews anew."""
    await _recount(db, User, Review.user_id, ids)


async def _recount(
    db: Writer, owner: type[Album | User], column: InstrumentedAttribute[UUID], ids: Sequence[UUID], **more: Any
) -> None:
    """Exact beside others who count: they wait for these locks, and a statement sees all who came before it."""
    await db.execute(select(owner.id).where(owner.id.in_(ids)).order_by(owner.id).with_for_update(key_share=True))
    its = aliased(owner)
    sums: dict[str, Any] = {
        "review_count": func.count(Review.id),
        "rating_sum": func.coalesce(func.sum(Review.rating), 0),
    } | more
    counts = (
        select(its.id, *(value.label(name) for name, value in sums.items()))
        .outerjoin(Review, and_(column == its.id, Review.published_at.is_not(None)))
        .where(its.id.in_(ids))
        .group_by(its.id)
        .subquery()
    )
    await db.execute(update(owner).where(owner.id == counts.c.id).values({name: counts.c[name] for name in sums}))
