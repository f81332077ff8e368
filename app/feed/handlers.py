"""What comes into feeds and what goes out of them. Events may come late or out of order, so each looks at what is."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import and_, exists, func, select

from app.core.db import Writer
from app.core.ids import MIN_UUID
from app.core.jobs import enqueue, every, job, on
from app.feed.service import forget_person, hold_feeds_of, part, record, show_past, trim
from app.reviews.events import FavoriteMarked, ReviewPublished
from app.reviews.models import Review
from app.users.events import AccountDeleted, Blocked, Followed, Unfollowed
from app.users.models import Follow, User

__all__ = [
    "add_favorite",
    "add_follow",
    "add_review",
    "forget_leaver",
    "part_blocked",
    "remove_follow",
    "trim_feeds",
    "trim_some_feeds",
]

_WROTE = and_(User.id == Review.user_id, User.deleted_at.is_(None))


class Place(BaseModel):
    """How far the trimming has come."""

    after: UUID


@on(ReviewPublished)
async def add_review(db: Writer, event: ReviewPublished) -> None:
    """It comes into the feeds of its author and of their followers; a deleted one goes by its foreign key."""
    await hold_feeds_of(db, event.user_id)
    published = select(Review.published_at).join(User, _WROTE).where(Review.id == event.review_id)
    # locked, so that it is still there when the activity refers to it
    at = await db.scalar(published.with_for_update(key_share=True, read=True, of=Review))
    if at:
        await record(db, actor_id=event.user_id, kind="review", at=at, review_id=event.review_id)


@on(FavoriteMarked)
async def add_favorite(db: Writer, event: FavoriteMarked) -> None:
    """It comes into the same feeds, if it still is one."""
    await hold_feeds_of(db, event.user_id)
    favorite = select(func.now()).select_from(Review).join(User, _WROTE)
    favorite = favorite.where(Review.id == event.review_id, Review.is_favorite)
    at = await db.scalar(favorite.with_for_update(key_share=True, read=True, of=Review))
    if at:
        await record(db, actor_id=event.user_id, kind="favorite", at=at, review_id=event.review_id)


@on(Followed)
async def add_follow(db: Writer, event: Followed) -> None:
    """The followed person's last activities come into the follower's feed, and the follow into their followers'."""
    await hold_feeds_of(db, event.follower_id, event.followed_id)
    at = await _followed_at(db, event)
    if at:
        await show_past(db, reader_id=event.follower_id, actor_id=event.followed_id)
        await record(db, actor_id=event.follower_id, kind="follow", at=at, followed_id=event.followed_id)


@on(Unfollowed)
async def remove_follow(db: Writer, event: Unfollowed) -> None:
    """What the other did goes out of the feed, unless they are followed again."""
    await hold_feeds_of(db, event.follower_id, event.followed_id)
    if not await _followed_at(db, event):
        await part(db, reader_id=event.follower_id, actor_id=event.followed_id)


@on(Blocked)
async def part_blocked(db: Writer, event: Blocked) -> None:
    """Neither stands in the other's feed. A block ends both follows."""
    pair = sorted((event.blocker_id, event.blocked_id))
    await hold_feeds_of(db, *pair)
    for reader_id, actor_id in (pair, reversed(pair)):
        await part(db, reader_id=reader_id, actor_id=actor_id)


@on(AccountDeleted)
async def forget_leaver(db: Writer, event: AccountDeleted) -> None:
    """Feeds tell of people who are there."""
    await hold_feeds_of(db, event.user_id)
    await forget_person(db, event.user_id)


@every("40 3 * * *")
async def trim_feeds(infra: Any) -> None:
    """Feeds end somewhere: who reads that far finds the people's own pages."""
    async with infra.db.write() as db:
        await enqueue(db, trim_some_feeds, Place(after=MIN_UUID))


@job()
async def trim_some_feeds(infra: Any, place: Place) -> None:
    """Trims some readers' feeds and leaves the next ones to another job."""
    async with infra.db.write() as db:
        after = await trim(db, place.after)
        if after is not None:
            await enqueue(db, trim_some_feeds, Place(after=after))


async def _followed_at(db: Writer, event: Followed | Unfollowed) -> datetime | None:
    """Since when, if neither has left: their follows go one after the other, later than they."""
    pair = {"follower_id": event.follower_id, "followed_id": event.followed_id}
    left = exists().where(User.id.in_(pair.values()), User.deleted_at.is_not(None))
    return await db.scalar(select(Follow.created_at).filter_by(**pair).where(~left))
