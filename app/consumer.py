"""Takes exports from RabbitMQ: as many of these as there are mails to send."""

from functools import partial

from app.core.config import Settings
from app.core.infra import open_infra
from app.core.job_runner import LAST_SECONDS
from app.core.logging import configure_logging
from app.core.signals import Signals
from app.integrations.broker import broker
from app.modules import load_modules
from app.playlists.exporting import read_message

__all__ = ["run_consumer"]

AT_ONCE = 8


async def run_consumer(settings: Settings, signals: Signals) -> None:
    """Works until a signal comes, then lets what is being sent end."""
    configure_logging(settings)
    load_modules()
    async with open_infra(settings) as infra:
        rabbit = infra.part(broker)
        assert rabbit is not None, "the command has looked for RABBITMQ_URL"
        with signals.handled_by(infra.drain):
            # at the end of these, who waits for a mail server's answer gets the rest
            handle, seconds = partial(read_message, infra), max(0.5, settings.shutdown_seconds - LAST_SECONDS)
            await rabbit.consume(handle, infra.draining, at_once=AT_ONCE, last_seconds=seconds)
