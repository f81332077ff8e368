"""`worker`: the job runner alone."""

from app.commands.starting import reach_database, require_writable
from app.core.config import Settings
from app.core.infra import with_servers
from app.core.migrations import require_current
from app.core.signals import Signals
from app.worker import run_worker

__all__ = ["work"]


async def work(settings: Settings, signals: Signals) -> None:
    """Runs jobs until a signal comes. Raises SchemaError where nobody has migrated yet."""
    require_writable(settings.data_dir)
    async with with_servers(settings) as reachable:
        await reach_database(reachable.database_url)
        await require_current(reachable.database_url)
        await run_worker(reachable, signals)
