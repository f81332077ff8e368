"""Files out of playlists."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import quote
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, select

from app.catalog.hearing import heard_by
from app.catalog.media import media_url
from app.catalog.models import Track
from app.core.auth import Principal
from app.core.config import Settings
from app.core.infra import Infra
from app.core.query import Query, Runs
from app.core.schemas import Output
from app.core.text import name_key
from app.playlists.files import Entry, PlaylistFile
from app.playlists.files_formats import FORMATS, FormatName
from app.playlists.identifiers import uris_of
from app.playlists.schemas import PlaylistDetail, SavedEntry
from app.playlists.service import all_entries, readable

__all__ = ["WrittenFile", "as_file", "write_playlist"]


class Playable(Output):
    """A track with a recording, and for whom it is."""

    id: UUID
    visibility: str


_PLAYABLE = Query(
    select(Track.id, Track.visibility).where(
        Track.id == any_(bindparam("ids", type_=ARRAY(Uuid))), Track.audio_type.is_not(None), heard_by()
    ),
    into=Playable,
)


class WrittenFile(NamedTuple):
    """A file, ready to be sent."""

    body: bytes
    headers: dict[str, str]


async def write_playlist(infra: Infra, actor: Principal | None, playlist_id: UUID, *, name: FormatName) -> WrittenFile:
    """A playlist as a file of that format. Raises NotFound."""
    db = infra.db.reader
    playlist = await readable(db, actor, playlist_id)
    entries = await all_entries(db, actor, playlist_id)
    file = as_file(playlist, entries)
    if name == "m3u8":
        file = await _with_recordings(db, actor, file, infra.settings)
    body = await asyncio.to_thread(FORMATS[name].write, file)
    headers = {
        "content-type": FORMATS[name].media_type + ("; charset=utf-8" if name == "csv" else ""),
        "content-disposition": _disposition(f"{playlist.name}.{name}"),
        "cache-control": "private, no-cache",
    }
    return WrittenFile(body, headers)


def as_file(playlist: PlaylistDetail, entries: Sequence[SavedEntry]) -> PlaylistFile:
    """What a file says of a playlist. Where the files of those who made it lie is told to nobody else."""
    return PlaylistFile(
        title=playlist.name,
        description=playlist.description,
        creator=playlist.owner.display_name if playlist.owner else "",
        entries=[_entry(entry, with_location=playlist.role is not None) for entry in entries],
    )


def _entry(saved: SavedEntry, *, with_location: bool) -> Entry:
    entry = Entry(
        title=saved.title,
        artist=saved.artist,
        album=saved.album or "",
        duration_ms=saved.duration_ms,
        isrc=saved.isrc,
        spotify_id=saved.spotify_id,
        musicbrainz_id=saved.musicbrainz_id,
        track_id=saved.track_id,
        location=(saved.location or "") if with_location else "",
    )
    # what stands in place of a title that nobody knows
    return replace(entry, title="") if entry.title in uris_of(entry) else entry


async def _with_recordings(db: Runs, actor: Principal | None, file: PlaylistFile, settings: Settings) -> PlaylistFile:
    """Has players find for some hours what can be heard here."""
    ids = [entry.track_id for entry in file.entries if entry.track_id]
    rows = await _PLAYABLE.all(db, viewer=actor.user_id if actor else None, ids=ids) if ids else []
    urls: Mapping[UUID | None, str] = {
        row.id: settings.base_url + media_url(settings.secret, row.id, row.visibility) for row in rows
    }
    return replace(file, entries=[replace(it, location=urls.get(it.track_id, it.location)) for it in file.entries])


def _disposition(file_name: str) -> str:
    """With letters that every client reads, and the name as it is for those that read RFC 8187."""
    stem, _, ending = file_name.rpartition(".")
    plain = re.sub(r"[^a-z0-9]+", "-", name_key(stem))[:80].strip("-") or "playlist"
    return f"attachment; filename=\"{plain}.{ending}\"; filename*=UTF-8''{quote(file_name, safe='')}"
