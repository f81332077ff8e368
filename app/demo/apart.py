"""Loads the demo by a process of its own: what that takes of memory goes back whole when the process ends."""

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path

from app.core.config import Settings

__all__ = ["NotLoaded", "seed_apart"]

CHECKOUT = Path(__file__).parents[2]


class NotLoaded(RuntimeError):
    """The process that loads the demo failed; it has said why."""


async def seed_apart(settings: Settings) -> None:
    """Runs the command `seed` on the stores of these settings. Raises NotLoaded."""
    stores = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "DATA_DIR": str(settings.data_dir.resolve()),
    }
    paths = os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH")]))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", "seed"),
        env=os.environ | stores | {"PYTHONPATH": paths},
        stdout=asyncio.subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for this process, which ends that one
    )
    try:
        if await process.wait():
            raise NotLoaded(
                "The demo could not be loaded; the line above says why. `serve --no-demo` starts without it."
            )
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        raise
