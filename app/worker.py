"""The job runner alone: as many of these as there is work."""

from app.core.config import Settings
from app.core.draining import work_until_drained
from app.core.infra import open_infra
from app.core.logging import configure_logging
from app.core.signals import Signals
from app.modules import load_modules

__all__ = ["run_worker"]


async def run_worker(settings: Settings, signals: Signals) -> None:
    """Runs jobs until a signal comes, then lets the running ones end."""
    configure_logging(settings)
    load_modules()
    async with open_infra(settings) as infra:
        with signals.handled_by(infra.drain):
            await work_until_drained(infra)
