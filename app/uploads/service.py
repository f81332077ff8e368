"""The three steps of an upload: announce it, send the file to the store, say that it is there."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update

from app.catalog.models import Track
from app.core.auth import Principal
from app.core.config import Settings
from app.core.db import Reader, Writer
from app.core.errors import Conflict, Forbidden, Invalid, NotFound, PayloadTooLarge
from app.core.ids import uuid7
from app.core.infra import Infra
from app.core.jobs import enqueue
from app.core.paging import Page, PageRequest
from app.core.query import Runs
from app.integrations.storage import storage
from app.uploads.models import Upload
from app.uploads.placing import hold_uploads
from app.uploads.processing import ABANDONED, TOO_LATE, Order, inbox_key, process_upload
from app.uploads.queries import PERSON_UPLOADS, UPLOAD, UPLOADS
from app.uploads.schemas import (
    Finalise,
    Grant,
    UploadDetails,
    UploadedTrack,
    UploadInput,
    UploadState,
    UploadTicket,
    UploadUsage,
)
from app.uploads.sniffing import ANNOUNCED, EXTENSIONS, HEAD, Kind, after_tags, sniff
from app.users.service import open_person

__all__ = [
    "AlreadyFinalised",
    "AlreadyUploaded",
    "NotUploaded",
    "OtherContent",
    "QuotaExceeded",
    "UploadTooLarge",
    "finalise_upload",
    "get_upload",
    "get_usage",
    "initiate_upload",
    "list_person_uploads",
    "list_uploads",
    "may_edit_catalog",
]

MOST_BYTES = 100 * 1024 * 1024
LINK_SECONDS = 3600
CLEARED = timedelta(minutes=20)
"""So long after a link has expired what came by it may lie in the inbox."""


class UploadTooLarge(PayloadTooLarge):
    code, title = "upload_too_large", f"A recording may have at most {MOST_BYTES:,} bytes"


class QuotaExceeded(Conflict):
    code, title = "quota_exceeded", "There is no room left for your uploads"


class AlreadyUploaded(Conflict):
    code, title = "already_uploaded", "You have uploaded this recording before"


class NotUploaded(Conflict):
    code, title = "not_uploaded", "The file is not there yet"


class AlreadyFinalised(Conflict):
    code, title = "already_finalised", "This upload was finalised before"


class OtherContent(Invalid):
    code, title = "other_content", "What was uploaded is not what was announced"


async def initiate_upload(infra: Infra, db: Writer, actor: Principal, new: UploadInput) -> UploadTicket:
    """Announces a recording: the answer says where its file goes.

    Raises UploadTooLarge, Invalid for another type, AlreadyUploaded, QuotaExceeded.
    """
    kind = _kind_of(new)
    upload = Upload(
        id=uuid7(), owner_id=actor.user_id, filename=new.filename, content_type=new.content_type, size=new.size
    )
    upload.key = f"audio/{uuid7().hex}.{EXTENSIONS[kind]}"
    upload.expires_at = datetime.now(UTC) + ABANDONED
    link = await infra.part(storage).presign_put(  # first: it may take a network, and the transaction begins below
        inbox_key(upload.id), content_type=new.content_type, size=new.size, seconds=LINK_SECONDS
    )
    upload.link_expires_at = link.expires_at
    await hold_uploads(db, actor.user_id)
    if new.sha256:
        await _refuse_known(db, actor, new.sha256)
    await _check_quota(db, infra.settings, actor, new.size)
    db.add(upload)
    grant = Grant(method=link.method, url=link.url, headers=link.headers, expires_at=link.expires_at)
    return UploadTicket(id=upload.id, state="waiting", upload=grant)


async def finalise_upload(infra: Infra, actor: Principal, upload_id: UUID, wishes: Finalise) -> UploadDetails:
    """Takes the file in, if it is what was announced; the rest is done by a job.

    Raises NotFound, AlreadyFinalised, NotUploaded, OtherContent, Invalid for a track that does not take this recording.
    """
    upload = await infra.db.reader.one(select(Upload).filter_by(id=upload_id, owner_id=actor.user_id))
    if upload is None:
        raise NotFound("There is no such upload of yours.")
    if upload.state != "waiting":
        raise _finalised(upload)
    if wishes.track_id:
        _check_visibility(wishes)
        await _check_track(infra, actor, wishes.track_id)
    await _check_content(infra, upload)
    async with infra.db.write() as db:
        taken = update(Upload).where(Upload.id == upload_id, Upload.state == "waiting")
        values = {"state": "processing", "expires_at": None, "finalised_at": func.now()}
        said = wishes.model_dump(mode="json", exclude_unset=True) | {"visibility": wishes.visibility}
        if await db.scalar(taken.values(**values, wishes=said).returning(Upload.id)) is None:
            raise _finalised(upload)
        edits = may_edit_catalog(infra.settings, actor)
        await enqueue(db, process_upload, Order(upload_id=upload_id, edits_catalog=edits))
        return await get_upload(db, actor, upload_id)


async def get_upload(db: Runs, actor: Principal, upload_id: UUID) -> UploadDetails:
    """An upload of the actor's. Raises NotFound."""
    upload = await UPLOAD.first(db, viewer=actor.user_id, upload_id=upload_id)
    if upload is None:
        raise NotFound("There is no such upload of yours.")
    return upload


async def list_uploads(
    db: Reader, actor: Principal, page: PageRequest, *, state: UploadState | None
) -> Page[UploadDetails]:
    """The actor's uploads, the newest first."""
    return await UPLOADS.page(db, page, viewer=actor.user_id, state=state)


