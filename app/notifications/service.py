"""Notifications: made in order, read, counted exactly."""

from collections.abc import Collection
from itertools import permutations
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Uuid,
    column,
    delete,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from app.catalog.hearing import heard_by
from app.catalog.models import Track
from app.core.auth import Principal
from app.core.db import Reader, Writer
from app.core.errors import NotFound
from app.core.holds import hold
from app.core.ids import uuid7
from app.core.paging import Page, PageRequest
from app.core.query import Runs
from app.core.realtime import push
from app.notifications.kinds import Kind
from app.notifications.models import Inbox, Notification, NotificationPreference
from app.notifications.queries import NOTIFICATIONS, UNREAD_COUNT, UNREAD_NOTIFICATIONS
from app.notifications.schemas import NotificationItem, UnreadCount
from app.reviews.models import Review
from app.users.models import User
from app.users.queries import not_blocked, not_muted, visible

__all__ = [
    "delete_notification",
    "forget_between",
    "forget_each_other",
    "forget_leaver",
    "get_unread_count",
    "hold_inboxes",
    "list_notifications",
    "mark_all_read",
    "mark_read",
    "notify",
]

BATCH = 5000
UUIDS = ARRAY(Uuid)
_NEW_USER: ColumnElement[UUID] = literal_column("new.user_id", Uuid)


async def notify(
    db: Writer,
    *,
    user_ids: Collection[UUID],
    kind: Kind,
    actor_id: UUID,
    subject: str,
    review_id: UUID | None = None,
    comment_id: UUID | None = None,
    track_id: UUID | None = None,
    message_id: UUID | None = None,
    group_invite_id: UUID | None = None,
    playlist_member_id: UUID | None = None,
    room_invitation_id: UUID | None = None,
) -> None:
    """Notifies people of what the actor did, once for each kind, actor and subject.

    Nobody is told of themselves, of people whom they block or mute, of a kind that they switched off, or of a review or
    track that they may not see. Lock what it is about first (FOR KEY SHARE): whoever deletes that takes inboxes last.
    """
    await hold(db, "notifier", actor_id, shared=True)
    locked = await _lock_inboxes(db, set(user_ids) - {actor_id})
    if not locked:
        return
    may_see = [_may_read(review_id)] if review_id else [_may_hear(track_id)] if track_id else []
    wanted = _wanted(locked, kind, actor_id, subject).where(*may_see).cte("wanted")
    counted = (
        update(Inbox)
        .where(Inbox.user_id == wanted.c.user_id)
        .values(last_number=Inbox.last_number + 1, unread_count=Inbox.unread_count + 1, version=Inbox.version + 1)
        .returning(Inbox.user_id, Inbox.last_number)
        .cte("counted")
    )
    said = {"kind": kind.name, "actor_id": actor_id, "subject": subject}
    same = said | {
        "review_id": review_id,
        "comment_id": comment_id,
        "track_id": track_id,
        "message_id": message_id,
        "group_invite_id": group_invite_id,
        "playlist_member_id": playlist_member_id,
        "room_invitation_id": room_invitation_id,
    }
    values = [literal(value, Notification.__table__.c[name].type) for name, value in same.items()]
    rows = select(wanted.c.id, wanted.c.user_id, counted.c.last_number, *values)
    rows = rows.join_from(wanted, counted, counted.c.user_id == wanted.c.user_id)
    add = insert(Notification).from_select(["id", "user_id", "number", *same], rows)
    for user_id in await db.scalars(add.returning(Notification.user_id)):
        push(db, "inbox", user_id)


async def hold_inboxes(db: Writer, user_ids: Collection[UUID], *, actor_id: UUID) -> None:
    """For who notifies more than once: takes all inboxes in one order, so that nobody waits crosswise."""
    await hold(db, "notifier", actor_id, shared=True)
    await _lock_inboxes(db, set(user_ids) - {actor_id})


async def _lock_inboxes(db: Writer, user_ids: Collection[UUID]) -> list[UUID]:
    """Locks the inboxes of those who are there, in one order; a later statement sees what the earlier holders did."""
    there = select(User.id).where(User.id.in_(user_ids), User.deleted_at.is_(None)).order_by(User.id)
    lock = insert(Inbox).from_select(["user_id"], there)
    lock = lock.on_conflict_do_update(index_elements=[Inbox.user_id], set_={"user_id": lock.excluded.user_id})
    return list(await db.scalars(lock.returning(Inbox.user_id)))


def _wanted(user_ids: list[UUID], kind: Kind, actor_id: UUID, subject: str) -> Any:
    """Who of them is to be notified, each with the id of the notification."""
    ids = literal([uuid7() for _ in user_ids], UUIDS)
    new = func.unnest(ids, literal(user_ids, UUIDS)).table_valued(column("id", Uuid), column("user_id", Uuid))
    new = new.render_derived(name="new")
    off, same, actor = aliased(NotificationPreference), aliased(Notification), literal(actor_id, Uuid)
    return select(new.c.id, new.c.user_id).where(
        exists().where(User.id == actor, User.deleted_at.is_(None)),
        not_blocked(actor, new.c.user_id),
        not_muted(actor, new.c.user_id),
        ~exists().where(off.user_id == new.c.user_id, off.kind == kind.name, ~off.enabled),
        ~exists().where(
            same.user_id == new.c.user_id, same.kind == kind.name, same.actor_id == actor, same.subject == subject
        ),
    )


