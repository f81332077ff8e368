"""Leaving for good."""

from datetime import timedelta

from sqlalchemy import func, select

from app.auth.errors import LoginTooOld
from app.auth.handlers import end_account
from app.auth.models import Session
from app.auth.passwords import confirm_password
from app.auth.queries import PASSWORD
from app.core.auth import Principal
from app.core.infra import Infra
from app.users.admins import LastAdmin, lock_person
from app.users.events import AccountDeleted
from app.users.models import User
from app.users.service import delete_account

__all__ = ["leave"]

RECENT = timedelta(minutes=10)


async def leave(infra: Infra, actor: Principal, *, password: str, keep_content: bool) -> None:
    """Deletes the actor's account. Raises WrongPassword, TooManyRequests, LastAdmin; LoginTooOld if there is no
    password.
    """
    await _confirm(infra, actor, password)
    event = AccountDeleted(user_id=actor.user_id, keep_content=keep_content)
    async with infra.db.write() as db:
        _, is_last_admin = await lock_person(db, User.id == actor.user_id)
        if is_last_admin:
            raise LastAdmin
        # before the rest: a login that is under way holds the credential and then wants the person
        await end_account(db, event)
        await delete_account(db, actor.user_id, keep_content=keep_content)


async def _confirm(infra: Infra, actor: Principal, password: str) -> None:
    """Who signs in elsewhere has no password here: their login must be a recent one."""
    account = await PASSWORD.first(infra.db.reader, person=actor.user_id)
    if account is not None and account.password_hash is not None:
        await confirm_password(infra, actor.user_id, password)
        return
    old = select(Session.id).where(Session.id == actor.session_id, Session.created_at < func.now() - RECENT)
    if await infra.db.reader.one(old):
        raise LoginTooOld
