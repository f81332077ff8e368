"""Files that nothing waits for or serves: sent by links that outlive their uploads, or left by what was killed."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from app.core.infra import Infra
from app.core.jobs import every
from app.integrations.storage import storage
from app.uploads.models import Upload
from app.uploads.processing import AWAITED, inbox_key

__all__ = ["clear_inbox", "remove_unserved"]

_STORED_BEFORE = timedelta(days=2)
"""What is younger may belong to an upload that was given up and is still awaited."""
_BATCH = 500
# What else lies in these folders was put there by somebody who has the store, and is left to them.
_INBOX = re.compile(r"inbox/(?P<id>[0-9a-f]{32})\.bin")
_AUDIO = re.compile(r"audio/[0-9a-f]{32}(-[a-z0-9]+)?\.[a-z0-9]+")

_SERVED = """
    SELECT key FROM uploads WHERE key = ANY ($1::text[]) AND state <> 'failed'
    UNION ALL
    SELECT sought.key FROM unnest($1::text[]) AS sought (key)
    WHERE EXISTS (SELECT FROM uploads u
                  WHERE u.renditions @> jsonb_build_array(jsonb_build_object('key', sought.key)))"""


async def clear_inbox(infra: Infra) -> None:
    """An upload is there before its link: what no upload waits for may go at once, and again when it comes again."""
    stored = infra.part(storage).list("inbox/")
    found = [UUID(ours["id"]) async for one in stored if (ours := _INBOX.fullmatch(one.key))]
    for start in range(0, len(found), _BATCH):
        await _clear(infra, found[start : start + _BATCH])


@every("23 4 * * *")
async def remove_unserved(infra: Any) -> None:
    """Copies and renditions of which no upload knows: the process that made them ended before it could say so."""
    stored = infra.part(storage).list("audio/", older_than=_STORED_BEFORE)
    keys = [one.key async for one in stored if _AUDIO.fullmatch(one.key)]
    for start in range(0, len(keys), _BATCH):
        some = keys[start : start + _BATCH]
        served = {row["key"] for row in await infra.db.reader.records(_SERVED, [some])}
        for key in some:
            if key not in served:
                await infra.part(storage).delete(key)


async def _clear(infra: Infra, ids: list[UUID]) -> None:
    wanted = or_(Upload.state == "waiting", AWAITED)
    kept = set(await infra.db.reader.all(select(Upload.id).where(Upload.id.in_(ids), wanted)))
    for upload_id in set(ids) - kept:
        await infra.part(storage).delete(inbox_key(upload_id))
