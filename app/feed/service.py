"""The feed: written into every follower's when something happens, so that reading it is one index scan.

Whoever changes what stands of a person in other people's feeds holds that person first. So an activity that is being
spread and a follow that is being copied never miss each other.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Text, Uuid, case, cast, delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert

from app.core.auth import Principal
from app.core.db import Reader, Writer
from app.core.holds import hold
from app.core.ids import MIN_UUID, uuid7_at
from app.core.paging import PageRequest, Sheet
from app.feed.models import Activity, FeedEntry
from app.feed.queries import EVERYONE, FOLLOWING, FOLLOWS_SOMEBODY
from app.feed.schemas import Source
from app.users.models import Follow, User

__all__ = ["forget_person", "get_feed", "hold_feeds_of", "part", "record", "show_past", "trim"]

PAST = 100
KEPT = 5000
SPREAD_BATCH = 10_000
DELETE_BATCH = 100
TRIM_BATCH = 200
_COLUMNS = ["reader_id", "activity_id"]


async def get_feed(db: Reader, actor: Principal, page: PageRequest) -> Sheet:
    """What the actor and those whom they follow did, the newest first; everyone's when they follow nobody."""
    source: Source = "following"
    found = await FOLLOWING.sheet(db, page, viewer=actor.user_id)
    if not found.items and not await FOLLOWS_SOMEBODY.first(db, viewer=actor.user_id):
        source, found = "everyone", await EVERYONE.sheet(db, page, viewer=actor.user_id)
    found.more["source"] = source
    return found


async def hold_feeds_of(db: Writer, *actor_ids: UUID) -> None:
    """Lets nobody else change what stands of these people in feeds until the transaction ends."""
    await hold(db, "feed", *actor_ids)


async def record(
    db: Writer,
    *,
    actor_id: UUID,
    kind: str,
    at: datetime,
    review_id: UUID | None = None,
    followed_id: UUID | None = None,
) -> None:
    """Writes an activity into the feeds of the actor and of all who follow them; again is no change."""
    row = {"actor_id": actor_id, "kind": kind, "review_id": review_id, "followed_id": followed_id}
    new = insert(Activity).values(id=uuid7_at(at), created_at=at, **row).on_conflict_do_nothing()
    done = new.returning(Activity.id, Activity.actor_id).cte("done")
    own = insert(FeedEntry).from_select(_COLUMNS, select(done.c.actor_id, done.c.id))
    activity_id = await db.scalar(own.returning(FeedEntry.activity_id))
    if activity_id is not None:
        await _spread(db, activity_id, actor_id)


async def _spread(db: Writer, activity_id: UUID, actor_id: UUID) -> None:
    """One INSERT ... SELECT, or one for each ten thousand followers."""
    last: UUID | None = MIN_UUID
    while last is not None:
        some = (
            select(Follow.id, Follow.follower_id)
            .where(Follow.followed_id == actor_id, Follow.id > last)
            .order_by(Follow.id)
            .limit(SPREAD_BATCH)
            .cte("some")
        )
        entries = insert(FeedEntry).from_select(_COLUMNS, select(some.c.follower_id, literal(activity_id, Uuid)))
        # not before PostgreSQL 18 is there a max() of UUIDs; as text they sort the same
        more = case((func.count() == SPREAD_BATCH, func.max(cast(some.c.id, Text))))
        full = select(more).select_from(some).add_cte(entries.on_conflict_do_nothing().cte("entries"))
        found = await db.scalar(full)
        last = UUID(found) if found else None


async def show_past(db: Writer, *, reader_id: UUID, actor_id: UUID) -> None:
    """Copies the last activities of a person into the feed of a new follower."""
    past = select(literal(reader_id, Uuid), Activity.id).where(Activity.actor_id == actor_id)
    # locked, so that they are still there when the entries refer to them
    past = past.order_by(Activity.id.desc()).limit(PAST).with_for_update(key_share=True, read=True)
    await db.execute(insert(FeedEntry).from_select(_COLUMNS, past).on_conflict_do_nothing())


async def part(db: Writer, *, reader_id: UUID, actor_id: UUID) -> None:
    """Takes a person out of the feed of somebody who no longer follows them, and the telling of that follow too."""
    theirs = (FeedEntry.activity_id == Activity.id, Activity.actor_id == actor_id)
    await db.execute(delete(FeedEntry).where(FeedEntry.reader_id == reader_id, *theirs))
    await db.execute(delete(Activity).where(Activity.actor_id == reader_id, Activity.followed_id == actor_id))


async def forget_person(db: Writer, user_id: UUID) -> None:
    """Deletes what a person did, that others followed them, and their own feed."""
    for whose in (Activity.actor_id == user_id, Activity.followed_id == user_id):
        some = select(Activity.id).where(whose).limit(DELETE_BATCH).cte("some")
        gone = delete(Activity).where(Activity.id == some.c.id).returning(Activity.id)
        while (await db.scalars(gone)).first():
            pass
    await db.execute(delete(FeedEntry).where(FeedEntry.reader_id == user_id))


async def trim(db: Writer, after: UUID) -> UUID | None:
    """Keeps the newest entries of some readers, none of those who left; the last of them, or None for the end."""
    readers = await db.all(select(User.id).where(User.id > after).order_by(User.id).limit(TRIM_BATCH))
    await _trim(db, readers)
    # something may have been spread to them while they left
    left = select(User.id).where(User.id.in_(readers), User.deleted_at.is_not(None))
    await db.execute(delete(FeedEntry).where(FeedEntry.reader_id.in_(left)))
    return readers[-1] if readers else None


async def _trim(db: Writer, readers: Sequence[UUID]) -> None:
    place = func.row_number().over(partition_by=FeedEntry.reader_id, order_by=FeedEntry.activity_id.desc())
    ranked = select(FeedEntry.reader_id, FeedEntry.activity_id, place.label("place"))
    ranked_entries = ranked.where(FeedEntry.reader_id.in_(readers)).subquery("ranked")
    surplus = delete(FeedEntry).where(
        FeedEntry.reader_id == ranked_entries.c.reader_id,
        FeedEntry.activity_id == ranked_entries.c.activity_id,
        ranked_entries.c.place > KEPT,
    )
    await db.execute(surplus)
