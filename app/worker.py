"""The job runner alone: as many of these as there is work."""

import asyncio
import signal

from app.core.config import Settings
from app.core.infra import open_infra
from app.core.job_runner import Worker
from app.core.logging import configure_logging
from app.modules import load_modules

__all__ = ["run_worker"]


async def run_worker(settings: Settings) -> None:
    """Runs jobs until SIGINT or SIGTERM, then lets the running ones end."""
    configure_logging(settings)
    load_modules()
    async with open_infra(settings) as infra:
        worker = Worker(infra)
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, lambda: asyncio.create_task(worker.stop()))
        await worker.run()
