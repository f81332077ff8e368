"""Named locks inside a transaction, for what no row lock can guard: the absence of a row."""

import hashlib
from uuid import UUID

from sqlalchemy import func, select

from app.core.db import Writer

__all__ = ["hold"]


async def hold(db: Writer, kind: str, *keys: UUID, shared: bool = False) -> None:
    """Waits until nobody else holds these, and holds them until the transaction ends.

    Statements after it see what the earlier holders committed. Shared holders do not wait for each other. The keys are
    taken in one order, so that two who want the same ones do not wait for each other for ever.
    """
    take = func.pg_advisory_xact_lock_shared if shared else func.pg_advisory_xact_lock
    for number in sorted({_number(kind, key) for key in keys}):
        await db.execute(select(take(number)))


def _number(kind: str, key: UUID) -> int:
    digest = hashlib.blake2b(kind.encode() + key.bytes, digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
