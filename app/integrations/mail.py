"""Mail: an SMTP server, Resend, or a folder where neither is set up."""

import asyncio
import base64
import re
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from app.core.config import Settings
from app.core.infra import Infra, opened
from app.integrations.mail_smtp import SmtpMailer
from app.integrations.messages import (
    POLICY,
    Attachment,
    Mail,
    Mailer,
    MailRefused,
    MailServerFault,
    message_of,
    nothing,
)

if TYPE_CHECKING:
    from resend import Emails

__all__ = [
    "Attachment",
    "FolderMailer",
    "Mail",
    "MailRefused",
    "MailServerFault",
    "Mailer",
    "ResendMailer",
    "SmtpMailer",
    "mailer",
]

log = structlog.get_logger()


class ResendMailer:
    """Resend's API. The message id is the idempotency key, so a mail sent twice arrives once."""

    def __init__(self, key: str, url: str, sender: str) -> None:
        self._key, self._url, self._sender = key, url.rstrip("/"), sender

    async def send(self, mail: Mail, *, point_of_no_return: Callable[[], None] = nothing) -> None:
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

    async def send(self, mail: Mail, *, point_of_no_return: Callable[[], None] = nothing) -> None:
        """Writes the mail to a file that is named after its message id."""
        path = self._folder / f"{mail.message_id.strip('<>').partition('@')[0]}.eml"
        await asyncio.to_thread(_write, path, message_of(mail, self._sender).as_bytes(policy=POLICY))
        log.info("mail_kept", subject=mail.subject, file=str(path))
        link = re.search(r"https?://\S+", mail.text)
        if self._show_links and link:
            # not through the log, which may be kept and hides tokens
            sys.stdout.write(f"\n  Mail to {mail.to}: {mail.subject}\n  {link.group()}\n\n")
            sys.stdout.flush()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_bytes(content)


def choose(settings: Settings) -> Mailer:
    """The mailer that the settings ask for."""
    key = settings.resend_api_key.get_secret_value()
    if settings.smtp_url:
        return SmtpMailer(settings.smtp_url, settings.mail_from, ca_file=settings.smtp_ca_file)
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
