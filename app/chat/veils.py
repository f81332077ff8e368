"""What changes between people while sockets are open: it holds there within a second or two.

Who blocks somebody stops hearing them. Who only reads a channel, and may not any more, is sent away.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol
from uuid import UUID

import structlog

from app.chat.owners import lapses
from app.core.feeds import Feed, Listener
from app.core.infra import Infra, opened

__all__ = ["Veiled", "look_at_blocks", "look_at_rights", "veils"]

LOOK_SECONDS = 1.0
_BLOCKS = """
    SELECT blocker_id, blocked_id FROM blocks WHERE blocker_id = ANY($1)
    UNION ALL SELECT blocked_id, blocker_id FROM blocks WHERE blocked_id = ANY($1)"""
log = structlog.get_logger()


class Veiled(Listener, Protocol):
    """A listener to whom some people are hidden."""

    kind: str
    channel_id: UUID
    hidden: frozenset[UUID]
    feed: Feed | None

    async def veil(self, hidden: frozenset[UUID]) -> None:
        """From now on it is these people."""


async def look_at_blocks(infra: Infra, listeners: set[Veiled]) -> None:
    """Brings every listener's hidden people up to date; one statement finds whom that concerns."""
    people = list({listener.user_id for listener in listeners})
    hidden: defaultdict[UUID, set[UUID]] = defaultdict(set)
    for user_id, other in await infra.db.fetch(_BLOCKS, [people], counted=False):
        hidden[user_id].add(other)
    for listener in list(listeners):
        if listener.hidden != hidden[listener.user_id]:
            await listener.veil(frozenset(hidden[listener.user_id]))


async def look_at_rights(infra: Infra, listeners: set[Veiled]) -> None:
    """Sends away who may not hear a channel any more, in one statement for each kind that has readers."""
    for kind, lapsed in lapses().items():
        there = [listener for listener in listeners if listener.kind == kind]
        if not there:
            continue
        channels, people = [one.channel_id for one in there], [one.user_id for one in there]
        statement = lapsed.statement(channels=channels, people=people)
        gone = {(row["channel_id"], row["person_id"]) for row in await infra.db.fetch(*statement, counted=False)}
        for listener in there:
            if (listener.channel_id, listener.user_id) in gone:
                listeners.discard(listener)
                if listener.feed is not None:
                    listener.feed.leave(listener)
                listener.remove()


@opened
@asynccontextmanager
async def veils(infra: Infra) -> AsyncIterator[set[Veiled]]:
    """The listeners of this process; `infra.part(veils)`."""
    listeners: set[Veiled] = set()
    task = asyncio.create_task(_look(infra, listeners), name="blocks")
    try:
        yield listeners
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _look(infra: Infra, listeners: set[Veiled]) -> None:
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            if listeners:
                await look_at_blocks(infra, listeners)
                await look_at_rights(infra, listeners)
        except Exception as error:
            # it looks again in a second; to end here would show the hidden for ever
            log.warning("blocks_unread", reason=repr(error))
