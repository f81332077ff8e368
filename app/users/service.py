"""People: how they come, change and leave."""

import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from app.core.auth import Principal, Role
from app.core.db import Reader, Writer
from app.core.errors import Conflict, NotFound
from app.core.jobs import emit
from app.core.query import Runs
from app.pictures.unused import drop_picture
from app.users.events import AccountDeleted, PersonChanged
from app.users.models import DataExport, User
from app.users.pictures import kept_pictures
from app.users.queries import OWN_PROFILE, PERSON, audience, not_blocked
from app.users.schemas import OwnProfile, PersonDetail, ProfileChanges

__all__ = [
    "ProfileRestricted",
    "UsernameTaken",
    "create_person",
    "delete_account",
    "get_own_profile",
    "get_person",
    "open_person",
    "touch",
    "update_profile",
]

LEFT = "deleted_"
"""Usernames of people who left begin like this, and nobody else's."""
ACTIVE_FOR = timedelta(minutes=5)
_HIDDEN: dict[str, Any] = {"banner_key": None, "bio": "", "location": "", "links": [], "mean_rating": None}
_TOLD = {"username", "display_name", "profile_visibility"}


class UsernameTaken(Conflict):
    code, title = "username_taken", "Somebody has this username"


class ProfileRestricted(NotFound):
    code, title = "profile_restricted", "This person does not show it to you"


async def create_person(db: Writer, *, username: str, display_name: str, role: Role = "user", **fields: Any) -> User:
    """A new person. Raises UsernameTaken; the transaction is still good then."""
    _check_username(username)
    row = {"username": username, "username_key": username.lower(), "display_name": display_name, "role": role} | fields
    add = insert(User).values(row).on_conflict_do_nothing(index_elements=[User.username_key])
    person: User | None = await db.scalar(add.returning(User))
    if person is None:
        raise UsernameTaken(f"Somebody is already called {username}.")
    await emit(db, PersonChanged(user_id=person.id))
    return person


async def get_person(db: Runs, actor: Principal | None, username: str) -> PersonDetail:
    """A profile; only the card and the counts of one that is not open to the actor. Raises NotFound."""
    person = await PERSON.first(db, key=username.lower(), viewer=actor.user_id if actor else None)
    if person is None:
        raise _unknown(username)
    return person.model_copy(update=_HIDDEN) if person.restricted else person


async def open_person(db: Reader, actor: Principal | None, username: str) -> UUID:
    """The id of a person whose profile the actor may read. Raises NotFound, ProfileRestricted."""
    viewer = literal(actor.user_id if actor else None, User.id.type)
    statement = select(User.id, audience(User, viewer)).where(
        User.username_key == username.lower(), User.deleted_at.is_(None), not_blocked(User.id, viewer)
    )
    for person_id, is_open in await db.rows(statement):
        if is_open:
            return person_id  # type: ignore[no-any-return]
        raise ProfileRestricted(f"{username} does not show this to you.")
    raise _unknown(username)


async def get_own_profile(db: Runs, actor: Principal) -> OwnProfile:
    """The actor's profile. Raises NotFound when they have just left."""
    profile = await OWN_PROFILE.first(db, viewer=actor.user_id)
    if profile is None:
        raise NotFound("This account is gone.")
    return profile


async def update_profile(db: Writer, actor: Principal, changes: ProfileChanges) -> OwnProfile:
    """Changes what is given. Raises UsernameTaken."""
    values = changes.model_dump(mode="json", exclude_unset=True)
    if "username" in values:
        _check_username(changes.username)
        values["username_key"] = changes.username.lower()
    if values:
        await _update(db, actor.user_id, values)
    if values.keys() & _TOLD:
        await emit(db, PersonChanged(user_id=actor.user_id))
    return await get_own_profile(db, actor)


async def touch(db: Writer, user_id: UUID) -> None:
    """Notes that a person is active: it writes at most once in some minutes, and never waits for their row."""
    stale = User.active_at < func.now() - ACTIVE_FOR
    idle = select(User.id).where(User.id == user_id, stale).with_for_update(key_share=True, skip_locked=True)
    await db.execute(update(User).where(User.id == idle.scalar_subquery()).values(active_at=func.now()))


async def delete_account(db: Writer, user_id: UUID, *, keep_content: bool) -> None:
    """Takes everything personal from a person, so that their name is free again; jobs do what takes longer.

    Blocks and mutes stay with what the person wrote: whoever did not want to see it still does not.
    """
    username = LEFT + secrets.token_hex(4)
    values: dict[str, Any] = {
        "username": username,
        "username_key": username,
        "display_name": "Deleted account",
        "bio": "",
        "location": "",
        "links": [],
        "avatar_key": None,
        "banner_key": None,
        "role": "user",
        "deleted_at": func.now(),
    }
    for key in await kept_pictures(db, user_id):
        await drop_picture(db, key)
    await _update(db, user_id, values)
    expire = update(DataExport).where(DataExport.user_id == user_id)
    await db.execute(expire.values(status="failed", expires_at=func.now()))
    await emit(db, PersonChanged(user_id=user_id))
    await emit(db, AccountDeleted(user_id=user_id, keep_content=keep_content))


async def _update(db: Writer, user_id: UUID, values: dict[str, Any]) -> None:
    statement = update(User).where(User.id == user_id, User.deleted_at.is_(None)).values(values)
    try:
        found = await db.scalar(statement.returning(User.id))
    except IntegrityError as error:
        raise UsernameTaken(f"Somebody is already called {values.get('username')}.") from error
    if found is None:
        raise NotFound("This account is gone.")


def _check_username(username: str) -> None:
    if username.lower().startswith(LEFT):
        raise UsernameTaken(f"Names that begin with {LEFT} are kept for people who left.")


def _unknown(username: str) -> NotFound:
    return NotFound(f"There is nobody called {username}.")
