"""The words of the mails."""

from html import escape
from typing import NamedTuple

from app.integrations.mail import Mail

__all__ = [
    "Letter",
    "Link",
    "already_yours",
    "compose",
    "email_changed",
    "password_changed",
    "reset",
    "verification",
]

_PAGE = (
    '<!doctype html><html lang="en"><body style="font:16px/1.5 system-ui,sans-serif;max-width:34em;margin:2em auto;'
    'padding:0 1em;color:#222">{}<p style="color:#777">SoundScore</p></body></html>'
)


class Link(NamedTuple):
    """A link and what it is for."""

    label: str
    url: str


class Letter(NamedTuple):
    """A subject, and paragraphs of which some are links."""

    subject: str
    parts: list[str | Link]


def compose(letter: Letter, *, to: str, message_id: str) -> Mail:
    """The letter as a mail in plain text and HTML."""
    text = "\n\n".join(_plain(part) for part in letter.parts) + "\n\nSoundScore\n"
    html = _PAGE.format("".join(f"<p>{_html(part)}</p>" for part in letter.parts))
    return Mail(to=to, subject=letter.subject, text=text, html=html, message_id=message_id)


def _plain(part: str | Link) -> str:
    return f"{part.label}:\n{part.url}" if isinstance(part, Link) else part


def _html(part: str | Link) -> str:
    return f'<a href="{escape(part.url)}">{escape(part.label)}</a>' if isinstance(part, Link) else escape(part)


def verification(links: list[Link]) -> Letter:
    """Asks for a proof that the address is the account's own."""
    return Letter(
        "Confirm your mail address",
        [
            "Welcome to SoundScore! Open the link within 24 hours to confirm that this address is yours.",
            *(Link(f"Confirm for {name}", url) for name, url in links),
            "If you did not ask for this, you need not do anything.",
        ],
    )


def reset(links: list[Link]) -> Letter:
    """Lets the reader choose a new password."""
    return Letter(
        "Choose a new password",
        [
            "Somebody, hopefully you, has forgotten the password of an account with this address.",
            "The link works once, for 30 minutes.",
            *(Link(f"New password for {name}", url) for name, url in links),
            "If it was not you, you need not do anything: the password stays as it is.",
        ],
    )


def already_yours(owner: str, wanted_by: list[str], app_url: str) -> Letter:
    """Says that another account wants an address that its reader has proven before."""
    names = ", ".join(wanted_by)
    return Letter(
        "This address already has an account",
        [
            f"Somebody, perhaps you, gave this address for the account {names}.",
            f"It already belongs to your account {owner}, so it cannot be confirmed for another.",
            Link(f"Sign in as {owner}, or choose a new password", app_url),
            "If it was not you, you need not do anything.",
        ],
    )


def password_changed(username: str, app_url: str) -> Letter:
    """Tells of a new password."""
    return Letter(
        "Your password was changed",
        [
            f"The password of your account {username} was changed, and its other sessions were ended.",
            "App passwords, API tokens and linked accounts still work: look through them if others may have had them.",
            Link("If it was not you, choose a new password at once", app_url),
        ],
    )


def email_changed(username: str, app_url: str) -> Letter:
    """Tells the former address of the new one."""
    return Letter(
        "Your mail address was changed",
        [
            f"Your account {username} now has another mail address; this one is no longer used.",
            Link("If it was not you, sign in and change your password", app_url),
        ],
    )
