"""`consumer`: takes exports from RabbitMQ."""

from app.commands.starting import StartError, reach_database, require_writable
from app.consumer import run_consumer
from app.core.config import Settings
from app.core.infra import with_servers
from app.core.migrations import require_current
from app.core.signals import Signals

__all__ = ["consume"]


async def consume(settings: Settings, signals: Signals) -> None:
    """Takes exports until a signal comes. Raises StartError without RABBITMQ_URL, SchemaError before `migrate`."""
    if not settings.rabbitmq_url:
        raise StartError("Set RABBITMQ_URL to take exports from RabbitMQ. Without it the worker does them.")
    require_writable(settings.data_dir)
    async with with_servers(settings) as reachable:
        await reach_database(reachable.database_url)
        await require_current(reachable.database_url)
        await run_consumer(reachable, signals)
