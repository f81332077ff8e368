"""Conditions on people that every module's reads start from, and the reads of this module."""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Float,
    Integer,
    Label,
    Numeric,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.orm import aliased

from app.core.query import PageQuery, Query
from app.users.models import Block, DataExport, Follow, Mute, User
from app.users.schemas import BlockedPerson, DataExportStatus, MutedPerson, OwnProfile, PersonDetail, PersonItem

__all__ = ["VIEWER", "audience", "follows", "library_visible", "not_blocked", "not_muted", "visible"]

VIEWER: ColumnElement[Any] = bindparam("viewer", type_=Uuid)
"""The person who reads, as the parameter `viewer` of a Query; None for somebody without a token."""


def not_blocked(person_id: ColumnElement[UUID] | Any, viewer: ColumnElement[Any] = VIEWER) -> ColumnElement[bool]:
    """Neither of the two has blocked the other."""
    mine, theirs = aliased(Block), aliased(Block)
    return and_(
        ~exists().where(mine.blocker_id == viewer, mine.blocked_id == person_id),
        ~exists().where(theirs.blocker_id == person_id, theirs.blocked_id == viewer),
    )


def not_muted(person_id: ColumnElement[UUID] | Any, viewer: ColumnElement[Any] = VIEWER) -> ColumnElement[bool]:
    """The viewer has not muted the person."""
    mute = aliased(Mute)
    return ~exists().where(mute.muter_id == viewer, mute.muted_id == person_id)


def audience(person: Any = User, viewer: ColumnElement[Any] = VIEWER) -> ColumnElement[bool]:
    """The person's profile setting lets the viewer in. NULL means no, and nothing is said of blocks."""
    return or_(
        person.profile_visibility == "everyone",
        person.id == viewer,
        and_(person.profile_visibility == "followers", follows(viewer, person.id)),
    )


def visible(person: Any = User, viewer: ColumnElement[Any] = VIEWER) -> ColumnElement[bool]:
    """What the person publishes may be read by the viewer: their profile setting allows it and nobody blocks.

    `person` is User or an alias of it that the statement joins as the author.
    """
    return and_(audience(person, viewer), not_blocked(person.id, viewer))


def library_visible(person: Any = User, viewer: ColumnElement[Any] = VIEWER) -> ColumnElement[bool]:
    """What the person hears and likes may be read by the viewer: their profile and their library are open to them."""
    allowed = or_(
        person.library_visibility == "everyone",
        person.id == viewer,
        and_(person.library_visibility == "followers", follows(viewer, person.id)),
    )
    return and_(allowed, visible(person, viewer))


def follows(follower_id: Any, followed_id: Any) -> ColumnElement[bool]:
    """The first follows the second."""
    follow = aliased(Follow)
    found = select(literal_column("1", Integer)).where(
        follow.follower_id == follower_id, follow.followed_id == followed_id
    )
    # OFFSET 0 has each row looked up in the index; without it PostgreSQL may read all follows of the viewer for a page
    return exists(found.offset(literal_column("0")))


def _relation() -> tuple[Label[bool], ...]:
    """How a person in a row stands to the viewer."""
    return (
        follows(VIEWER, User.id).label("is_following"),
        follows(User.id, VIEWER).label("follows_you"),
        (~not_muted(User.id)).label("is_muted"),
    )


_CARD = (User.id, User.username, User.display_name, User.avatar_key)
_MEAN = cast(User.rating_sum, Numeric) / func.nullif(User.review_count, 0)
_PROFILE = (
    *_CARD,
    User.banner_key,
    User.bio,
    User.location,
    User.links,
    User.role,
    User.follower_count,
    User.following_count,
    User.review_count,
    cast(func.round(_MEAN, 2), Float).label("mean_rating"),
    User.created_at,
)
_NAMED = and_(User.username_key == bindparam("key"), User.deleted_at.is_(None), not_blocked(User.id))

PERSON = Query(
    select(*_PROFILE, (~func.coalesce(audience(), false())).label("restricted"), *_relation()).where(_NAMED),
    into=PersonDetail,
)
OWN_PROFILE = Query(
    select(*_PROFILE, User.profile_visibility, User.library_visibility, User.record_room_listens).where(
        User.id == VIEWER, User.deleted_at.is_(None)
    ),
    into=OwnProfile,
)


def _people(joined: Any, *where: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """People who follow or are followed, without those who left or are blocked."""
    items = select(*_CARD, *_relation()).select_from(Follow).join(User, User.id == joined)
    return items.where(User.deleted_at.is_(None), not_blocked(User.id), *where)


_PERSON_ID = bindparam("person_id", type_=Uuid)
FOLLOWERS = PageQuery(_people(Follow.follower_id, Follow.followed_id == _PERSON_ID), into=PersonItem, order=[Follow.id])
FOLLOWING = PageQuery(_people(Follow.followed_id, Follow.follower_id == _PERSON_ID), into=PersonItem, order=[Follow.id])

BLOCKS = PageQuery(
    select(*_CARD, Block.created_at.label("blocked_at"))
    .join_from(Block, User, User.id == Block.blocked_id)
    .where(Block.blocker_id == VIEWER, User.deleted_at.is_(None)),
    into=BlockedPerson,
    order=[Block.created_at, Block.blocked_id],
)
MUTES = PageQuery(
    select(*_CARD, Mute.created_at.label("muted_at"))
    .join_from(Mute, User, User.id == Mute.muted_id)
    .where(Mute.muter_id == VIEWER, User.deleted_at.is_(None), not_blocked(User.id)),
    into=MutedPerson,
    order=[Mute.created_at, Mute.muted_id],
)

_FILE = func.concat("/api/v1/users/me/exports/", cast(DataExport.id, Text), "/file")
_EXPORTS = select(
    DataExport.id,
    DataExport.status,
    DataExport.created_at,
    DataExport.expires_at,
    case((DataExport.status == "ready", _FILE)).label("download_url"),
).where(DataExport.user_id == VIEWER, func.coalesce(DataExport.expires_at, func.now()) >= func.now())

EXPORT = Query(_EXPORTS.where(DataExport.id == bindparam("export_id", type_=Uuid)), into=DataExportStatus)
EXPORTS = PageQuery(_EXPORTS, into=DataExportStatus, order=[DataExport.id])
