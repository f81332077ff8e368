"""What admins do. Each action leaves an entry in the audit log, in its own transaction."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from app.auth.models import AccessKey
from app.auth.sessions import end_all_of
from app.core.auth import Principal, Role
from app.core.config import Settings
from app.core.db import Reader, Writer
from app.core.errors import NotFound
from app.core.jobs import DeadLetter, requeue
from app.core.paging import Page, PageRequest
from app.core.revocations import revoke
from app.moderation.models import AuditEntry
from app.moderation.queries import AUDIT, DEAD_LETTERS, JOB_DEPTHS
from app.moderation.schemas import AuditItem, DeadLetterItem, JobDepth, JobQueue, RoleState
from app.users.admins import LastAdmin, lock_person
from app.users.models import User

__all__ = [
    "change_role",
    "delete_dead_letter",
    "list_audit",
    "list_dead_letters",
    "list_jobs",
    "requeue_dead_letter",
]

# for so long a process may remember the role that an app password or API token had
_REMEMBERED = timedelta(seconds=65)


async def list_dead_letters(db: Reader, page: PageRequest) -> Page[DeadLetterItem]:
    """Jobs that failed too often and wait for an admin, newest first."""
    return await DEAD_LETTERS.page(db, page)


async def requeue_dead_letter(db: Writer, actor: Principal, letter_id: UUID) -> None:
    """Has the job run again, with all of its tries. Raises NotFound, also when it was requeued before."""
    letter = await db.get(DeadLetter, letter_id)
    if letter is None or not await requeue(db, letter_id):
        raise _no_letter()
    _note(db, actor, "dead_letter_requeued", letter.job, letter_id=str(letter_id))


async def delete_dead_letter(db: Writer, actor: Principal, letter_id: UUID) -> None:
    """Gives the job up. Raises NotFound."""
    job = await db.scalar(delete(DeadLetter).where(DeadLetter.id == letter_id).returning(DeadLetter.job))
    if job is None:
        raise _no_letter()
    _note(db, actor, "dead_letter_deleted", job, letter_id=str(letter_id))


async def list_jobs(db: Reader) -> JobQueue:
    """How many jobs wait, run and are dead, of each kind."""
    jobs = [JobDepth(**dict(row)) for row in await db.records(JOB_DEPTHS, [])]
    totals = {name: sum(getattr(job, name) for job in jobs) for name in ("due", "delayed", "running", "dead")}
    return JobQueue(**totals, jobs=jobs)


async def change_role(settings: Settings, db: Writer, actor: Principal, username: str, role: Role) -> RoleState:
    """Gives a person another role and signs them out everywhere. Raises NotFound, LastAdmin."""
    person, is_last_admin = await lock_person(db, User.username_key == username.lower())
    if person is None:
        raise NotFound(f"There is nobody called {username}.")
    if is_last_admin and role != "admin":
        raise LastAdmin
    before = person.role
    if before != role:
        person.role = role
        await _sign_out(settings, db, person)
        _note(db, actor, "role_changed", person.username, user_id=str(person.id), **{"from": before, "to": role})
    return RoleState(username=person.username, role=role)


async def list_audit(db: Reader, page: PageRequest) -> Page[AuditItem]:
    """What admins did, newest first."""
    return await AUDIT.page(db, page)


async def _sign_out(settings: Settings, db: Writer, person: User) -> None:
    """Access tokens carry the role, so they end. Keys do not: they rest until no process remembers the old role."""
    await end_all_of(settings, db, person.id)
    keys = await db.all(select(AccessKey.id).where(AccessKey.user_id == person.id, AccessKey.revoked_at.is_(None)))
    await revoke(db, keys, until=datetime.now(UTC) + _REMEMBERED)


def _note(db: Writer, actor: Principal, action: str, subject: str, **detail: Any) -> None:
    db.add(AuditEntry(actor_id=actor.user_id, action=action, subject=subject, detail=detail))


def _no_letter() -> NotFound:
    return NotFound("There is no such dead letter, or it was requeued.")
