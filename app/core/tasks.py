"""Tasks that run until they are ended."""

import asyncio
from collections.abc import Iterable
from typing import Any

__all__ = ["end_tasks"]


async def end_tasks(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancels tasks and waits until they have ended, however they do."""
    running = set(tasks)
    while running:
        for task in running:
            task.cancel()
        # again and again: the Redis client swallows a cancellation that comes while it connects
        _, running = await asyncio.wait(running, timeout=0.1)
