"""Files that nothing speaks of any more."""

from typing import Any

from pydantic import BaseModel

from app.core.jobs import job
from app.integrations.storage import storage

__all__ = ["Files", "drop_files"]


class Files(BaseModel):
    """Objects by their keys."""

    keys: list[str]


@job()
async def drop_files(infra: Any, files: Files) -> None:
    """What is gone already does not matter."""
    for key in files.keys:
        await infra.part(storage).delete(key)
