"""Files: what people upload and what we make of it, in an object store or in a folder in place of one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.core.http import API
from app.core.infra import Infra, opened
from app.integrations.objects import BadKey, Presigned, Stat, Storage, Stored, check_key
from app.integrations.storage_local import LocalStorage

__all__ = ["UPLOADS", "BadKey", "LocalStorage", "Presigned", "Stat", "Storage", "Stored", "check_key", "storage"]

UPLOADS = "/media/uploads"
"""Where the upload links of the folder lead, below the API's path."""


@opened
@asynccontextmanager
async def storage(infra: Infra) -> AsyncIterator[Storage]:
    """The storage that the settings ask for."""
    settings = infra.settings
    folder = settings.data_dir / "media"
    local = LocalStorage(folder, secret=settings.secret, uploads_url=f"{settings.base_url}{API}{UPLOADS}")
    local.forget_drafts()
    yield local
