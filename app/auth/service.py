"""Accounts: coming, signing in, and changing what proves who you are."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import func, select, update

from app.auth.callers import Caller
from app.auth.errors import BadCredentials, WrongPassword
from app.auth.mails import LinkMail, NoticeMail, mail_links, mail_notice
from app.auth.models import Credential, OneTimeToken
from app.auth.passwords import FROM_ONE_ADDRESS, check_new_password, confirm_password, limit_guesses, matches
from app.auth.queries import LOGIN_BY_EMAIL, LOGIN_BY_USERNAME, ME, KnownLogin
from app.auth.schemas import Me, RegisterRequest, Tokens
from app.auth.sessions import end_all_of, open_session
from app.core.auth import Principal, Role
from app.core.db import Writer
from app.core.errors import Invalid, Unauthorized
from app.core.infra import Infra
from app.core.limits import Limit
from app.core.query import Runs
from app.core.tokens import PasswordHasher
from app.users.admins import role_of_next
from app.users.service import create_person

__all__ = ["change_email", "change_password", "create_admin", "find_me", "login", "register", "register_by_name"]

Opens = Callable[[Infra, Writer, UUID, Role, Caller], Awaitable[Tokens]]


async def register(
    infra: Infra, db: Writer, *, username: str, email: str, password: str, display_name: str | None
) -> Me:
    """A new account, and a mail to prove its address. Raises UsernameTaken, CommonPassword."""
    check_new_password(password, username=username, email=email)
    hashed = await infra.passwords.hash(password)
    person = await create_person(
        db, username=username, display_name=display_name or username, role=await role_of_next(db)
    )
    db.add(_credential(person.id, email, hashed))
    await mail_links(infra, db, LinkMail(purpose="verify_email", email=email, user_id=person.id))
    return await find_me(db, person.id)


async def register_by_name(
    db: Writer, hasher: PasswordHasher, *, username: str, password: str, display_name: str
) -> UUID:
    """An account without a mail address, for clients that know none; never an admin. Raises UsernameTaken."""
    hashed = await hasher.hash(password)
    person = await create_person(db, username=username, display_name=display_name)
    db.add(Credential(user_id=person.id, password_hash=hashed))
    return person.id


async def create_admin(infra: Infra, *, username: str, email: str, password: str) -> UUID:
    """An admin whose address counts as proven. Raises UsernameTaken, CommonPassword, Invalid."""
    try:
        wanted = RegisterRequest(username=username, email=email, password=password, display_name=None)
    except ValidationError as error:
        raise Invalid("; ".join(f"{fault['loc'][0]}: {fault['msg']}" for fault in error.errors())) from error
    check_new_password(password, username=username, email=wanted.email)
    hashed = await infra.passwords.hash(password)
    async with infra.db.write() as db:
        person = await create_person(db, username=username, display_name=username, role="admin")
        db.add(_credential(person.id, wanted.email, hashed, email_verified_at=func.now()))
    return person.id


def _credential(user_id: UUID, email: str, hashed: str, **fields: Any) -> Credential:
    return Credential(user_id=user_id, email=email, email_key=email.lower(), password_hash=hashed, **fields)


async def find_me(db: Runs, user_id: UUID) -> Me:
    """The account. Raises Unauthorized when it is gone."""
    me = await ME.first(db, person=user_id)
    if me is None:
        raise Unauthorized("This account is gone.")
    return me


async def login(
    infra: Infra,
    caller: Caller,
    *,
    name: str,
    password: str,
    opens: Opens = open_session,
    guesses: Limit = FROM_ONE_ADDRESS,
) -> Tokens:
    """A session for the right password. Raises BadCredentials, TooManyRequests; neither tells who exists."""
    # PostgreSQL knows no NUL
    key = name.strip().lower().replace("\0", "")
    find = LOGIN_BY_EMAIL if "@" in key else LOGIN_BY_USERNAME
    found = await find.first(infra.db.reader, key=key, address=caller.address)
    known = found is not None and found.known_address
    await limit_guesses(infra, key, caller.address, known_address=known, from_one=guesses)
    if not await matches(infra, password, found.password_hash if found else None) or found is None:
        raise BadCredentials("The name, the mail address (if it was verified) or the password is wrong.")
    renewed = await _renewed_hash(infra, found, password)
    async with infra.db.write() as db:
        await _still(db, found, for_update=renewed is not None)
        if renewed:
            await db.execute(update(Credential).filter_by(user_id=found.id).values(password_hash=renewed))
        return await opens(infra, db, found.id, found.role, caller)


async def _renewed_hash(infra: Infra, found: KnownLogin, password: str) -> str | None:
    outdated = found.password_hash is not None and infra.passwords.outdated(found.password_hash)
    return await infra.passwords.hash(password) if outdated else None


async def _still(db: Writer, found: KnownLogin, *, for_update: bool) -> None:
    """The password was not changed meanwhile; a change that comes now waits, and then sees the new session."""
    held = select(Credential.password_hash).filter_by(user_id=found.id).with_for_update(read=not for_update)
    if await db.one(held) != found.password_hash:
        raise BadCredentials("The password has just been changed.")


async def change_password(infra: Infra, actor: Principal, *, current: str, new: str) -> None:
    """Sets a new password and ends the other sessions. Raises WrongPassword, CommonPassword, TooManyRequests."""
    account = await confirm_password(infra, actor.user_id, current)
    check_new_password(new, username=account.username, email=account.email, field="new_password")
    hashed = await infra.passwords.hash(new)
    async with infra.db.write() as db:
        await set_password(db, actor.user_id, hashed)
        await end_all_of(infra.settings, db, actor.user_id, spared=actor.session_id)
        if account.email:
            await mail_notice(db, NoticeMail(kind="password_changed", email=account.email, username=account.username))


async def set_password(db: Writer, user_id: UUID, hashed: str) -> None:
    """Replaces the hash. What whoever knew the former password asked for is void: another address, other links."""
    values = {"password_hash": hashed, "password_changed_at": func.now(), "wanted_key": None}
    await db.execute(update(Credential).filter_by(user_id=user_id).values(values))
    resets = update(OneTimeToken).filter_by(user_id=user_id, purpose="reset_password", used_at=None)
    await db.execute(resets.values(used_at=func.now()))


async def change_email(infra: Infra, actor: Principal, *, email: str, password: str) -> None:
    """Sends a link to the new address, which counts once it is used. Raises WrongPassword, TooManyRequests."""
    account = await confirm_password(infra, actor.user_id, password)
    # a password that is changed meanwhile takes the wish back, or finds none
    want = update(Credential).filter_by(user_id=actor.user_id, password_hash=account.password_hash)
    async with infra.db.write() as db:
        if await db.scalar(want.values(wanted_key=email.lower()).returning(Credential.user_id)) is None:
            raise WrongPassword("The password has just been changed.")
        await mail_links(infra, db, LinkMail(purpose="verify_email", email=email, user_id=actor.user_id))
