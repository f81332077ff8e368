"""Files: what people upload and what we make of it, in an object store or in a folder in place of one."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx

from app.core.config import Settings
from app.core.http import API
from app.core.infra import Infra, opened
from app.integrations.objects import BadKey, Presigned, Stat, Storage, Stored, attachment, check_key
from app.integrations.sigv4 import Bucket, Credentials
from app.integrations.storage_local import LocalStorage

__all__ = [
    "UPLOADS",
    "BadKey",
    "LocalStorage",
    "Presigned",
    "Stat",
    "Storage",
    "Stored",
    "attachment",
    "bucket_of",
    "check_key",
    "choose",
    "storage",
]

UPLOADS = "/files"
"""Where the upload links of the folder lead, below the API's path."""
CHECKED_FOR_SECONDS = 15.0
"""So long an answer for `/health` is good: asking the store costs money, and anybody may ask us."""


@opened
@asynccontextmanager
async def storage(infra: Infra) -> AsyncIterator[Storage]:
    """The storage that the settings ask for."""
    async with choose(infra.settings) as chosen:
        if isinstance(chosen, LocalStorage):
            chosen.forget_drafts()
            folder = infra.settings.data_dir / "media"
            infra.degraded["storage"] = f"no S3_BUCKET or SUPABASE_URL: files are kept in {folder}"
        else:
            infra.checks["storage"] = _remembered(chosen.check)
        yield chosen


@asynccontextmanager
async def choose(settings: Settings) -> AsyncIterator[Storage]:
    """Opens the storage. The clients of object stores take memory, so they are imported where they are used."""
    if settings.s3_bucket:
        yield _s3(settings)
    elif settings.supabase_url:
        from app.integrations.storage_supabase import SupabaseStorage  # noqa: PLC0415

        key = settings.supabase_service_key.get_secret_value()
        async with httpx.AsyncClient(timeout=httpx.Timeout(60, connect=3), follow_redirects=True) as client:
            yield SupabaseStorage(client, url=settings.supabase_url, key=key, bucket=settings.supabase_bucket)
    else:
        uploads = f"{settings.base_url}{API}{UPLOADS}"
        yield LocalStorage(settings.data_dir / "media", secret=settings.secret, uploads_url=uploads)


def _s3(settings: Settings) -> Storage:
    from app.integrations.storage_s3 import S3Storage  # noqa: PLC0415

    secrets = (settings.s3_secret_access_key, settings.s3_session_token)
    keys = Credentials(settings.s3_access_key_id, *(secret.get_secret_value() for secret in secrets))
    return S3Storage(bucket_of(settings), keys)


def bucket_of(settings: Settings) -> Bucket:
    """Where the settings say that the bucket is."""
    endpoint, style = settings.s3_endpoint_url, settings.s3_path_style
    return Bucket(
        settings.s3_bucket,
        settings.s3_region,
        endpoint=endpoint,
        public_endpoint=settings.s3_public_endpoint_url,
        path_style=style == "true" or (style == "auto" and bool(endpoint)),
    )


def _remembered(ask: Callable[[], Awaitable[str]]) -> Callable[[], Awaitable[str]]:
    """Asks at most once in some seconds; what was raised is raised again until then."""
    last: tuple[float, str | Exception] = (float("-inf"), "")

    async def answer() -> str:
        nonlocal last
        if last[0] + CHECKED_FOR_SECONDS < time.monotonic():
            try:
                last = time.monotonic(), await ask()
            except Exception as error:  # whatever a client raises, the store is not usable
                last = time.monotonic(), error
        if isinstance(last[1], Exception):
            raise last[1]
        return last[1]

    return answer
