"""Tasks that run until they are ended."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

__all__ = ["end_tasks", "see_through"]


async def end_tasks(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancels tasks and waits until they have ended, however they do."""
    running = set(tasks)
    while running:
        for task in running:
            task.cancel()
        # again and again: the Redis client swallows a cancellation that comes while it connects
        _, running = await asyncio.wait(running, timeout=0.1)


async def see_through(task: asyncio.Task[Any], spared: Callable[[], bool], seconds: float) -> None:
    """Waits for a task. Cancelled meanwhile, it cancels the task too: where that is `spared`, after so many seconds."""
    try:
        # unlike await, wait leaves the task alone when this one is cancelled
        await asyncio.wait({task})
    except asyncio.CancelledError:
        until = asyncio.get_running_loop().time() + seconds
        while spared() and not task.done() and (left := until - asyncio.get_running_loop().time()) > 0:
            with suppress(asyncio.CancelledError):  # who cancels may do so again and again
                await asyncio.wait({task}, timeout=left)
        await end_tasks([task])
        raise
    task.result()
