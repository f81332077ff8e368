"""Conditions on people that every module's reads start from, and the reads of this module."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, and_, bindparam, exists, or_
from sqlalchemy.orm import aliased

from app.users.models import Block, Follow, Mute, User

__all__ = ["VIEWER", "not_blocked", "not_muted", "visible"]

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


def visible(person: Any = User, viewer: ColumnElement[Any] = VIEWER) -> ColumnElement[bool]:
    """What the person publishes may be read by the viewer: their profile setting allows it and nobody blocks.

    `person` is User or an alias of it that the statement joins as the author.
    """
    follow = aliased(Follow)
    follows = exists().where(follow.follower_id == viewer, follow.followed_id == person.id)
    return and_(
        or_(
            person.profile_visibility == "everyone",
            person.id == viewer,
            and_(person.profile_visibility == "followers", follows),
        ),
        not_blocked(person.id, viewer),
    )
