"""Reads of playlists. Every one of them shows only what the viewer may see."""

from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Label,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.orm import aliased

from app.catalog.hearing import heard_by
from app.catalog.models import Track
from app.core.query import PageQuery, Query
from app.playlists.models import Playlist, PlaylistActivity, PlaylistMember
from app.playlists.schemas import (
    ActivityItem,
    LikedPlaylist,
    MemberItem,
    MyPlaylist,
    PlaylistDetail,
    PlaylistInvite,
    PlaylistItem,
    PlaylistSort,
    PlaylistState,
)
from app.reactions.models import Like
from app.reactions.queries import person_card
from app.reactions.service import liked_by_viewer
from app.users.models import User
from app.users.queries import VIEWER, library_visible, not_blocked, visible
from app.users.schemas import PersonCard

__all__ = ["ACTIVITIES", "EVERY_MEMBER", "INVITES", "LIKED", "LIKERS", "MEMBER", "MEMBERS", "MINE", "OF_PERSON", "OWN"]
__all__ += ["PLAYLIST", "STATE", "playlists_page", "seen"]

MOST_OF_ONE = 2_000
_PLAYLIST_ID = bindparam("playlist_id", type_=Uuid)
_THIS = Playlist.id == _PLAYLIST_ID
_ME, _OWNER, _BY, _WHO = aliased(PlaylistMember), aliased(User), aliased(User), aliased(User)
_PUBLIC = Playlist.visibility == literal_column("'public'")
_ACCEPTED: ColumnElement[str] = literal_column("'accepted'")

_STATE = (
    *(Playlist.id, Playlist.name, Playlist.description, Playlist.visibility, Playlist.kind, Playlist.rules),
    *(Playlist.cover_key, Playlist.owner_id, Playlist.track_count, Playlist.duration_ms, Playlist.version),
    *(Playlist.created_at, Playlist.updated_at),
)


def _card(prefix: str = "") -> list[Label[Any]]:
    """The columns of a PlaylistItem; `_OWNER` has to be joined."""
    plain = (Playlist.id, Playlist.name, Playlist.description, Playlist.visibility, Playlist.kind, Playlist.cover_key)
    numbers = (Playlist.track_count, Playlist.duration_ms, Playlist.like_count, Playlist.version)
    columns = (*plain, *numbers, Playlist.created_at, Playlist.updated_at)
    return [*(column.label(f"{prefix}{column.key}") for column in columns), *person_card(_OWNER, f"{prefix}owner__")]


_OWNED = and_(_OWNER.id == Playlist.owner_id, not_blocked(_OWNER.id))


def _open_to_all(viewer: ColumnElement[Any] = VIEWER) -> ColumnElement[bool]:
    """It is public, and its owner's profile is open to the viewer."""
    owner = aliased(User)
    shown = _one().where(owner.id == Playlist.owner_id, visible(owner, viewer))
    return and_(_PUBLIC, or_(Playlist.owner_id.is_(None), _looked_up(shown)))


def seen(viewer: ColumnElement[Any] = VIEWER) -> ColumnElement[bool]:
    """The viewer may see the playlist: it is public, or they belong to it or are invited."""
    me = aliased(PlaylistMember)
    mine = _one().where(me.playlist_id == Playlist.id, me.user_id == viewer)
    return or_(_looked_up(mine), _open_to_all(viewer))


def _one() -> Select[int]:
    return select(literal_column("1", Integer)).correlate(Playlist)


def _looked_up(found: Select[int]) -> ColumnElement[bool]:
    """OFFSET 0 has each looked up by its id; without it PostgreSQL may hash all people for a page of playlists."""
    return exists(found.offset(literal_column("0")))


STATE = Query(select(*_STATE).where(_THIS), into=PlaylistState)
PLAYLIST = Query(
    select(
        *_card(),
        Playlist.owner_id,
        Playlist.rules,
        case((_ME.state == _ACCEPTED, _ME.role)).label("role"),
        case((_ME.state != _ACCEPTED, _ME.role)).label("invited_as"),
        liked_by_viewer(Playlist.id).label("liked"),
    )
    .select_from(Playlist)
    .outerjoin(_OWNER, _OWNED)
    .outerjoin(_ME, and_(_ME.playlist_id == Playlist.id, _ME.user_id == VIEWER))
    .where(_THIS, or_(_ME.id.is_not(None), _open_to_all())),
    into=PlaylistDetail,
)

_WORDS = func.to_tsvector(literal_column("'simple'"), Playlist.name_key)
_WANTED = func.to_tsquery(literal_column("'simple'"), bindparam("words", type_=Text))
_PREFIX = bindparam("prefix", type_=Text)
_FILTERS: dict[str, ColumnElement[bool]] = {
    "words": _WORDS.op("@@", is_comparison=True)(_WANTED),
    "prefix": and_(
        Playlist.name_key >= _PREFIX, Playlist.name_key < func.concat(_PREFIX, literal_column("U&'\\+10FFFF'"))
    ),
}
_ORDERS: dict[PlaylistSort, list[Any]] = {"new": [Playlist.id], "popular": [Playlist.like_count, Playlist.id]}
_ITEMS = select(*_card()).select_from(Playlist).outerjoin(_OWNER, _OWNED)