def _may_hear(track_id: UUID) -> ColumnElement[bool]:
    return exists().where(Track.id == track_id, heard_by(Track, _NEW_USER))


def _may_read(review_id: UUID) -> ColumnElement[bool]:
    author, user_id = aliased(User), _NEW_USER
    its_author = author.id == Review.user_id
    return exists().where(
        Review.id == review_id, Review.published_at.is_not(None), its_author, visible(author, user_id)
    )


async def list_notifications(
    db: Reader, actor: Principal, page: PageRequest, *, unread: bool
) -> Page[NotificationItem]:
    """The actor's notifications, the newest first."""
    return await (UNREAD_NOTIFICATIONS if unread else NOTIFICATIONS).page(db, page, viewer=actor.user_id)


async def get_unread_count(db: Runs, actor: Principal) -> UnreadCount:
    """How many of the actor's notifications are unread."""
    return UnreadCount(unread_count=await UNREAD_COUNT.first(db, viewer=actor.user_id) or 0)


async def mark_read(db: Writer, actor: Principal, notification_id: UUID) -> UnreadCount:
    """Marks one as read; again is no change. Raises NotFound."""
    mine = (Notification.id == notification_id, Notification.user_id == actor.user_id)
    read = update(Notification).where(*mine, Notification.read_at.is_(None)).values(read_at=func.now())
    changed = await db.scalar(read.returning(Notification.id)) is not None
    if not changed and not await db.scalar(select(exists().where(*mine))):
        raise NotFound("You have no such notification.")
    return await _count_read(db, actor, int(changed))


async def mark_all_read(db: Writer, actor: Principal) -> UnreadCount:
    """Marks all as read that are there now."""
    unread = select(Notification.id).where(Notification.user_id == actor.user_id, Notification.read_at.is_(None))
    # what somebody else has locked is being read or deleted by them
    taken = unread.with_for_update(skip_locked=True).cte("taken")
    read = update(Notification).where(Notification.id == taken.c.id).values(read_at=func.now())
    counted = select(func.count()).select_from(read.returning(Notification.id).cte("read"))
    return await _count_read(db, actor, (await db.scalars(counted)).one())


async def delete_notification(db: Writer, actor: Principal, notification_id: UUID) -> None:
    """Deletes one of the actor's notifications. Raises NotFound."""
    gone = delete(Notification).where(Notification.id == notification_id, Notification.user_id == actor.user_id)
    if await db.scalar(gone.returning(Notification.id)) is None:
        raise NotFound("You have no such notification.")
    push(db, "inbox", actor.user_id)


async def forget_between(db: Writer, *, user_id: UUID, actor_id: UUID) -> None:
    """Deletes what a person was told of the actor's doings; what is being told now comes first."""
    await hold(db, "notifier", actor_id)
    await _delete(db, Notification.user_id == user_id, Notification.actor_id == actor_id)


async def forget_each_other(db: Writer, *pair: UUID) -> None:
    """Deletes what each of two people was told of the other's doings."""
    await hold(db, "notifier", *pair)
    for user_id, actor_id in permutations(sorted(pair)):
        await _delete(db, Notification.user_id == user_id, Notification.actor_id == actor_id)


async def forget_leaver(db: Writer, user_id: UUID) -> None:
    """Deletes what a person was told, how they wanted it, and what anybody was told of their doings."""
    await hold(db, "notifier", user_id)
    await _hold_all(db, or_(Notification.user_id == user_id, Notification.actor_id == user_id))
    await _delete(db, Notification.actor_id == user_id)
    await _delete(db, Notification.user_id == user_id)
    await db.execute(delete(NotificationPreference).where(NotificationPreference.user_id == user_id))
    await db.execute(delete(Inbox).where(Inbox.user_id == user_id))


async def _hold_all(db: Writer, which: ColumnElement[bool]) -> None:
    """Takes notifications and then inboxes, as those who read do; in one order, though they are deleted in parts."""
    rows = select(Notification.user_id).where(which).order_by(Notification.id).with_for_update().subquery()
    user_ids = list(await db.scalars(select(rows.c.user_id).distinct()))
    await db.execute(select(Inbox.user_id).where(Inbox.user_id.in_(user_ids)).order_by(Inbox.user_id).with_for_update())


async def _delete(db: Writer, *where: ColumnElement[bool]) -> None:
    """In parts, each of which ends soon."""
    some = select(Notification.id).where(*where).limit(BATCH).cte("some")
    gone = delete(Notification).where(Notification.id == some.c.id).returning(Notification.user_id)
    while user_ids := (await db.scalars(gone)).all():
        for user_id in set(user_ids):
            push(db, "inbox", user_id)


async def _count_read(db: Writer, actor: Principal, read: int) -> UnreadCount:
    if not read:
        return await get_unread_count(db, actor)
    fewer = update(Inbox).where(Inbox.user_id == actor.user_id)
    fewer = fewer.values(unread_count=Inbox.unread_count - read, version=Inbox.version + 1)
    push(db, "inbox", actor.user_id)
    return UnreadCount(unread_count=(await db.scalars(fewer.returning(Inbox.unread_count))).one())
