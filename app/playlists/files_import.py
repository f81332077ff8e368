"""Playlists out of files: what the catalogue has becomes a track, the rest keeps its place and its words."""

import asyncio
from collections.abc import Sequence
from pathlib import PurePath
from typing import NamedTuple
from uuid import UUID

from app.catalog.matching import match_tracks
from app.core.auth import Principal
from app.core.db import Writer
from app.playlists.entries import NewEntry, add_entries
from app.playlists.files import Entry, PlaylistFile, tidy
from app.playlists.files_formats import FormatName, read_file
from app.playlists.files_schemas import ImportedPlaylist, UnmatchedEntry
from app.playlists.identifiers import uris_of
from app.playlists.schemas import Visibility
from app.playlists.service import create_playlist, readable

__all__ = ["ReceivedFile", "add_file", "import_playlist", "new_entries", "parse_file"]

MOST_TOLD = 100
_LONGEST_NAME, _LONGEST_DESCRIPTION = 100, 1000


class ReceivedFile(NamedTuple):
    """A file that was read."""

    format: FormatName
    content: PlaylistFile
    file_name: str


async def parse_file(
    body: bytes, *, name: FormatName | None = None, content_type: str = "", file_name: str = ""
) -> ReceivedFile:
    """Reads a file aside, so that other requests go on. Raises BadPlaylistFile, FileTooLarge."""
    kind, content = await asyncio.to_thread(read_file, body, name=name, content_type=content_type, file_name=file_name)
    return ReceivedFile(kind, content, file_name)


async def import_playlist(
    db: Writer, actor: Principal, file: ReceivedFile, *, name: str | None = None, visibility: Visibility = "private"
) -> ImportedPlaylist:
    """A new playlist with everything that is in the file. Raises TooManyPlaylists."""
    content = file.content
    called = name or content.title or tidy(PurePath(file.file_name).stem) or "Imported playlist"
    playlist_id = await create_playlist(
        db,
        actor,
        name=called[:_LONGEST_NAME].strip(),
        description=content.description[:_LONGEST_DESCRIPTION].strip(),
        visibility=visibility,
    )
    return await add_file(db, actor, playlist_id, file)


async def add_file(
    db: Writer, actor: Principal, playlist_id: UUID, file: ReceivedFile, *, at: int | None = None
) -> ImportedPlaylist:
    """Adds everything that is in the file, at a place or at the end. Raises as `add_entries` does."""
    entries = await new_entries(db, actor, file.content.entries)
    await add_entries(db, actor, playlist_id, entries, at=at)
    unmatched = [(place, entry) for place, entry in enumerate(entries) if entry.track_id is None]
    return ImportedPlaylist(
        playlist=await readable(db, actor, playlist_id),
        format=file.format,
        matched_count=len(entries) - len(unmatched),
        unmatched_count=len(unmatched),
        unmatched=[
            UnmatchedEntry(position=place, title=entry.title, artist=entry.artist)
            for place, entry in unmatched[:MOST_TOLD]
        ],
    )


async def new_entries(db: Writer, actor: Principal, described: Sequence[Entry]) -> list[NewEntry]:
    """Entries to be added: tracks of the catalogue that the actor may hear, placeholders for the rest."""
    found = await match_tracks(db, actor, described)
    return [
        NewEntry(track_id=track_id, location=entry.location or None) if track_id else _placeholder(entry)
        for entry, track_id in zip(described, found, strict=True)
    ]


def _placeholder(entry: Entry) -> NewEntry:
    return NewEntry(
        title=entry.title or entry.location or next(iter(uris_of(entry)), ""),
        artist=entry.artist,
        album=entry.album or None,
        duration_ms=entry.duration_ms,
        isrc=entry.isrc,
        musicbrainz_id=entry.musicbrainz_id,
        spotify_id=entry.spotify_id,
        location=entry.location or None,
    )
