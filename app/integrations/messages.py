"""What a mail is, what becomes of it, and who hands it over."""

import email.policy
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from typing import Protocol

__all__ = ["POLICY", "Attachment", "Mail", "MailRefused", "MailServerFault", "Mailer", "message_of", "nothing"]

# long enough that a link stays in one piece in what people open with an editor
POLICY = email.policy.SMTP.clone(max_line_length=400)


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


class MailServerFault(Exception):
    """The mail server cannot be used the way it is set up. The text says what to do; then trying again works."""


def nothing() -> None:
    """Does nothing."""


class Mailer(Protocol):
    """Hands mails over to whoever delivers them."""

    async def send(self, mail: Mail, *, point_of_no_return: Callable[[], None] = nothing) -> None:
        """Raises MailRefused where the answer is final; anything else may be tried again.

        Where a mail that is sent again may arrive twice, `point_of_no_return` is called before the word that makes it
        count. From then on the answer should be waited for.
        """


def message_of(mail: Mail, sender: str) -> EmailMessage:
    """The mail as it goes over the wire, as plain text and as HTML."""
    message = EmailMessage(POLICY)
    message["From"], message["To"], message["Subject"] = sender, mail.to, mail.subject
    message["Message-ID"], message["Date"] = mail.message_id, formatdate(usegmt=True)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    for it in mail.attachments:
        kind, _, subtype = it.content_type.partition("/")
        message.add_attachment(it.content, maintype=kind, subtype=subtype, filename=it.name)
    return message