async def list_person_uploads(
    db: Reader, actor: Principal | None, page: PageRequest, *, username: str
) -> Page[UploadedTrack]:
    """What somebody has uploaded and the actor may hear, the newest first. Raises NotFound, ProfileRestricted."""
    viewer = actor.user_id if actor else None
    tracks = await PERSON_UPLOADS.page(db, page, viewer=viewer, username_key=username.lower())
    if not tracks.items:
        await open_person(db, actor, username)
    return tracks


async def get_usage(db: Runs, settings: Settings, actor: Principal) -> UploadUsage:
    """How much room the actor's uploads take, and what may still come of those that are gone."""
    rows = await db.records(_USED, [actor.user_id, CLEARED, TOO_LATE, ABANDONED])
    return UploadUsage(used_bytes=int(rows[0]["used"]), quota_bytes=_quota(settings))


def may_edit_catalog(settings: Settings, actor: Principal) -> bool:
    """Whether the actor's tracks may be those of the catalogue."""
    return settings.catalog_writes == "users" or actor.is_curator


# With what lies in the inbox, or may still come by a link, of what failed or was deleted. Not what a finished upload's
# link may bring once more: honest people would have half the room, and the inbox is cleared of it soon.
_USED = """
    SELECT coalesce(sum(size), 0) AS used FROM (
        SELECT size FROM uploads WHERE owner_id = $1 AND (
            state <> 'failed' OR link_expires_at > now() - $2::interval
            OR failure_code = $3 AND finalised_at > now() - $4::interval)
        UNION ALL
        SELECT size FROM upload_links WHERE owner_id = $1 AND expires_at > now() - $2::interval
    ) AS counted"""


def _quota(settings: Settings) -> int:
    return settings.upload_quota_mb * 1024 * 1024


def _kind_of(new: UploadInput) -> Kind:
    if new.size > MOST_BYTES:
        raise UploadTooLarge
    kind = ANNOUNCED.get(new.content_type.lower())
    if kind is None:
        known = ", ".join(sorted(ANNOUNCED))
        raise Invalid.field("/body/content_type", f"Send one of {known}.", "unknown_type")
    return kind


async def _refuse_known(db: Writer, actor: Principal, sha256: str) -> None:
    mine = select(Upload.id).filter_by(owner_id=actor.user_id, sha256=sha256, state="ready")
    if (known := await db.one(mine)) is not None:
        raise AlreadyUploaded(f"It is your upload {known}.", existing_id=known)


async def _check_quota(db: Writer, settings: Settings, actor: Principal, size: int) -> None:
    usage = await get_usage(db, settings, actor)
    if usage.used_bytes + size > usage.quota_bytes:
        detail = f"{usage.used_bytes:,} of {usage.quota_bytes:,} bytes are used. Delete what you no longer need."
        detail += " What was announced a short time ago counts until the link for its file has expired."
        raise QuotaExceeded(detail, **usage.model_dump())


def _check_visibility(wishes: Finalise) -> None:
    """Nobody's recording becomes public who asks for something else."""
    if "visibility" in wishes.model_fields_set and wishes.visibility != "public":
        detail = "Everybody hears the recording of a track of the catalogue: say public, or leave out track_id."
        raise Invalid.field("/body/visibility", detail, "must_be_public")


async def _check_track(infra: Infra, actor: Principal, track_id: UUID) -> None:
    if not may_edit_catalog(infra.settings, actor):
        raise Forbidden("Only a curator may add recordings to tracks of the catalogue.")
    of_catalog = select(Track.audio_type).where(
        Track.id == track_id, Track.owner_id.is_(None), Track.merged_into_id.is_(None)
    )
    found = await infra.db.reader.rows(of_catalog)
    if not found:
        raise Invalid.field("/body/track_id", "There is no such track in the catalogue.", "unknown_id")
    if found[0].audio_type is not None:
        raise Invalid.field("/body/track_id", "This track has a recording already.", "has_recording")


async def _check_content(infra: Infra, upload: Upload) -> None:
    """Whatever the store believes: as many bytes as were announced, and of that kind. The rest is looked at later."""
    files, key = infra.part(storage), inbox_key(upload.id)
    found = await files.stat(key)
    if found is None:
        raise NotUploaded("Send the file to the address that you were given, then finalise again.")
    if found.size != upload.size:
        await _fail(infra, upload, "other_size", f"{found.size:,} bytes came in place of {upload.size:,}.")
    pieces = await files.get(key, start=0, end=min(HEAD, upload.size))
    head = b"".join([piece async for piece in pieces]) if pieces else b""
    kind = sniff(head)
    if after_tags(head) > HEAD // 2:
        return  # its tags are most of what is looked at here: the job sees what is behind them
    if kind != ANNOUNCED[upload.content_type.lower()]:
        what = f"{kind} audio" if kind else "no audio that is known here"
        await _fail(infra, upload, "other_type", f"It was announced as {upload.content_type} and is {what}.")


async def _fail(infra: Infra, upload: Upload, code: str, detail: str) -> None:
    """What was not announced is not kept."""
    failed: dict[str, Any] = {"state": "failed", "failure_code": code, "failure": detail, "expires_at": None}
    async with infra.db.write() as db:
        await db.execute(update(Upload).where(Upload.id == upload.id, Upload.state == "waiting").values(failed))
    await infra.part(storage).delete(inbox_key(upload.id))
    raise OtherContent(f"{detail} Announce it anew.", reason=code)


def _finalised(upload: Upload) -> AlreadyFinalised:
    return AlreadyFinalised(f"See /api/v1/uploads/{upload.id} for what became of it.", upload_id=upload.id)