@cache
def playlists_page(sort: PlaylistSort, filters: frozenset[str]) -> PageQuery[PlaylistItem]:
    """Public playlists in an order, held to the named filters: a statement for each choice, each with its plan."""
    where = [_FILTERS[name] for name in sorted(filters)]
    return PageQuery(_ITEMS.where(_open_to_all(), *where), into=PlaylistItem, order=_ORDERS[sort])


_MY_PLAYLISTS = (
    select(*_card(), PlaylistMember.role.label("role"))
    .select_from(PlaylistMember)
    .join(Playlist, Playlist.id == PlaylistMember.playlist_id)
    .outerjoin(_OWNER, _OWNED)
    .where(PlaylistMember.user_id == VIEWER, PlaylistMember.state == _ACCEPTED)
)
MINE = PageQuery(_MY_PLAYLISTS, into=MyPlaylist, order=[PlaylistMember.id])
OWN = Query(
    _MY_PLAYLISTS.order_by(PlaylistMember.id.desc()).limit(literal_column(str(MOST_OF_ONE))),
    into=MyPlaylist,
)
OF_PERSON = PageQuery(
    _ITEMS.where(Playlist.owner_id == bindparam("person_id", type_=Uuid), _open_to_all()),
    into=PlaylistItem,
    order=[Playlist.id],
)
LIKED = PageQuery(
    select(*_card(), Like.created_at.label("liked_at"))
    .select_from(Like)
    .join(Playlist, Playlist.id == Like.playlist_id)
    .outerjoin(_OWNER, _OWNED)
    .where(Like.user_id == VIEWER, Like.playlist_id.is_not(None), seen()),
    into=LikedPlaylist,
    order=[Like.id],
)
LIKERS = PageQuery(
    select(*person_card())
    .join_from(Like, User)
    .where(Like.playlist_id == _PLAYLIST_ID, User.deleted_at.is_(None), library_visible()),
    into=PersonCard,
    order=[Like.id],
)

_MEMBER = (
    select(*person_card(User, "user__"), PlaylistMember.role, PlaylistMember.state, PlaylistMember.joined_at)
    .join_from(PlaylistMember, User, User.id == PlaylistMember.user_id)
    .where(PlaylistMember.playlist_id == _PLAYLIST_ID)
)
_TOGETHER = aliased(PlaylistMember)
_AMONG_MEMBERS = exists().where(
    _TOGETHER.playlist_id == _PLAYLIST_ID, _TOGETHER.user_id == VIEWER, _TOGETHER.state == _ACCEPTED
)
MEMBERS = PageQuery(
    _MEMBER.where(
        not_blocked(User.id),
        exists().where(_THIS, seen()),
        or_(PlaylistMember.state == _ACCEPTED, User.id == VIEWER, _AMONG_MEMBERS),
    ),
    into=MemberItem,
    order=[PlaylistMember.id],
    ascending=True,
)
EVERY_MEMBER = Query(
    _MEMBER.where(not_blocked(User.id), PlaylistMember.state == _ACCEPTED).order_by(PlaylistMember.id),
    into=MemberItem,
)
MEMBER = Query(_MEMBER.where(User.id == bindparam("user_id", type_=Uuid)), into=MemberItem)
INVITES = PageQuery(
    select(*_card("playlist__"), PlaylistMember.role, *person_card(_BY, "invited_by__"), PlaylistMember.created_at)
    .select_from(PlaylistMember)
    .join(Playlist, Playlist.id == PlaylistMember.playlist_id)
    .outerjoin(_OWNER, _OWNED)
    .outerjoin(_BY, and_(_BY.id == PlaylistMember.invited_by_id, not_blocked(_BY.id)))
    .where(PlaylistMember.user_id == VIEWER, PlaylistMember.state == literal_column("'invited'")),
    into=PlaylistInvite,
    order=[PlaylistMember.id],
)
ACTIVITIES = PageQuery(
    select(
        PlaylistActivity.id,
        *person_card(_BY, "actor__"),
        PlaylistActivity.action,
        *person_card(_WHO, "person__"),
        case(
            (PlaylistActivity.person_id.is_not(None), _WHO.username),
            (or_(PlaylistActivity.track_id.is_(None), Track.id.is_not(None)), PlaylistActivity.title),
        ).label("title"),
        Track.id.label("track_id"),
        PlaylistActivity.count,
        PlaylistActivity.created_at,
    )
    .outerjoin_from(PlaylistActivity, _BY, and_(_BY.id == PlaylistActivity.actor_id, not_blocked(_BY.id)))
    .outerjoin(_WHO, and_(_WHO.id == PlaylistActivity.person_id, not_blocked(_WHO.id)))
    .outerjoin(Track, and_(Track.id == PlaylistActivity.track_id, heard_by()))
    .where(PlaylistActivity.playlist_id == _PLAYLIST_ID),
    into=ActivityItem,
    order=[PlaylistActivity.id],
)
