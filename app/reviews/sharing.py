"""Reviews in messages."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, column, func, select

from app.chat.owners import attachment
from app.core.query import Query, Runs
from app.core.schemas import Output
from app.reviews.models import Review
from app.users.models import User
from app.users.queries import visible

__all__ = ["readable_reviews"]


class _Pair(Output):
    person: UUID
    thing: UUID


_IDS = ARRAY(Uuid)
_sent = func.unnest(bindparam("people", type_=_IDS), bindparam("things", type_=_IDS))
_pair = _sent.table_valued(column("person", Uuid), column("thing", Uuid)).render_derived(name="sent")
_READABLE = Query(
    select(_pair.c.person, _pair.c.thing)
    .join(Review, Review.id == _pair.c.thing)
    .join(User, User.id == Review.user_id)
    .where(Review.published_at.is_not(None), visible(User, _pair.c.person)),
    into=_Pair,
)


@attachment("review_id")
async def readable_reviews(db: Runs, wanted: Sequence[tuple[UUID, UUID]]) -> set[tuple[UUID, UUID]]:
    """Who can read a review can share it; those who cannot read it will not see it."""
    people, things = map(list, zip(*wanted, strict=True))
    return {(pair.person, pair.thing) for pair in await _READABLE.all(db, people=people, things=things)}
