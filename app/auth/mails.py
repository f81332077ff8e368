"""Mails of accounts, sent by durable jobs. No token lies in a job: links are derived from the mail's id."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from pydantic import BaseModel, Field
from sqlalchemy.dialects.postgresql import insert

from app.auth.letters import Letter, Link, already_yours, compose, email_changed, password_changed, reset, verification
from app.auth.models import OneTimeToken
from app.auth.queries import ACCOUNTS_AT, AccountAt
from app.auth.sessions import derived_key
from app.core.config import Settings
from app.core.db import Writer
from app.core.ids import uuid7
from app.core.infra import Infra
from app.core.jobs import enqueue, job
from app.core.limits import Limit
from app.core.tokens import digest
from app.integrations.mail import MailRefused, mailer

__all__ = ["LinkMail", "NoticeMail", "mail_links", "mail_notice", "send_links", "send_notice"]

Purpose = Literal["verify_email", "reset_password"]
LIVES: dict[Purpose, timedelta] = {"verify_email": timedelta(hours=24), "reset_password": timedelta(minutes=30)}
PATHS: dict[Purpose, str] = {"verify_email": "verify-email", "reset_password": "reset-password"}
TO_ONE_ADDRESS = Limit("mails", 5, 3600)
# with the pauses between them a mail server may refuse for hours
TRIES = 15
LONGEST_SECONDS = 900.0
"""A mail server may take ten minutes for its answer."""
AT_ONCE = 4
log = structlog.get_logger()


class LinkMail(BaseModel):
    """Links for one account and an address it wants, or without `user_id` for all accounts that have the address."""

    id: UUID = Field(default_factory=uuid7)
    purpose: Purpose
    email: str
    user_id: UUID | None


class NoticeMail(BaseModel):
    """Tells the owner of an account that something was changed."""

    id: UUID = Field(default_factory=uuid7)
    kind: Literal["password_changed", "email_changed"]
    email: str
    username: str


async def mail_links(infra: Infra, db: Writer, mail: LinkMail) -> None:
    """Sends the links once the transaction has committed. Costs the same whether anybody has the address.

    Nobody's mailbox can be flooded: more are not sent, which is not told.
    """
    # each has its own allowance: whoever uses one up for somebody has not taken the way back in from them
    about = "account" if mail.user_id else mail.purpose
    address = hashlib.sha256(mail.email.lower().encode()).hexdigest()[:32]
    if (await infra.limiter.take(TO_ONE_ADDRESS, f"{about}:{address}")).allowed:
        await enqueue(db, send_links, mail)


async def mail_notice(db: Writer, mail: NoticeMail) -> None:
    """Sends the notice once the transaction has committed."""
    await enqueue(db, send_notice, mail)


@job(tries=TRIES, seconds=LONGEST_SECONDS, at_most=AT_ONCE)
async def send_links(infra: Any, mail: LinkMail) -> None:
    """Looks up who has the address and sends one mail with a link for each account."""
    accounts = await ACCOUNTS_AT.all(infra.db.reader, key=mail.email.lower(), person=mail.user_id)
    owner = next((it for it in accounts if it.verified and it.email_key == mail.email.lower()), None)
    wanting = _wanting(mail, accounts)
    if not wanting:
        return
    if mail.purpose == "verify_email" and owner and owner.id != mail.user_id:
        letter = already_yours(owner.username, [it.username for it in wanting], infra.settings.app_url)
    else:
        letter = await _letter_with_links(infra, mail, wanting)
    # to an address that we keep, except where it is only being tried: what was typed may be spelt to resemble it
    await _send(infra, mail.id, mail.email if mail.user_id else wanting[0].email or mail.email, letter)


def _wanting(mail: LinkMail, accounts: list[AccountAt]) -> list[AccountAt]:
    if mail.user_id:
        # what is not wanted any more is not sent: its link would prove nothing
        return [it for it in accounts if it.id == mail.user_id and mail.email.lower() in (it.email_key, it.wanted_key)]
    return [it for it in accounts if mail.purpose == "reset_password" or not it.verified]


async def _letter_with_links(infra: Infra, mail: LinkMail, accounts: list[AccountAt]) -> Letter:
    tokens = {account.id: _token(infra.settings, mail, account.id) for account in accounts}
    expires_at = datetime.now(UTC) + LIVES[mail.purpose]
    rows = [
        {"user_id": user_id, "purpose": mail.purpose, "digest": digest(token), "email": mail.email}
        for user_id, token in tokens.items()
    ]
    async with infra.db.write() as db:
        add = insert(OneTimeToken).values([row | {"expires_at": expires_at} for row in rows])
        # sent late or again, the link still lives its whole life
        await db.execute(add.on_conflict_do_update(index_elements=["digest"], set_={"expires_at": expires_at}))
    path = f"{infra.settings.app_url}/{PATHS[mail.purpose]}?token="
    links = [Link(account.username, path + tokens[account.id]) for account in accounts]
    return verification(links) if mail.purpose == "verify_email" else reset(links)


def _token(settings: Settings, mail: LinkMail, user_id: UUID) -> str:
    message = mail.purpose.encode() + mail.id.bytes + user_id.bytes
    mac = hmac.digest(derived_key(settings, "one-time tokens"), message, hashlib.sha256)
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")


@job(tries=TRIES, seconds=LONGEST_SECONDS, at_most=AT_ONCE)
async def send_notice(infra: Any, mail: NoticeMail) -> None:
    """Sends a notice."""
    write = password_changed if mail.kind == "password_changed" else email_changed
    await _send(infra, mail.id, mail.email, write(mail.username, infra.settings.app_url))


async def _send(infra: Infra, mail_id: UUID, to: str, letter: Letter) -> None:
    host = urlsplit(infra.settings.base_url).hostname or "localhost"
    try:
        await infra.part(mailer).send(compose(letter, to=to, message_id=f"<{mail_id}@{host}>"))
    except MailRefused as error:
        log.warning("mail_refused", mail=str(mail_id), reason=str(error))
