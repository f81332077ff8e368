"""Accounts elsewhere: who they are here. Only (issuer, subject) says so, never a mail address."""

import re
import secrets
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from app.auth.errors import AccountExists, AlreadyLinked, LastWayIn
from app.auth.mails import LinkMail, mail_links
from app.auth.models import Credential, LinkedAccount
from app.auth.queries import LINKED
from app.auth.schemas import LinkedAccountItem
from app.core.auth import Principal, Role
from app.core.db import Reader, Writer
from app.core.errors import NotFound
from app.core.ids import uuid7
from app.core.infra import Infra
from app.core.paging import Page, PageRequest
from app.users.admins import role_of_next
from app.users.models import User
from app.users.service import UsernameTaken, create_person

__all__ = ["Identity", "Known", "find_or_create", "link", "list_linked", "unlink"]

_MOST_NAMES = 20


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is elsewhere, as the issuer vouches for it."""

    provider: str
    issuer: str
    subject: str
    name: str
    email: str | None
    email_verified: bool


@dataclass(frozen=True, slots=True)
class Known:
    """Who that is here. `gone`: the account was deleted."""

    user_id: UUID
    linked_id: UUID
    role: Role
    gone: bool


async def find_or_create(infra: Infra, db: Writer, identity: Identity) -> Known:
    """The account, made on first sight. Raises AccountExists when a verified address belongs to another account."""
    await _alone(db, identity)
    known = await find(db, identity)
    return known or await _create(infra, db, identity)


async def find(db: Reader | Writer, identity: Identity) -> Known | None:
    """The account that is linked, if any."""
    statement = (
        select(User.id, LinkedAccount.id, User.role, User.deleted_at.is_not(None))
        .join(LinkedAccount, LinkedAccount.user_id == User.id)
        .where(LinkedAccount.issuer == identity.issuer, LinkedAccount.subject == identity.subject)
    )
    rows = await db.rows(statement)
    return Known(*rows[0]) if rows else None


async def _alone(db: Writer, identity: Identity) -> None:
    """Of many who see an identity for the first time at once, one makes its account."""
    key = func.hashtextextended(f"{identity.issuer} {identity.subject}", 0)
    await db.execute(select(func.pg_advisory_xact_lock(key)))


async def _create(infra: Infra, db: Writer, identity: Identity) -> Known:
    key = (identity.email or "").lower()
    owner = select(Credential.user_id).where(Credential.email_key == key, Credential.email_verified_at.is_not(None))
    if identity.email_verified and await db.one(owner) is not None:
        raise AccountExists
    role = await role_of_next(db)
    person = await _person(db, identity, role)
    if identity.email:
        proven = func.now() if identity.email_verified else None
        db.add(Credential(user_id=person.id, email=identity.email, email_key=key, email_verified_at=proven))
        if not identity.email_verified:
            await mail_links(infra, db, LinkMail(purpose="verify_email", email=identity.email, user_id=person.id))
    linked = _row(identity, person.id)
    db.add(linked)
    await db.flush()
    return Known(person.id, linked.id, role, gone=False)


async def _person(db: Writer, identity: Identity, role: Role) -> User:
    stem = re.sub(r"[^A-Za-z0-9_]+", "_", identity.name).strip("_")[:40]
    stem = stem if len(stem) >= 3 else "listener"
    display_name = re.sub(r"[\x00-\x1f\x7f]", "", identity.name).strip()[:50]
    for attempt in range(_MOST_NAMES):
        # the first try is the name itself, then ever longer numbers
        number = f"_{secrets.randbelow(10 ** min(attempt + 2, 9))}" if attempt else ""
        try:
            return await create_person(db, username=stem + number, display_name=display_name or stem, role=role)
        except UsernameTaken:
            continue
    raise UsernameTaken(f"No username like {stem} is free.")


def _row(identity: Identity, user_id: UUID) -> LinkedAccount:
    return LinkedAccount(
        id=uuid7(),
        user_id=user_id,
        provider=identity.provider,
        issuer=identity.issuer,
        subject=identity.subject,
        email=identity.email,
    )


async def link(db: Writer, actor: Principal, identity: Identity) -> LinkedAccountItem:
    """Lets the actor sign in with that account. Raises AlreadyLinked when it is somebody else's."""
    await _alone(db, identity)
    known = await find(db, identity)
    if known and known.user_id != actor.user_id:
        raise AlreadyLinked
    if not known:
        db.add(_row(identity, actor.user_id))
        await db.flush()
    mine = select(LinkedAccount).filter_by(issuer=identity.issuer, subject=identity.subject)
    return LinkedAccountItem.model_validate((await db.all(mine))[0])


async def list_linked(db: Reader, actor: Principal, page: PageRequest) -> Page[LinkedAccountItem]:
    """The actor's accounts elsewhere."""
    return await LINKED.page(db, page, person=actor.user_id)


async def unlink(db: Writer, actor: Principal, linked_id: UUID) -> None:
    """Forgets an account elsewhere. Raises NotFound, LastWayIn."""
    # the lock is on the person: two links removed at once must not both believe in the other
    await db.one(select(User.id).where(User.id == actor.user_id).with_for_update())
    mine = await db.all(select(LinkedAccount).filter_by(user_id=actor.user_id))
    unwanted = next((it for it in mine if it.id == linked_id), None)
    if unwanted is None:
        raise NotFound
    password = select(Credential.password_hash).filter_by(user_id=actor.user_id)
    if len(mine) == 1 and await db.one(password) is None:
        raise LastWayIn
    await db.delete(unwanted)
