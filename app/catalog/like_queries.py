"""Reads of likes on albums and tracks."""

from sqlalchemy import ColumnElement, Uuid, bindparam, exists, false, func, select

from app.catalog.hearing import heard_by, known_to
from app.catalog.models import Album, Artist, Track
from app.catalog.queries import ALBUM_CARD, TRACK_CARD
from app.catalog.schemas import Library, LikeCount, LikedAlbum, LikedTrack
from app.core.query import PageQuery, Query
from app.reactions.models import Like
from app.users.models import User
from app.users.queries import library_visible, not_blocked
from app.users.schemas import PersonCard

__all__ = ["ALBUM_LIKERS", "ALBUM_LIKES", "LIBRARY", "LIKED_ALBUMS", "LIKED_TRACKS", "TRACK_LIKERS"]

_ALBUM_ID, _TRACK_ID, _USER_ID = (bindparam(name, type_=Uuid) for name in ("album_id", "track_id", "user_id"))

ALBUM_LIKES = Query(
    select(Album.like_count).where(Album.id == _ALBUM_ID, Album.merged_into_id.is_(None), Album.listed),
    into=LikeCount,
)
"""Kept in a cache for everybody, so it is of what is listed."""


def _likers(*where: ColumnElement[bool]) -> PageQuery[PersonCard]:
    """Those who let the viewer see what they like."""
    likers = select(User.id, User.username, User.display_name, User.avatar_key).join_from(Like, User)
    shown = likers.where(User.deleted_at.is_(None), library_visible(), *where)
    return PageQuery(shown, into=PersonCard, order=[Like.id])


ALBUM_LIKERS = _likers(Like.album_id == _ALBUM_ID, exists().where(Album.id == _ALBUM_ID, known_to(Album)))
TRACK_LIKERS = _likers(Like.track_id == _TRACK_ID, exists().where(Track.id == _TRACK_ID, heard_by()))
LIBRARY = Query(
    select(User.id.label("user_id"), func.coalesce(library_visible(), false()).label("is_open")).where(
        User.username_key == bindparam("username_key"), User.deleted_at.is_(None), not_blocked(User.id)
    ),
    into=Library,
)
LIKED_ALBUMS = PageQuery(
    select(*ALBUM_CARD, Like.created_at.label("liked_at"))
    .join_from(Like, Album, Album.id == Like.album_id)
    .join(Artist)
    .where(Like.user_id == _USER_ID, known_to(Album)),
    into=LikedAlbum,
    order=[Like.id],
)
LIKED_TRACKS = PageQuery(
    select(*TRACK_CARD, Like.created_at.label("liked_at"))
    .join_from(Like, Track, Track.id == Like.track_id)
    .join(Artist, Artist.id == Track.artist_id)
    .outerjoin(Album, Album.id == Track.album_id)
    .where(Like.user_id == _USER_ID, heard_by()),
    into=LikedTrack,
    order=[Like.id],
)
