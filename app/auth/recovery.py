"""Links in mails: forgotten passwords and the proof of an address. What is answered tells nothing about who exists."""

from sqlalchemy import ColumnElement, func, select, update

from app.auth.errors import EmailInUse, LinkGone
from app.auth.mails import LinkMail, NoticeMail, Purpose, mail_links, mail_notice
from app.auth.models import Credential, OneTimeToken
from app.auth.passwords import check_new_password
from app.auth.queries import PASSWORD
from app.auth.service import set_password
from app.auth.sessions import end_all_of
from app.core.db import Writer
from app.core.infra import Infra
from app.core.tokens import digest

__all__ = ["ask_for_links", "reset_password", "verify_email"]


async def ask_for_links(infra: Infra, db: Writer, *, purpose: Purpose, email: str) -> None:
    """Sends links for the accounts with the address, if there are any."""
    await mail_links(infra, db, LinkMail(purpose=purpose, email=email, user_id=None))


async def verify_email(db: Writer, token: str) -> None:
    """Makes the address the account's own. Raises LinkGone, EmailInUse."""
    link, account = await _use(db, token, "verify_email")
    if link.email.lower() not in (account.email_key, account.wanted_key):
        raise LinkGone("You asked for another address since, or changed the password. Ask for a new link.")
    if await _is_taken(db, link):
        raise EmailInUse("Sign in to the other account, or use another address.")
    if account.email_verified_at and account.email_key != link.email.lower():
        former = await PASSWORD.first(db, person=link.user_id)
        if former and former.email:
            await mail_notice(db, NoticeMail(kind="email_changed", email=former.email, username=former.username))
    account.email, account.email_key = link.email, link.email.lower()
    account.email_verified_at = func.now()
    account.wanted_key = None


async def reset_password(infra: Infra, *, token: str, password: str) -> None:
    """Sets a new password and ends every session. Raises LinkGone, CommonPassword."""
    link = await infra.db.reader.one(select(OneTimeToken).where(*_good(token, "reset_password")))
    account = await PASSWORD.first(infra.db.reader, person=link.user_id) if link else None
    if link is None or account is None or (account.email or "").lower() != link.email.lower():
        raise LinkGone
    check_new_password(password, username=account.username, email=account.email)
    hashed = await infra.passwords.hash(password)
    async with infra.db.write() as db:
        _, now = await _use(db, token, "reset_password")
        if now.email_key != link.email.lower():
            raise LinkGone
        await set_password(db, link.user_id, hashed)
        await end_all_of(infra.settings, db, link.user_id)
        if not await _is_taken(db, link):
            verify = update(Credential).filter_by(user_id=link.user_id, email_verified_at=None)
            await db.execute(verify.values(email_verified_at=func.now()))
        await mail_notice(db, NoticeMail(kind="password_changed", email=link.email, username=account.username))


def _good(token: str, purpose: Purpose) -> list[ColumnElement[bool]]:
    return [
        OneTimeToken.digest == digest(token),
        OneTimeToken.purpose == purpose,
        OneTimeToken.used_at.is_(None),
        OneTimeToken.expires_at > func.now(),
    ]


async def _use(db: Writer, token: str, purpose: Purpose) -> tuple[OneTimeToken, Credential]:
    """Uses the link up. The account is locked before its links, as everywhere: two of its links wait for each other."""
    named = select(OneTimeToken.user_id).where(*_good(token, purpose)).scalar_subquery()
    account = await db.one(select(Credential).where(Credential.user_id == named).with_for_update())
    statement = update(OneTimeToken).where(*_good(token, purpose)).values(used_at=func.now())
    link: OneTimeToken | None = await db.scalar(statement.returning(OneTimeToken))
    if link is None or account is None:
        raise LinkGone("This link has expired or was used. Ask for a new one; a used one has done its work.")
    return link, account


async def _is_taken(db: Writer, link: OneTimeToken) -> bool:
    """Whether another account has proven the address."""
    other = select(Credential.user_id).where(
        Credential.email_key == link.email.lower(),
        Credential.email_verified_at.is_not(None),
        Credential.user_id != link.user_id,
    )
    return await db.one(other) is not None
