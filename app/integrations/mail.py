"""Mail: an SMTP server, Resend, or a folder where neither is set up."""

import asyncio
import base64
import email.policy
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

import aiosmtplib
import structlog

from app.core.config import Settings
from app.core.infra import Infra, opened

if TYPE_CHECKING:
    from resend import Emails

__all__ = ["Attachment", "FolderMailer", "Mail", "MailRefused", "Mailer", "ResendMailer", "SmtpMailer", "mailer"]

TIMEOUT_SECONDS = 20.0
GOODBYE_SECONDS = 1.0
# long enough that a link stays in one piece in what people open with an editor
_POLICY = email.policy.SMTP.clone(max_line_length=400)
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one address. Sent again with the same `message_id`, it is the same mail."""

    to: str
    subject: str
    text: str
    html: str
    message_id: str
    attachments: tuple[Attachment, ...] = ()


class MailRefused(Exception):
    """The mail will never be taken: trying again is no use."""


class Mailer(Protocol):
    """Hands mails over to whoever delivers them."""

    async def send(self, mail: Mail) -> None:
        """Raises MailRefused where the answer is final; anything else may be tried again."""


class SmtpMailer:
    """An SMTP server: `smtp://` uses STARTTLS if it is offered, `smtps://` is encrypted from the start."""

    def __init__(self, url: str, sender: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
            raise ValueError("SMTP_URL must look like smtp://user:password@host:587 or smtps://host:465")
        self._sender = sender
        self._secure = parts.scheme == "smtps"
        self._host = parts.hostname
        self._port = parts.port or (465 if self._secure else 587)
        self._username = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._goodbyes: set[asyncio.Task[None]] = set()

    async def send(self, mail: Mail) -> None:
        """Sends over a connection of its own. Returns as soon as the server has taken the mail."""
        client = aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            username=self._username,
            password=self._password,
            use_tls=self._secure,
            timeout=TIMEOUT_SECONDS,
        )
        try:
            await client.connect()
            await client.send_message(message_of(mail, self._sender))
        except aiosmtplib.SMTPRecipientsRefused as error:
            if all(refusal.code >= 500 for refusal in error.recipients):
                raise MailRefused(str(error.recipients[0].code)) from error
            raise
        except aiosmtplib.SMTPDataError as error:
            if error.code >= 500:
                raise MailRefused(str(error.code)) from error
            raise
        finally:
            # whoever sent wants to write down that it was taken: nothing that can fail or wait stands before that
            goodbye = asyncio.create_task(_part(client))
            self._goodbyes.add(goodbye)
            goodbye.add_done_callback(self._goodbyes.discard)

    async def close(self) -> None:
        """Waits until the servers have heard the last words."""
        await asyncio.gather(*self._goodbyes)


async def _part(client: aiosmtplib.SMTP) -> None:
    try:
        if client.is_connected:
            await client.quit(timeout=GOODBYE_SECONDS)
    except (aiosmtplib.SMTPException, OSError):
        pass  # what was taken stays taken
    finally:
        client.close()


class ResendMailer:
    """Resend's API. The message id is the idempotency key, so a mail sent twice arrives once."""

    def __init__(self, key: str, url: str, sender: str) -> None:
        self._key, self._url, self._sender = key, url.rstrip("/"), sender

    async def send(self, mail: Mail) -> None:
        """Sends by one request."""
        import resend  # noqa: PLC0415 -- costs memory where it is not used

        # the library keeps both in its module; it reads them before it first waits, so no other mailer comes between
        resend.api_key, resend.api_url = self._key, self._url
        try:
            await resend.Emails.send_async(self._parameters(mail), {"idempotency_key": mail.message_id.strip("<>")})
        except resend.exceptions.ValidationError as error:
            if str(error.code) == "422":
                raise MailRefused(error.error_type) from error
            raise

    def _parameters(self, mail: Mail) -> "Emails.SendParams":
        parameters: Emails.SendParams = {
            "from": self._sender,
            "to": [mail.to],
            "subject": mail.subject,
            "text": mail.text,
            "html": mail.html,
            "headers": {"Message-ID": mail.message_id},
        }
        if mail.attachments:
            parameters["attachments"] = [
                {"filename": it.name, "content_type": it.content_type, "content": base64.b64encode(it.content).decode()}
                for it in mail.attachments
            ]
        return parameters


class FolderMailer:
    """Keeps mails as files where there is nobody to send them, and says where."""

    def __init__(self, folder: Path, sender: str, *, show_links: bool) -> None:
        self._folder, self._sender, self._show_links = folder, sender, show_links

    async def send(self, mail: Mail) -> None:
        """Writes the mail to a file that is named after its message id."""
        path = self._folder / f"{mail.message_id.strip('<>').partition('@')[0]}.eml"
        await asyncio.to_thread(_write, path, message_of(mail, self._sender).as_bytes(policy=_POLICY))
        log.info("mail_kept", subject=mail.subject, file=str(path))
        link = re.search(r"https?://\S+", mail.text)
        if self._show_links and link:
            # not through the log, which may be kept and hides tokens
            sys.stdout.write(f"\n  Mail to {mail.to}: {mail.subject}\n  {link.group()}\n\n")
            sys.stdout.flush()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_bytes(content)


def message_of(mail: Mail, sender: str) -> EmailMessage:
    """The mail as it goes over the wire, as plain text and as HTML."""
    message = EmailMessage(_POLICY)
    message["From"], message["To"], message["Subject"] = sender, mail.to, mail.subject
    message["Message-ID"], message["Date"] = mail.message_id, formatdate(usegmt=True)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    for it in mail.attachments:
        kind, _, subtype = it.content_type.partition("/")
        message.add_attachment(it.content, maintype=kind, subtype=subtype, filename=it.name)
    return message


def choose(settings: Settings) -> Mailer:
    """The mailer that the settings ask for."""
    key = settings.resend_api_key.get_secret_value()
    if settings.smtp_url:
        return SmtpMailer(settings.smtp_url, settings.mail_from)
    if key:
        return ResendMailer(key, settings.resend_api_url, settings.mail_from)
    show_links = settings.environment == "development"
    return FolderMailer(settings.data_dir / "mails", settings.mail_from, show_links=show_links)


@opened
@asynccontextmanager
async def mailer(infra: Infra) -> AsyncIterator[Mailer]:
    """The process's mailer."""
    chosen = choose(infra.settings)
    if isinstance(chosen, FolderMailer):
        folder = infra.settings.data_dir / "mails"
        infra.degraded["mail"] = f"no SMTP_URL or RESEND_API_KEY: mails are kept in {folder}"
    yield chosen
    if isinstance(chosen, SmtpMailer):
        await chosen.close()
