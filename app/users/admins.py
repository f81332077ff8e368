"""Somebody becomes an admin, and somebody stays one, whoever leaves or gets another role."""

from sqlalchemy import ColumnElement, func, or_, select

from app.core.auth import Role
from app.core.db import Writer
from app.core.errors import Conflict
from app.users.models import User

__all__ = ["LastAdmin", "lock_person", "role_of_next"]

_FIRST_ACCOUNT_LOCK = 7_301_944


class LastAdmin(Conflict):
    code, title = "last_admin", "Somebody has to stay an admin"

    def __init__(self) -> None:
        super().__init__("Make somebody else an admin first, here or by `python -m app create-admin`.")


async def lock_person(db: Writer, wanted: ColumnElement[bool]) -> tuple[User | None, bool]:
    """The person, and whether they are the only admin.

    All admins are locked with them: those who leave or demote each other at once take turns, and the last one sees it.
    """
    found = select(User, wanted).where(or_(wanted, User.role == "admin"), User.deleted_at.is_(None))
    rows = await db.rows(found.order_by(User.id).with_for_update(key_share=True))
    person = next((person for person, is_wanted in rows if is_wanted), None)
    return person, person is not None and person.role == "admin" and len(rows) == 1


async def role_of_next(db: Writer) -> Role:
    """The first account is an admin, wherever it comes from; of those who come first at the same time, one."""
    anybody = select(User.id).limit(1)
    if await db.one(anybody):
        return "user"
    await db.execute(select(func.pg_advisory_xact_lock(_FIRST_ACCOUNT_LOCK)))
    return "user" if await db.one(anybody) else "admin"
