"""Reads of notifications. People who are blocked or muted do not occur in them."""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Label,
    Select,
    and_,
    bindparam,
    func,
    join,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.orm import aliased

from app.catalog.hearing import heard_by
from app.catalog.models import Album, Artist, Track
from app.chat.models import Channel, Invitation, Message
from app.core.db import Reader
from app.core.query import PageQuery, Query
from app.core.realtime import watch
from app.groups.models import Group, GroupInvite
from app.notifications.models import Inbox, Notification, NotificationPreference
from app.notifications.schemas import InboxState, NotificationItem
from app.playlists.models import Playlist, PlaylistMember
from app.reactions.models import Comment
from app.reactions.queries import person_card
from app.reviews.models import Review
from app.rooms.models import Room, RoomInvitation
from app.users.models import User
from app.users.queries import VIEWER, not_blocked, not_muted, visible

__all__ = ["BATCH", "INBOX", "NOTIFICATIONS", "PREFERENCES", "UNREAD_COUNT", "UNREAD_NOTIFICATIONS", "inbox_versions"]

BATCH = 100
EXCERPT = 140


def _items(user_id: ColumnElement[Any] | Any = VIEWER) -> Select[*tuple[Any, ...]]:
    """A person's notifications. What hangs on a review that they can no longer read stays hidden."""
    plain = (Notification.id, Notification.number, Notification.kind, Notification.created_at, Notification.read_at)
    about = _about().lateral("about")
    return select(*plain, *about.c).join_from(Notification, about, true()).where(Notification.user_id == user_id)


def _about() -> Select[*tuple[Any, ...]]:
    """Who did it to what. The LIMIT keeps the planner to one notification after the other, whatever it believes."""
    author = aliased(User)
    readable = and_(author.id == Review.user_id, Review.published_at.is_not(None), visible(author))
    reviews = join(Review, author, readable).join(Album, Album.id == Review.album_id)
    reviews = reviews.join(Artist, Artist.id == Album.artist_id)
    its_artist = aliased(Artist)
    tracks = join(Track, its_artist, its_artist.id == Track.artist_id)
    stands = or_(Comment.review_id == Review.id, Comment.track_id == Track.id)
    said = and_(Comment.id == Notification.comment_id, Comment.deleted_at.is_(None), stands)
    return (
        select(
            *person_card(User, "actor__"),
            Review.id.label("review__id"),
            Album.id.label("review__album__id"),
            Album.title.label("review__album__title"),
            Artist.name.label("review__album__artist"),
            Album.cover_key.label("review__album__cover_key"),
            Track.id.label("track__id"),
            Track.title.label("track__title"),
            its_artist.name.label("track__artist"),
            Comment.id.label("comment__id"),
            func.left(Comment.text, literal_column(str(EXCERPT))).label("comment__excerpt"),
            Message.id.label("message__id"),
            Message.channel_id.label("message__channel_id"),
            Channel.kind.label("message__channel_kind"),
            func.left(Message.text, literal_column(str(EXCERPT))).label("message__excerpt"),
            *_invitation("group_invite", GroupInvite, "group", Group.id, Group.name, Group.cover_key),
            PlaylistMember.role.label("playlist_invite__role"),
            PlaylistMember.state.label("playlist_invite__state"),
            *(
                column.label(f"playlist_invite__playlist__{column.key}")
                for column in (Playlist.id, Playlist.name, Playlist.cover_key)
            ),
            *_invitation("room_invite", RoomInvitation, "room", Room.id, Room.name),
        )
        .select_from(User)
        .outerjoin(reviews, Review.id == Notification.review_id)
        .outerjoin(tracks, and_(Track.id == Notification.track_id, heard_by()))
        .outerjoin(Comment, said)
        .outerjoin(Message, Message.id == Notification.message_id)
        .outerjoin(Channel, Channel.id == Message.channel_id)
        .outerjoin(join(GroupInvite, Group), GroupInvite.id == Notification.group_invite_id)
        .outerjoin(join(PlaylistMember, Playlist), PlaylistMember.id == Notification.playlist_member_id)
        .outerjoin(join(RoomInvitation, Room), RoomInvitation.id == Notification.room_invitation_id)
        .where(User.id == Notification.actor_id, not_blocked(User.id), not_muted(User.id))
        .limit(literal_column("1"))
    )


def _invitation(name: str, table: type[Invitation], place: str, *columns: Any) -> list[Label[Any]]:
    """An invitation, whether it was answered, and to where it is."""
    own = [column.label(f"{name}__{column.key}") for column in (table.id, table.status, table.expires_at)]
    return own + [column.label(f"{name}__{place}__{column.key}") for column in columns]


NOTIFICATIONS = PageQuery(_items(), into=NotificationItem, order=[Notification.number])
UNREAD_NOTIFICATIONS = PageQuery(
    _items().where(Notification.read_at.is_(None)), into=NotificationItem, order=[Notification.number]
)
UNREAD_COUNT = Query(select(Inbox.unread_count).where(Inbox.user_id == VIEWER), into=int)
PREFERENCES = Query(
    select(NotificationPreference.kind).where(
        NotificationPreference.user_id == VIEWER, ~NotificationPreference.enabled
    ),
    into=str,
)


def _inbox() -> Select[*tuple[Any, ...]]:
    """The counters with what came after a number, of one moment: every number up to the last one is there or gone."""
    # both conditions by the way of other rows: the planner would look at the values and plan anew for each
    later = Notification.number > select(bindparam("after", type_=BigInteger)).scalar_subquery()
    items = (
        _items(Inbox.user_id)
        .where(later)
        .order_by(Notification.number)
        .limit(literal_column(str(BATCH)))
        .lateral("item")
    )
    return (
        select(
            Inbox.version,
            Inbox.last_number,
            Inbox.unread_count,
            *(column.label(f"item__{column.key}") for column in items.c),
        )
        .outerjoin_from(Inbox, items, true())
        .where(Inbox.user_id == VIEWER)
        .order_by(items.c.number)
    )


INBOX = Query(_inbox(), into=InboxState)


@watch("inbox")
async def inbox_versions(db: Reader, user_ids: list[UUID]) -> dict[UUID, int]:
    """How often each inbox has changed."""
    rows = await db.records("SELECT user_id, version FROM inboxes WHERE user_id = ANY($1)", [user_ids])
    return dict(rows)  # type: ignore[arg-type]
