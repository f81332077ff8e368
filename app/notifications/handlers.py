"""What people are told of, and what is no longer told when they part."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from sqlalchemy import and_, exists, select
from sqlalchemy.orm import aliased

from app.catalog.events import TrackCommented
from app.catalog.models import Track
from app.chat.events import DirectMessagesSent, PeopleMentioned
from app.chat.models import ChannelReader, DirectChannel, Invitation, Message
from app.core.db import Reader, Writer
from app.core.jobs import on
from app.groups.events import GroupInvited
from app.groups.models import GroupInvite
from app.notifications.kinds import (
    COMMENT,
    DIRECT,
    FOLLOW,
    GROUP_INVITE,
    LIKE,
    MENTION,
    PLAYLIST_INVITE,
    REPLY,
    ROOM_INVITE,
    Kind,
)
from app.notifications.models import Notification, NotificationPreference
from app.notifications.service import forget_between, forget_each_other, forget_leaver, hold_inboxes, notify
from app.playlists.events import PlaylistInvited
from app.playlists.models import PlaylistMember
from app.reactions.models import Comment, Like
from app.reviews.events import CommentLiked, CommentWritten, ReviewLiked, ReviewPublished
from app.reviews.mentions import mentioned_people
from app.reviews.models import Review
from app.rooms.events import RoomInvited
from app.rooms.models import RoomInvitation
from app.users.events import AccountDeleted, Blocked, Followed, Muted
from app.users.exports import every_row, exported
from app.users.models import Follow

__all__ = [
    "forget_blocked",
    "forget_muted",
    "forget_person",
    "tell_of_comment",
    "tell_of_comment_like",
    "tell_of_direct_messages",
    "tell_of_follow",
    "tell_of_group_invite",
    "tell_of_mentions",
    "tell_of_playlist_invite",
    "tell_of_review",
    "tell_of_review_like",
    "tell_of_room_invitation",
    "tell_of_track_comment",
]


@on(ReviewLiked)
async def tell_of_review_like(db: Writer, event: ReviewLiked) -> None:
    """The author of the review, if it is still liked."""
    like = and_(Like.review_id == Review.id, Like.user_id == event.user_id)
    author = select(Review.user_id).join(Like, like).where(Review.id == event.review_id)
    author_id = await db.scalar(author.with_for_update(key_share=True, read=True, of=Review))
    if author_id:
        await notify(
            db,
            user_ids=[author_id],
            kind=LIKE,
            actor_id=event.user_id,
            subject=f"review:{event.review_id}",
            review_id=event.review_id,
        )


@on(CommentLiked)
async def tell_of_comment_like(db: Writer, event: CommentLiked) -> None:
    """The author of the comment, if it is still liked."""
    await _keep(db, event)
    like = and_(Like.comment_id == Comment.id, Like.user_id == event.user_id)
    author = select(Comment.user_id).join(Like, like).where(Comment.id == event.comment_id)
    author_id = await db.scalar(author.with_for_update(key_share=True, read=True, of=Comment))
    if author_id:
        await notify(
            db,
            user_ids=[author_id],
            kind=LIKE,
            actor_id=event.user_id,
            subject=f"comment:{event.comment_id}",
            review_id=event.review_id,
            track_id=event.track_id,
            comment_id=event.comment_id,
        )


@on(CommentWritten)
async def tell_of_comment(db: Writer, event: CommentWritten) -> None:
    """The author of the comment that it replies to, the author of the review, and whom it names: each once."""
    parent = aliased(Comment)
    written = (
        select(Comment.text, Review.user_id.label("owner_id"), parent.user_id.label("parent_id"))
        .join(Review, Review.id == Comment.review_id)
        .outerjoin(parent, parent.id == Comment.parent_id)
        .where(Comment.id == event.comment_id, Comment.deleted_at.is_(None))
    )
    found = await db.rows(written.with_for_update(key_share=True, read=True, of=[Review, Comment]))
    for text, owner_id, parent_id in found:
        mentioned = await mentioned_people(db, text, event.user_id, owner_id=owner_id)
        await _tell_of_comment(db, event, (parent_id, owner_id), mentioned, review_id=event.review_id)


@on(TrackCommented)
async def tell_of_track_comment(db: Writer, event: TrackCommented) -> None:
    """The author of the comment that it replies to, who uploaded the track, and whom it names: each once."""
    await _keep(db, event)
    parent = aliased(Comment)
    written = (
        select(Comment.text, Track.owner_id, parent.user_id.label("parent_id"))
        .join(Track, Track.id == Comment.track_id)
        .outerjoin(parent, parent.id == Comment.parent_id)
        .where(Comment.id == event.comment_id, Comment.deleted_at.is_(None))
    )
    found = await db.rows(written.with_for_update(key_share=True, read=True, of=Comment))
    for text, owner_id, parent_id in found:
        mentioned = await mentioned_people(db, text, event.user_id, owner_id=owner_id)
        await _tell_of_comment(db, event, (parent_id, owner_id), mentioned, track_id=event.track_id)


async def _tell_of_comment(
    db: Writer,
    event: CommentWritten | TrackCommented,
    concerned: tuple[UUID | None, UUID | None],
    mentioned: list[UUID],
    **about: UUID,
) -> None:
    """The author of the comment above and the owner of what it stands under, and whom it names."""
    above, owner = ({person} if person else set() for person in concerned)
    kinds: list[tuple[Kind, set[UUID]]] = [(REPLY, above), (COMMENT, owner), (MENTION, set(mentioned))]
    await hold_inboxes(db, set().union(*(people for _, people in kinds)), actor_id=event.user_id)
    told: set[UUID] = set()
    for kind, people in kinds:
        subject = f"comment:{event.comment_id}"
        about |= {"comment_id": event.comment_id}
        await notify(db, user_ids=people - told, kind=kind, actor_id=event.user_id, subject=subject, **about)
        told |= people


async def _keep(db: Writer, event: CommentLiked | TrackCommented) -> None:
    """Has what the comment stands under stay until this is written: whoever deletes it takes inboxes last."""
    for table, its_id in ((Review, getattr(event, "review_id", None)), (Track, event.track_id)):
        if its_id is not None:
            await db.execute(select(table.id).where(table.id == its_id).with_for_update(key_share=True, read=True))


@on(ReviewPublished)
async def tell_of_review(db: Writer, event: ReviewPublished) -> None:
    """Whom the review names."""
    published = select(Review.text).where(Review.id == event.review_id, Review.published_at.is_not(None))
    text = await db.scalar(published.with_for_update(key_share=True, read=True))
    await notify(
        db,
        user_ids=await mentioned_people(db, text, event.user_id),
        kind=MENTION,
        actor_id=event.user_id,
        subject=f"review:{event.review_id}",
        review_id=event.review_id,
    )


@on(PeopleMentioned)
async def tell_of_mentions(db: Writer, event: PeopleMentioned) -> None:
    """Whom messages name, unless the channel is silent for them."""
    muted = select(ChannelReader.user_id).where(ChannelReader.channel_id == event.channel_id, ChannelReader.muted)
    silent = set(await db.all(muted))
    for message in await _messages(db, event.message_ids):
        named = set(message.mentions) if event.people is None else {*message.mentions} & {*event.people}
        await _tell_of_message(db, MENTION, message, named - silent)


@on(DirectMessagesSent)
async def tell_of_direct_messages(db: Writer, event: DirectMessagesSent) -> None:
    """The other of the two, unless they have been told of this conversation and not looked yet."""
    pair = select(DirectChannel).where(DirectChannel.id == event.channel_id)
    conversation = await db.one(pair)
    first: dict[UUID, Message] = {}
    for message in await _messages(db, event.message_ids):
        first.setdefault(message.author_id, message)  # told of the first, they have not looked when the next comes
    for author_id, message in first.items():
        others = {conversation.first_id, conversation.second_id} - {author_id} if conversation else set()
        await hold_inboxes(db, others, actor_id=author_id)
        here = select(Message.id).where(Message.channel_id == event.channel_id)
        waiting = select(Notification.user_id).where(Notification.user_id.in_(others), Notification.read_at.is_(None))
        waiting = waiting.where(Notification.kind == DIRECT.name, Notification.message_id.in_(here))
        silent = select(ChannelReader.user_id).where(ChannelReader.channel_id == event.channel_id, ChannelReader.muted)
        told = {*await db.all(waiting), *await db.all(silent)}
        await _tell_of_message(db, DIRECT, message, others - told)


async def _messages(db: Writer, message_ids: list[UUID]) -> list[Any]:
    """Those that still say something and whose authors are there."""
    said = select(Message).where(Message.id.in_(message_ids), Message.deleted_at.is_(None))
    said = said.where(Message.author_id.is_not(None)).order_by(Message.id)
    return await db.all(said.with_for_update(key_share=True, read=True))


async def _tell_of_message(db: Writer, kind: Kind, message: Message, people: set[UUID]) -> None:
    if message.author_id is not None and people:
        await notify(
            db,
            user_ids=people,
            kind=kind,
            actor_id=message.author_id,
            subject=f"message:{message.id}",
            message_id=message.id,
        )


@on(GroupInvited)
async def tell_of_group_invite(db: Writer, event: GroupInvited) -> None:
    """Who is invited, if they still are."""
    await _tell_of_invitation(db, event, GroupInvite, GROUP_INVITE, group_invite_id=event.invite_id)


@on(RoomInvited)
async def tell_of_room_invitation(db: Writer, event: RoomInvited) -> None:
    """Who is invited, if they still are."""
    await _tell_of_invitation(db, event, RoomInvitation, ROOM_INVITE, room_invitation_id=event.invite_id)


async def _tell_of_invitation(
    db: Writer, event: GroupInvited | RoomInvited, table: type[Invitation], kind: Kind, **about: UUID
) -> None:
    invite = select(table.id).where(table.id == event.invite_id, table.status == "pending")
    if await db.scalar(invite.with_for_update(key_share=True, read=True)):
        subject = f"{kind.name}:{event.invite_id}"
        await notify(db, user_ids=[event.user_id], kind=kind, actor_id=event.invited_by_id, subject=subject, **about)


@on(PlaylistInvited)
async def tell_of_playlist_invite(db: Writer, event: PlaylistInvited) -> None:
    """Who is invited, if they still are."""
    invite = select(PlaylistMember.id).where(PlaylistMember.id == event.member_id, PlaylistMember.state == "invited")
    if await db.scalar(invite.with_for_update(key_share=True, read=True)):
        await notify(
            db,
            user_ids=[event.user_id],
            kind=PLAYLIST_INVITE,
            actor_id=event.invited_by_id,
            subject=f"playlist_invite:{event.member_id}",
            playlist_member_id=event.member_id,
        )


@on(Followed)
async def tell_of_follow(db: Writer, event: Followed) -> None:
    """The followed person, if they are still followed."""
    follow = exists().where(Follow.follower_id == event.follower_id, Follow.followed_id == event.followed_id)
    if await db.scalar(select(follow)):
        await notify(
            db, user_ids=[event.followed_id], kind=FOLLOW, actor_id=event.follower_id, subject=str(event.followed_id)
        )


@on(Blocked)
async def forget_blocked(db: Writer, event: Blocked) -> None:
    """Neither keeps what the other did."""
    await forget_each_other(db, event.blocker_id, event.blocked_id)


@on(Muted)
async def forget_muted(db: Writer, event: Muted) -> None:
    """What the muted person did is out of the way."""
    await forget_between(db, user_id=event.muter_id, actor_id=event.muted_id)


@on(AccountDeleted)
async def forget_person(db: Writer, event: AccountDeleted) -> None:
    """Neither their notifications stay nor what others were told of them."""
    await forget_leaver(db, event.user_id)


@exported("notifications")
def export_notifications(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """What the person was told of."""
    hidden = {"user_id", "subject"}
    columns = [column for column in Notification.__table__.columns if column.name not in hidden]
    return every_row(db, select(*columns).where(Notification.user_id == user_id), key=Notification.number)


@exported("notification_preferences")
def export_preferences(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """Which kinds the person switched off or on."""
    wanted = select(NotificationPreference.kind, NotificationPreference.enabled)
    wanted = wanted.where(NotificationPreference.user_id == user_id)
    return every_row(db, wanted, key=NotificationPreference.kind)
