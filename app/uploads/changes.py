"""What an owner changes of what they uploaded, and how it goes again."""

from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from app.catalog.events import TrackHidden
from app.catalog.models import Album, Artist, Track
from app.catalog.queries import TRACK_YEAR
from app.catalog.search_index import unindex
from app.catalog.successors import Pairs, forget_track, on_giving_way
from app.core.auth import Principal
from app.core.config import Settings
from app.core.db import Writer
from app.core.errors import Conflict, NotFound
from app.core.jobs import emit, enqueue
from app.core.text import name_key
from app.uploads.covers import show_cover
from app.uploads.files import Files, drop_files
from app.uploads.models import Upload
from app.uploads.placing import Place, find_place, hold_uploads, lock_places, place_track, settle
from app.uploads.processing import inbox_key
from app.uploads.renditions import Recorded
from app.uploads.schemas import UploadChanges, UploadDetails
from app.uploads.service import get_upload, may_edit_catalog

__all__ = ["NotReady", "OfTheCatalogue", "change_upload", "delete_upload", "move_recordings", "take_away"]

_WIDER = {"private": 0, "followers": 1, "public": 2}


class NotReady(Conflict):
    code, title = "upload_not_ready", "This upload is no track yet"


class OfTheCatalogue(Conflict):
    code, title = "recording_of_the_catalogue", "The track belongs to the catalogue"


async def change_upload(
    db: Writer, settings: Settings, actor: Principal, upload_id: UUID, changes: UploadChanges
) -> UploadDetails:
    """Changes what is given of the track. Raises NotFound, NotReady, OfTheCatalogue."""
    await hold_uploads(db, actor.user_id)
    upload = await db.one(select(Upload).filter_by(id=upload_id, owner_id=actor.user_id))
    if upload is None:
        raise NotFound("There is no such upload of yours.")
    if upload.track_id is None:
        raise NotReady(f"It is {upload.state}.", state=upload.state)
    values = changes.model_dump(exclude_unset=True)
    places = await _new_places(db, settings, actor, upload.track_id, values)
    await lock_places(db, [album for _, album in places if album], [artist for artist, _ in places])
    track = await db.one(select(Track).filter_by(id=upload.track_id).with_for_update())
    if track is None or track.owner_id != actor.user_id:
        raise OfTheCatalogue("Change the track itself.")
    if places[-1] != (track.artist_id, track.album_id):
        await place_track(db, track, places[-1], disc=None, position=None)
        await enqueue(db, show_cover, Recorded(upload_id=upload_id))
    await _apply(db, track, values)
    if values.get("year") and track.album_id:
        own = update(Album).where(Album.id == track.album_id, Album.owner_id == actor.user_id)
        await db.execute(own.values(year=values["year"]))
    await settle(db, [track.id], places)
    return await get_upload(db, actor, upload_id)


async def delete_upload(db: Writer, actor: Principal, upload_id: UUID) -> None:
    """Deletes an upload with its files and its track: one's own, or as an admin. Raises NotFound."""
    mine = select(Upload.owner_id).where(Upload.id == upload_id)
    owner_id = await db.one(mine if actor.is_admin else mine.where(Upload.owner_id == actor.user_id))
    if owner_id is None:
        raise NotFound("There is no such upload of yours.")
    await hold_uploads(db, owner_id)
    upload = await db.one(select(Upload).filter_by(id=upload_id).with_for_update())
    if upload is not None:
        await take_away(db, upload)


_LEAVE_LINK = """
    INSERT INTO upload_links (id, owner_id, size, expires_at)
    SELECT id, owner_id, size, link_expires_at FROM uploads WHERE id = $1 AND link_expires_at > now()"""


