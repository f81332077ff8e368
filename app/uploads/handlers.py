"""What follows when time passes and people leave, and what this module adds to an export. Loads what registers."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import delete, func, select, update

from app.catalog.models import Artist, Track
from app.core.db import Reader, Writer
from app.core.infra import Infra
from app.core.jobs import enqueue, every, job, on
from app.uploads import covers, files, leftovers, processing, renditions
from app.uploads.changes import take_away
from app.uploads.leftovers import clear_inbox
from app.uploads.models import Upload, UploadLink
from app.uploads.placing import hold_uploads
from app.uploads.service import CLEARED
from app.users.events import AccountDeleted
from app.users.exports import every_row, exported

__all__ = ["covers", "files", "forget_uploads", "leftovers", "processing", "remove_abandoned", "renditions"]

STUCK = timedelta(hours=2)
_BATCH = 100


class Leaver(BaseModel):
    """Who left, and whether what they published stays."""

    user_id: UUID
    keep_content: bool


@every("*/20 * * * *")
async def remove_abandoned(infra: Infra) -> None:
    """What was announced a day ago and never finalised goes, and what lies in the inbox and no upload waits for."""
    old = select(Upload.id).where(Upload.state == "waiting", Upload.expires_at < func.now()).limit(_BATCH)
    while found := await infra.db.reader.all(old):
        for upload_id in found:
            await _remove(infra, upload_id, only="waiting")
    await clear_inbox(infra)
    async with infra.db.write() as db:
        await db.execute(delete(UploadLink).where(UploadLink.expires_at < func.now() - CLEARED))


@every("*/30 * * * *")
async def give_up_on_stuck(infra: Infra) -> None:
    """A file that no try could process fails, so that its owner does not wait for ever."""
    stuck = update(Upload).where(Upload.state == "processing", Upload.finalised_at < func.now() - STUCK)
    reason = {"failure_code": processing.TOO_LATE, "failure": "The file could not be processed. Upload it anew."}
    async with infra.db.write() as db:
        await db.execute(stuck.values(state="failed", **reason))


@on(AccountDeleted)
async def begin_to_forget(db: Writer, event: AccountDeleted) -> None:
    """Files and tracks take as many transactions as there are uploads."""
    await enqueue(db, forget_uploads, Leaver(user_id=event.user_id, keep_content=event.keep_content))


@job(seconds=900.0)
async def forget_uploads(infra: Infra, leaver: Leaver) -> None:
    """What nobody else could hear goes in any case. A second run finds what the first has left."""
    theirs = select(Upload.id).outerjoin(Track, Track.id == Upload.track_id).where(Upload.owner_id == leaver.user_id)
    if leaver.keep_content:
        theirs = theirs.where(func.coalesce(Track.visibility, "private") != "public")
    while found := await infra.db.reader.all(theirs.limit(_BATCH)):
        for upload_id in found:
            await _remove(infra, upload_id)


async def _remove(infra: Infra, upload_id: UUID, *, only: str | None = None) -> None:
    """`only`: if it is still in that state."""
    async with infra.db.write() as db:
        owner_id = await db.one(select(Upload.owner_id).filter_by(id=upload_id))
        if owner_id is None:
            return
        await hold_uploads(db, owner_id)
        upload = await db.one(select(Upload).filter_by(id=upload_id).with_for_update())
        if upload is not None and only in {None, upload.state}:
            await take_away(db, upload)


@exported("uploads")
def export_uploads(db: Reader, user_id: UUID) -> AsyncIterator[dict[str, Any]]:
    """What the person uploaded, and who may hear it. The files themselves are downloaded one by one."""
    own = (Upload.id, Upload.state, Upload.filename, Upload.size, Upload.audio_type, Upload.sha256, Upload.created_at)
    track = (Upload.track_id, Track.title.label("track"), Artist.name.label("artist"), Track.visibility)
    uploads = select(*own, *track).outerjoin(Track, Track.id == Upload.track_id)
    uploads = uploads.outerjoin(Artist, Artist.id == Track.artist_id).where(Upload.owner_id == user_id)
    return every_row(db, uploads, key=Upload.id)
