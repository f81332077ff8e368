"""Who follows whom."""

from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlalchemy.dialects.postgresql import insert

from app.core.auth import Principal
from app.core.db import Reader, Writer
from app.core.jobs import emit
from app.core.paging import Page, PageRequest
from app.users.events import Followed, Unfollowed
from app.users.models import Follow, User
from app.users.pairs import lock_pair, lock_people
from app.users.queries import FOLLOWERS, FOLLOWING
from app.users.schemas import FollowState, PersonItem
from app.users.service import open_person

__all__ = [
    "follow",
    "forget_some_follows",
    "list_followers",
    "list_following",
    "remove_follower",
    "unfollow",
    "unlink",
]

BATCH = 500


async def follow(db: Writer, actor: Principal, username: str) -> FollowState:
    """Follows a person; again is no change. Raises NotFound, Invalid for oneself."""
    me, other = await lock_pair(db, actor, username)
    row = {"follower_id": me.id, "followed_id": other.id}
    if await db.scalar(insert(Follow).values(row).on_conflict_do_nothing().returning(Follow.id)):
        me.following_count += 1
        other.follower_count += 1
        await emit(db, Followed(follower_id=me.id, followed_id=other.id))
    return FollowState(is_following=True, follower_count=other.follower_count)


async def unfollow(db: Writer, actor: Principal, username: str) -> FollowState:
    """Follows a person no longer. Raises NotFound, Invalid for oneself."""
    me, other = await lock_pair(db, actor, username)
    await _end(db, follower=me, followed=other)
    return FollowState(is_following=False, follower_count=other.follower_count)


async def remove_follower(db: Writer, actor: Principal, username: str) -> None:
    """Makes a person follow the actor no longer; they are not told. Raises NotFound, Invalid for oneself."""
    me, other = await lock_pair(db, actor, username)
    await _end(db, follower=other, followed=me)


async def list_followers(db: Reader, actor: Principal | None, username: str, page: PageRequest) -> Page[PersonItem]:
    """The newest first. Raises NotFound, ProfileRestricted."""
    person_id = await open_person(db, actor, username)
    return await FOLLOWERS.page(db, page, person_id=person_id, viewer=actor.user_id if actor else None)


async def list_following(db: Reader, actor: Principal | None, username: str, page: PageRequest) -> Page[PersonItem]:
    """The newest first. Raises NotFound, ProfileRestricted."""
    person_id = await open_person(db, actor, username)
    return await FOLLOWING.page(db, page, person_id=person_id, viewer=actor.user_id if actor else None)


async def unlink(db: Writer, people: dict[UUID, User], which: ColumnElement[bool]) -> int:
    """Deletes follows between people who are locked, and counts them off; returns how many there were."""
    gone = (await db.execute(delete(Follow).where(which).returning(Follow.follower_id, Follow.followed_id))).all()
    for follower_id, followed_id in gone:
        people[follower_id].following_count -= 1
        people[followed_id].follower_count -= 1
    return len(gone)


async def forget_some_follows(db: Writer, user_id: UUID) -> bool:
    """Deletes some of the follows of and by a person who left; whether there may be more."""
    theirs = or_(Follow.follower_id == user_id, Follow.followed_id == user_id)
    follows = await db.all(select(Follow).where(theirs).limit(BATCH))
    ids = {follow.follower_id for follow in follows} | {follow.followed_id for follow in follows}
    people = await lock_people(db, ids)
    await unlink(db, people, Follow.id.in_([follow.id for follow in follows]))
    return len(follows) == BATCH


async def _end(db: Writer, *, follower: User, followed: User) -> None:
    which = and_(Follow.follower_id == follower.id, Follow.followed_id == followed.id)
    if await unlink(db, {follower.id: follower, followed.id: followed}, which):
        await emit(db, Unfollowed(follower_id=follower.id, followed_id=followed.id))
