"""Shapes of imports."""

from app.core.schemas import Output
from app.playlists.files_formats import FormatName
from app.playlists.schemas import PlaylistDetail

__all__ = ["ImportedPlaylist", "UnmatchedEntry"]


class UnmatchedEntry(Output):
    """Something that the catalogue does not have. `position` counts from 0."""

    position: int
    title: str
    artist: str


class ImportedPlaylist(Output):
    """A playlist as it came out of a file. `unmatched` are its first 100 placeholders."""

    playlist: PlaylistDetail
    format: FormatName
    matched_count: int
    unmatched_count: int
    unmatched: list[UnmatchedEntry]
