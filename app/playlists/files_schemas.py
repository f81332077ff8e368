"""Shapes of imports, and of what placeholders become."""

from app.core.schemas import Output
from app.playlists.files_formats import FormatName
from app.playlists.schemas import PlaylistDetail, PlaylistVersion

__all__ = ["ImportedPlaylist", "MatchedEntries", "UnmatchedEntry"]


class UnmatchedEntry(Output):
    """Something that the catalogue does not have. `position` counts from 0."""

    position: int
    title: str
    artist: str


class ImportedPlaylist(Output):
    """What came out of a file. `unmatched` are the first 100 placeholders, counted from the beginning of the file."""

    playlist: PlaylistDetail
    format: FormatName
    matched_count: int
    unmatched_count: int
    unmatched: list[UnmatchedEntry]


class MatchedEntries(PlaylistVersion):
    """How many placeholders became tracks."""

    matched: int
