"""What is in playlists, and what was done to them."""

from uuid import UUID

from app.core.auth import CurrentUser, MaybeUser
from app.core.errors import Invalid, NotFound, Unauthorized, problems
from app.core.http import ReadDB, Router, WriteDB
from app.core.limits import limited
from app.core.paging import LongPaged, Page, Paged, Sheet
from app.playlists import entries, matching, service
from app.playlists.entries import NewEntry, PlaylistFull
from app.playlists.inputs import EntriesInput, EntryIds, EntryMatch, MoveInput
from app.playlists.schemas import ActivityItem, EntriesAdded, EntriesRemoved, EntryItem, PlaylistVersion
from app.playlists.standing import NotCollaborator, PlaylistChanged, PlaylistIsSmart

__all__ = ["router"]

router = Router(prefix="/playlists/{playlist_id}", tags=["playlists"])

EDITED = problems(Unauthorized, NotCollaborator, NotFound, PlaylistIsSmart, PlaylistChanged)
EDITS = [limited("playlists.edit", 240, 60)]


@router.get("/entries", summary="What is in a playlist", response_model=Page[EntryItem], responses=problems(NotFound))
async def list_playlist_entries(
    playlist_id: UUID, db: ReadDB, actor: MaybeUser, page: LongPaged
) -> Sheet | Page[EntryItem]:
    """In its order. What the catalogue does not have stands there as a placeholder."""
    return await service.entries_sheet(db, actor, page, playlist_id)


@router.post(
    "/entries",
    status_code=201,
    summary="Add to a playlist",
    responses=problems(Unauthorized, NotCollaborator, NotFound, PlaylistIsSmart, PlaylistChanged, PlaylistFull),
    dependencies=EDITS,
)
async def add_playlist_entries(playlist_id: UUID, body: EntriesInput, db: WriteDB, actor: CurrentUser) -> EntriesAdded:
    """For its owner and editors. At the end, or where you say."""
    added = await entries.add_entries(
        db, actor, playlist_id, _wanted(body), at=body.at, version=body.version, skip_known=body.skip_known
    )
    version = await service.version_of(db, playlist_id)
    return EntriesAdded(entry_ids=added, **version.model_dump())


@router.post("/remove", summary="Remove from a playlist", responses=EDITED, dependencies=EDITS)
async def remove_playlist_entries(playlist_id: UUID, body: EntryIds, db: WriteDB, actor: CurrentUser) -> EntriesRemoved:
    """For its owner and editors. Again, it removes nothing more."""
    removed = await entries.remove_entries(db, actor, playlist_id, body.entry_ids, version=body.version)
    version = await service.version_of(db, playlist_id)
    return EntriesRemoved(removed=removed, **version.model_dump())


@router.post("/move", summary="Move within a playlist", responses=EDITED, dependencies=EDITS)
async def move_playlist_entries(playlist_id: UUID, body: MoveInput, db: WriteDB, actor: CurrentUser) -> PlaylistVersion:
    """For its owner and editors. Give `version` with a `start`: another's change could have moved what stands there."""
    await entries.move_entries(db, actor, playlist_id, **{name: getattr(body, name) for name in MoveInput.model_fields})
    return await service.version_of(db, playlist_id)


@router.patch("/entries/{entry_id}", summary="Match an entry with a track", responses=EDITED, dependencies=EDITS)
async def match_playlist_entry(
    playlist_id: UUID, entry_id: UUID, body: EntryMatch, db: WriteDB, actor: CurrentUser
) -> PlaylistVersion:
    """For its owner and editors: says what a placeholder means, or that an entry means another track."""
    await matching.match_entry(db, actor, playlist_id, entry_id, body.track_id)
    return await service.version_of(db, playlist_id)


@router.delete("/entries/{entry_id}", status_code=204, summary="Remove an entry", responses=EDITED, dependencies=EDITS)
async def remove_playlist_entry(playlist_id: UUID, entry_id: UUID, db: WriteDB, actor: CurrentUser) -> None:
    """For its owner and editors. Again, it changes nothing."""
    await entries.remove_entries(db, actor, playlist_id, [entry_id])


@router.get(
    "/activities", summary="What was done to a playlist", responses=problems(Unauthorized, NotCollaborator, NotFound)
)
async def list_playlist_activities(
    playlist_id: UUID, db: ReadDB, actor: CurrentUser, page: Paged
) -> Page[ActivityItem]:
    """For those who belong to it; the latest first."""
    return await service.activities(db, actor, page, playlist_id)


def _wanted(body: EntriesInput) -> list[NewEntry]:
    if (body.track_ids is None) == (body.placeholders is None):
        raise Invalid.field("/body/track_ids", "Give either `track_ids` or `placeholders`.", "one_of")
    if body.track_ids is not None:
        return [NewEntry(track_id=track_id) for track_id in body.track_ids]
    return [NewEntry(**placeholder.model_dump()) for placeholder in body.placeholders or []]
