"""Blocks while sockets are open: who blocks somebody stops hearing them within a second or two."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol
from uuid import UUID

import structlog

from app.core.feeds import Listener
from app.core.infra import Infra, opened

__all__ = ["Veiled", "look_at_blocks", "veils"]

LOOK_SECONDS = 1.0
_BLOCKS = """
    SELECT blocker_id, blocked_id FROM blocks WHERE blocker_id = ANY($1)
    UNION ALL SELECT blocked_id, blocker_id FROM blocks WHERE blocked_id = ANY($1)"""
log = structlog.get_logger()


class Veiled(Listener, Protocol):
    """A listener to whom some people are hidden."""

    hidden: frozenset[UUID]

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
        except Exception as error:
            # it looks again in a second; to end here would show the hidden for ever
            log.warning("blocks_unread", reason=repr(error))
