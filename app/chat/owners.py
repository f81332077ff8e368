"""What rooms and groups tell of their channels: who may come in, who may speak, what the whole state is."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from app.core.auth import Principal
from app.core.db import Writer
from app.core.errors import AppError
from app.core.query import Query, Runs
from app.core.schemas import Input

__all__ = ["Attachments", "ChannelOwner", "Command", "Entry", "attachment", "attachments"]
__all__ += ["lapses", "owner", "owner_of", "readers"]


@dataclass(frozen=True, slots=True)
class Entry:
    """How a person stands in a channel."""

    role: str
    can_post: bool = True
    muted_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """What a socket can ask of a channel's owner, besides talk.

    `run(db, actor, channel_id, body)` runs in a transaction that holds the channel. It is run once for each client id;
    what it answers is kept for a repetition and goes into the `ack`.
    """

    model: type[Input]
    run: Callable[[Writer, Principal, UUID, Any], Awaitable[dict[str, Any] | None]]


class ChannelOwner(Protocol):
    """Registered with `owner(kind, ...)`."""

    @property
    def commands(self) -> Mapping[str, Command]:
        """By name, such as `playback.play`."""
        ...

    async def enter(self, db: Runs, actor: Principal, channel_id: UUID) -> Entry:
        """How the person stands there. Raises NotFound, Forbidden."""
        ...

    async def speakers(self, db: Runs, channel_id: UUID, user_ids: Sequence[UUID]) -> Mapping[UUID, AppError | None]:
        """For each, why they may not speak now, or None. One statement, run while the channel is held."""
        ...

    async def moderates(self, db: Runs, channel_id: UUID, user_id: UUID) -> bool:
        """Whether the person may delete what others said."""
        ...

    async def audience(self, db: Runs, channel_id: UUID, usernames: Sequence[str]) -> Mapping[str, UUID]:
        """Which of these people, by their usernames in lower case, belong to the channel and may be mentioned."""
        ...

    async def snapshot(self, db: Runs, actor: Principal, channel_id: UUID) -> dict[str, Any]:
        """The whole state that the owner's events change, as JSON values."""
        ...


Attachments = Callable[[Runs, Sequence[tuple[UUID, UUID]]], Awaitable[set[tuple[UUID, UUID]]]]
"""Which of these (person, thing) the person may show to others."""
_attachments: dict[str, Attachments] = {}
_owners: dict[str, ChannelOwner] = {}
_lapses: dict[str, Query[Any]] = {}


def owner(kind: str, of: ChannelOwner) -> None:
    """Registers who answers for channels of a kind."""
    _owners[kind] = of


def owner_of(kind: str) -> ChannelOwner:
    """Who answers for channels of the kind."""
    return _owners[kind]


def readers(kind: str, lapsed: Query[Any]) -> None:
    """Registers a kind of channels that people hear without belonging to them, so that no line says when that ends.

    The query has the `channel_id` and `person_id` of those pairs of `channels` and `people` who may not hear it.
    """
    _lapses[kind] = lapsed


def lapses() -> Mapping[str, Query[Any]]:
    """By the kind of channels."""
    return _lapses


def attachment(field: str) -> Callable[[Attachments], Attachments]:
    """Registers who knows what may be shared as `track_id` or `review_id`."""

    def register(function: Attachments) -> Attachments:
        _attachments[field] = function
        return function

    return register


def attachments() -> Mapping[str, Attachments]:
    """By the field of a message."""
    return _attachments
