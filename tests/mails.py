"""A real SMTP server on loopback that keeps what it takes."""

import email
import email.policy
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.controller import Controller

__all__ = ["Inbox", "smtp_server"]


@dataclass
class Inbox:
    """What an SMTP server took, and how often it refuses first."""

    refusals: list[str] = field(default_factory=list)
    mails: list[Any] = field(default_factory=list)
    tries: int = 0
    secure: list[bool] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.tries += 1
        if self.refusals:
            return self.refusals.pop(0)
        self.secure.append(server.transport.get_extra_info("sslcontext") is not None)
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("unknown"):
            return "550 No such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"


@contextmanager
def smtp_server(inbox: Inbox, **options: Any) -> Iterator[int]:
    """A real SMTP server; its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()
