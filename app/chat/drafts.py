"""A message that is to be posted, and what becomes of it."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from app.chat.schemas import MessageInput
from app.core.errors import AppError
from app.users.schemas import PersonCard

__all__ = ["Draft", "Posted"]


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of a draft."""

    message_id: UUID
    sequence: int
    created_at: datetime


@dataclass(eq=False, slots=True)
class Draft:
    """A message that somebody wants to post, and the answer that they wait for: Posted, or an AppError."""

    channel_id: UUID
    author: PersonCard
    said: MessageInput
    answer: "asyncio.Future[Posted]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def refuse(self, error: AppError) -> None:
        """Gives the reason why it was not posted."""
        if not self.answer.done():
            self.answer.set_exception(error)