async def take_away(db: Writer, upload: Upload) -> None:
    """Deletes an upload whose owner is held. Files go after the commit."""
    keys = [upload.key, inbox_key(upload.id), *(made["key"] for made in upload.renditions)]
    track_id = upload.track_id
    await db.records(_LEAVE_LINK, [upload.id])
    await db.execute(delete(Upload).where(Upload.id == upload.id))
    if track_id is not None:
        await _take_track(db, track_id)
        await emit(db, TrackHidden(track_id=track_id))
    await enqueue(db, drop_files, Files(keys=keys))


_MOVE_RECORDINGS = """
    WITH pairs AS (SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS pairs (duplicate, kept)),
    moving AS (
        SELECT DISTINCT ON (kept) duplicate, kept, d.audio_type FROM pairs
        JOIN tracks d ON d.id = duplicate JOIN tracks k ON k.id = kept
        WHERE d.audio_type IS NOT NULL AND k.audio_type IS NULL ORDER BY kept, duplicate
    ),
    given AS (UPDATE tracks SET audio_type = moving.audio_type FROM moving WHERE tracks.id = moving.kept),
    taken AS (UPDATE tracks SET audio_type = NULL FROM moving WHERE tracks.id = moving.duplicate)
    UPDATE uploads SET track_id = moving.kept FROM moving WHERE uploads.track_id = moving.duplicate"""


@on_giving_way
async def move_recordings(db: Writer, pairs: Pairs) -> None:
    """A recording of a duplicate becomes that of the track that stays, if that has none."""
    duplicates, kept = [duplicate for duplicate, _ in pairs], [stays for _, stays in pairs]
    await db.records(_MOVE_RECORDINGS, [duplicates, kept])


async def _take_track(db: Writer, track_id: UUID) -> None:
    """A track of the catalogue loses its recording. The owner's own goes; one that was heard falls silent for good."""
    silent: dict[str, Any] = {"audio_type": None}
    known = select(Track.owner_id, Track.artist_id, Track.album_id, Track.visibility)
    row = (await db.rows(known.filter_by(id=track_id)))[0]
    mine = update(Track).where(Track.id == track_id)
    if row.owner_id is None:
        await db.execute(mine.values(silent))
        return
    await lock_places(db, [row.album_id] if row.album_id else [], [row.artist_id])
    if row.visibility != "public":
        await forget_track(db, track_id)
    try:
        async with db.begin_nested():
            await db.execute(delete(Track).where(Track.id == track_id))
    except IntegrityError:
        # somebody's listens speak of it; they are the only ones who could tell, and nobody is shown it any more
        await db.execute(mine.values(silent | {"visibility": "private"}))
    await unindex(db, [track_id])
    await settle(db, [], [(row.artist_id, row.album_id)])


async def _new_places(
    db: Writer, settings: Settings, actor: Principal, track_id: UUID, values: dict[str, Any]
) -> list[Place]:
    """Where the track is, and where it is to be."""
    names = select(Artist.name, Album.title, TRACK_YEAR.label("year"), Track.artist_id, Track.album_id)
    names = names.join_from(Track, Artist, Artist.id == Track.artist_id).outerjoin(Album, Album.id == Track.album_id)
    row = (await db.rows(names.where(Track.id == track_id)))[0]
    before = (row.artist_id, row.album_id)
    if not {"artist", "album", "year"} & values.keys():
        return [before]
    after = await find_place(
        db,
        actor.user_id,
        artist=values.get("artist") or row.name,
        album=values.get("album", row.title),
        year=values.get("year", row.year),
        edits_catalog=may_edit_catalog(settings, actor),
    )
    return [before, after]


async def _apply(db: Writer, track: Track, values: dict[str, Any]) -> None:
    if values.get("title"):
        track.title, track.title_key = values["title"], name_key(values["title"])
    if "year" in values:
        track.year = values["year"]
    if values.get("genres") is not None:
        track.genres = values["genres"]
    visibility = values.get("visibility", track.visibility)
    narrower = _WIDER[visibility] < _WIDER[track.visibility]
    track.visibility = visibility
    if narrower:
        await emit(db, TrackHidden(track_id=track.id))
