"""What a job does with a file that was uploaded: looks at all of it, and makes it a track."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import and_, func, or_, select, update

from app.catalog.models import Track
from app.core.db import Writer
from app.core.infra import Infra
from app.core.jobs import enqueue, job
from app.core.text import name_key
from app.integrations.storage import storage
from app.uploads.apart import read_apart
from app.uploads.covers import show_cover
from app.uploads.fetching import fetch
from app.uploads.models import Upload
from app.uploads.placing import find_place, hold_uploads, place_track, settle
from app.uploads.reading import Facts, Unreadable, line
from app.uploads.renditions import Recorded, make_renditions
from app.uploads.sniffing import ANNOUNCED, TYPES
from app.users.models import User

__all__ = ["Order", "inbox_key", "process_upload"]

_MOST_GENRES = 20


class Order(BaseModel):
    """Which upload, and whether its owner edits the catalogue."""

    upload_id: UUID
    edits_catalog: bool


@dataclass(frozen=True, slots=True)
class Content:
    """A whole file, looked at; `pictured` if its tags hold what may be a cover."""

    sha256: str
    facts: Facts
    pictured: bool


TOO_LATE = "processing_failed"
ABANDONED = timedelta(hours=24)
_GIVEN_UP = and_(
    Upload.state == "failed", Upload.failure_code == TOO_LATE, Upload.finalised_at > func.now() - ABANDONED
)
AWAITED = or_(Upload.state == "processing", _GIVEN_UP)
"""Its file may still become a recording: one that was given up is taken when its turn comes within a day after all."""


def inbox_key(upload_id: UUID) -> str:
    """Where the file arrives. Whoever has the link may write there again, so nothing is served from there."""
    return f"inbox/{upload_id.hex}.bin"


@job(seconds=900.0, at_most=2)
async def process_upload(infra: Infra, order: Order) -> None:
    """Takes the file to a place that nobody else can write to, and believes only what is there."""
    upload = await infra.db.reader.one(select(Upload).where(Upload.id == order.upload_id, AWAITED))
    if upload is None:
        return
    files = infra.part(storage)
    if await files.stat(upload.key) is None:
        await files.copy(inbox_key(upload.id), upload.key)
    try:
        content = await _look_at(infra, upload)
        async with infra.db.write() as db:
            is_there = await _accept(db, upload, content, edits_catalog=order.edits_catalog)
        if not is_there:
            await files.delete(upload.key)
    except Unreadable as fault:
        await files.delete(upload.key)
        async with infra.db.write() as db:
            await _refuse(db, upload.id, fault)
    await files.delete(inbox_key(upload.id))


async def _look_at(infra: Infra, upload: Upload) -> Content:
    with TemporaryDirectory(prefix="upload-") as folder:
        path, cover = Path(folder) / upload.key.rpartition("/")[2], Path(folder) / "cover"
        sha256 = await fetch(infra, upload.key, path, most=upload.size)
        if path.stat().st_size != upload.size:
            raise Unreadable("other_size", "The file is shorter than was announced.")
        facts = await read_apart(path, cover=cover)
        content = Content(sha256, facts, cover.exists())
    if facts.kind != ANNOUNCED[upload.content_type.lower()]:
        raise Unreadable("other_type", f"It was announced as {upload.content_type} and is {TYPES[facts.kind]}.")
    return content


async def _accept(db: Writer, upload: Upload, content: Content, *, edits_catalog: bool) -> bool:
    """Makes it ready, as the recording of a track; False if it was deleted. Raises Unreadable for one that is known."""
    await hold_uploads(db, upload.owner_id)
    mine = select(Upload.state, AWAITED).where(Upload.id == upload.id)
    now = (await db.rows(mine.with_for_update(of=Upload)))[:1]
    if not now or not now[0][1]:
        return bool(now) and now[0].state == "ready"  # another run was faster
    same = select(Upload.id).filter_by(owner_id=upload.owner_id, sha256=content.sha256, state="ready")
    if (known := await db.one(same)) is not None:
        raise Unreadable("already_uploaded", f"You have uploaded this recording before: it is your upload {known}.")
    facts = content.facts
    wanted = upload.wishes.get("track_id")
    if wanted:
        track_id = await _add_recording(db, UUID(wanted), facts)
    else:
        track_id = await _make_track(db, upload, facts, edits_catalog=edits_catalog)
    found = {name: getattr(facts, name) for name in ("duration_ms", "bitrate_kbps", "sample_rate", "channels", "tags")}
    ready = {
        "failure_code": None,
        "failure": None,
        "state": "ready",
        "track_id": track_id,
        "audio_type": TYPES[facts.kind],
        "sha256": content.sha256,
    }
    await db.execute(update(Upload).where(Upload.id == upload.id).values(ready | found))
    await enqueue(db, make_renditions, Recorded(upload_id=upload.id))
    if content.pictured:
        await enqueue(db, show_cover, Recorded(upload_id=upload.id))
    return True


async def _add_recording(db: Writer, track_id: UUID, facts: Facts) -> UUID:
    """The recording of a track of the catalogue."""
    free = update(Track).where(
        Track.id == track_id, Track.owner_id.is_(None), Track.merged_into_id.is_(None), Track.audio_type.is_(None)
    )
    length = func.coalesce(Track.duration_ms, facts.duration_ms)
    added = free.values(audio_type=TYPES[facts.kind], duration_ms=length).returning(Track.id)
    found: UUID | None = await db.scalar(added)
    if found is None:
        raise Unreadable("has_recording", "This track has a recording by now, or is gone.")
    return found


async def _make_track(db: Writer, upload: Upload, facts: Facts, *, edits_catalog: bool) -> UUID:
    """A track of the owner's: as they wish, as the file says, or as it is called."""
    wishes, tags = upload.wishes, facts.tags
    title = wishes.get("title") or tags.get("title") or line(Path(upload.filename).stem) or "Untitled"
    artist = wishes.get("artist") or tags.get("artist") or tags.get("albumartist")
    if not artist:
        artist = await db.one(select(User.display_name).filter_by(id=upload.owner_id)) or "Unknown"
    album = wishes["album"] if "album" in wishes else tags.get("album")
    year = wishes.get("year") or _year(tags.get("year"))
    place = await find_place(db, upload.owner_id, artist=artist, album=album, year=year, edits_catalog=edits_catalog)
    track = Track(id=upload.id, title=title, title_key=name_key(title), owner_id=upload.owner_id)
    track.visibility, track.audio_type = wishes.get("visibility", "private"), TYPES[facts.kind]
    track.duration_ms, track.year = facts.duration_ms, year
    track.genres = wishes.get("genres") or _genres(tags.get("genre"))
    await place_track(db, track, place, disc=tags.get("disc"), position=tags.get("track"))
    db.add(track)
    await settle(db, [track.id], [place])
    return track.id


def _year(value: Any) -> int | None:
    digits = str(value or "")[:4]
    return int(digits) if digits.isascii() and digits.isdecimal() and 1000 <= int(digits) <= 2100 else None


def _genres(value: Any) -> list[str]:
    names = (line(part, 60) for part in str(value or "").replace("/", ";").split(";"))
    return list(dict.fromkeys(name.casefold() for name in names if name))[:_MOST_GENRES]


async def _refuse(db: Writer, upload_id: UUID, fault: Unreadable) -> None:
    failed = {"state": "failed", "failure_code": fault.code, "failure": fault.detail}
    await db.execute(update(Upload).where(Upload.id == upload_id, Upload.state == "processing").values(failed))
