"""Uploads of recordings: announce, send, finalise; then they are tracks."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query

from app.core.auth import CurrentUser, MaybeUser
from app.core.errors import Forbidden, Invalid, NotFound, Unauthorized, problems
from app.core.http import Here, ReadDB, Router, WriteDB
from app.core.limits import limited
from app.core.paging import Page, Paged
from app.uploads import changes, service
from app.uploads.changes import NotReady, OfTheCatalogue
from app.uploads.schemas import (
    Finalise,
    UploadChanges,
    UploadDetails,
    UploadedTrack,
    UploadInput,
    UploadState,
    UploadTicket,
    UploadUsage,
)
from app.uploads.service import (
    AlreadyFinalised,
    AlreadyUploaded,
    NotUploaded,
    OtherContent,
    QuotaExceeded,
    UploadTooLarge,
)
from app.users.schemas import USERNAME
from app.users.service import ProfileRestricted

__all__ = ["people", "router"]

router = Router(prefix="/uploads", tags=["uploads"])
people = Router(prefix="/users", tags=["uploads"])

MINE = (Unauthorized, Forbidden)
Username = Annotated[str, Path(pattern=USERNAME, description="Case does not matter", examples=["ana"])]


@router.post(
    "",
    status_code=201,
    summary="Announce an upload",
    responses=problems(*MINE, UploadTooLarge, AlreadyUploaded, QuotaExceeded),
    dependencies=[limited("uploads.initiate", 300, 3600)],
)
async def initiate_upload(new: UploadInput, infra: Here, db: WriteDB, actor: CurrentUser) -> UploadTicket:
    """The first of three steps. Then send the file as `upload` says, and finalise.

    MP3, FLAC, Ogg (Vorbis or Opus), WAV, M4A and AAC. What is not finalised within a day is deleted.
    """
    return await service.initiate_upload(infra, db, actor, new)


@router.get("", summary="Your uploads", responses=problems(*MINE))
async def list_uploads(
    db: ReadDB,
    actor: CurrentUser,
    page: Paged,
    state: Annotated[UploadState | None, Query(description="Only those in this state")] = None,
) -> Page[UploadDetails]:
    """The newest first."""
    return await service.list_uploads(db, actor, page, state=state)


@router.get("/usage", summary="How much room your uploads take", responses=problems(*MINE))
async def get_upload_usage(infra: Here, db: ReadDB, actor: CurrentUser) -> UploadUsage:
    """What failed or was deleted counts until the link for its file has expired."""
    return await service.get_usage(db, infra.settings, actor)


@router.get("/{upload_id}", summary="An upload of yours", responses=problems(*MINE, NotFound))
async def get_upload(upload_id: UUID, db: ReadDB, actor: CurrentUser) -> UploadDetails:
    """`state` goes from waiting to processing, and from there to ready or failed with the reason."""
    return await service.get_upload(db, actor, upload_id)


@router.post(
    "/{upload_id}/finalise",
    status_code=202,
    summary="Finalise an upload",
    responses=problems(*MINE, NotFound, NotUploaded, AlreadyFinalised, OtherContent),
    dependencies=[limited("uploads.finalise", 600, 3600)],
)
async def finalise_upload(upload_id: UUID, wishes: Finalise, infra: Here, actor: CurrentUser) -> UploadDetails:
    """The third step. What was not announced so is deleted. A job reads the rest and makes a track of it.

    Title, artist and album are those that you give; else the file's own.
    """
    return await service.finalise_upload(infra, actor, upload_id, wishes)


@router.patch(
    "/{upload_id}",
    summary="Change what you uploaded",
    responses=problems(*MINE, NotFound, NotReady, OfTheCatalogue, Invalid),
    dependencies=[limited("uploads.change", 240, 60)],
)
async def change_upload(
    upload_id: UUID, wanted: UploadChanges, infra: Here, db: WriteDB, actor: CurrentUser
) -> UploadDetails:
    """Its track's title, artist, album, year and genres, and who may hear it. Signed addresses die with that."""
    return await changes.change_upload(db, infra.settings, actor, upload_id, wanted)


@router.delete(
    "/{upload_id}",
    status_code=204,
    summary="Delete what you uploaded",
    responses=problems(*MINE, NotFound),
)
async def delete_upload(upload_id: UUID, db: WriteDB, actor: CurrentUser) -> None:
    """With its files and its track."""
    await changes.delete_upload(db, actor, upload_id)


@people.get("/{username}/uploads", summary="What somebody uploaded", responses=problems(NotFound, ProfileRestricted))
async def list_person_uploads(username: Username, db: ReadDB, actor: MaybeUser, page: Paged) -> Page[UploadedTrack]:
    """The newest first, as far as you may hear it."""
    return await service.list_person_uploads(db, actor, page, username=username)
