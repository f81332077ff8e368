"""Runs the job worker until its process drains; it ends beside the requests, not after them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.core.infra import Infra
from app.core.job_runner import LAST_SECONDS, Worker

__all__ = ["work_until_drained", "working"]


async def work_until_drained(infra: Infra) -> None:
    """Runs jobs; when the process drains they get most of its time to end, then are left to others."""
    worker = Worker(infra)
    task = asyncio.create_task(worker.run(), name="worker")
    try:
        await infra.draining.wait()
    finally:
        await worker.stop(max(0.5, infra.settings.shutdown_seconds - LAST_SECONDS))
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def working(infra: Infra) -> AsyncIterator[None]:
    """Runs jobs beside the block, where the settings say so."""
    if not infra.settings.worker:
        yield
        return
    task = asyncio.create_task(work_until_drained(infra), name="jobs")
    try:
        yield
    finally:
        infra.drain()
        await task
