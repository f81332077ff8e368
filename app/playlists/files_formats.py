"""The formats of playlist files, and which of them a file is in."""

from collections.abc import Callable
from pathlib import PurePath
from typing import Literal, NamedTuple, get_args

from app.playlists.files import MOST_BYTES, BadPlaylistFile, FileTooLarge, PlaylistFile, decoded
from app.playlists.files_csv import is_csv_header, read_csv, write_csv
from app.playlists.files_jspf import read_jspf, write_jspf
from app.playlists.files_m3u import read_m3u, write_m3u
from app.playlists.files_xspf import read_xspf, write_xspf

__all__ = ["FORMATS", "Format", "FormatName", "format_of", "read_file"]

FormatName = Literal["m3u8", "xspf", "jspf", "csv"]


class Format(NamedTuple):
    """How a kind of file is called, read and written."""

    media_type: str
    other_types: frozenset[str]
    endings: frozenset[str]
    read: Callable[[bytes], PlaylistFile]
    write: Callable[[PlaylistFile], bytes]


FORMATS: dict[FormatName, Format] = {
    "m3u8": Format(
        "audio/x-mpegurl",
        frozenset({"audio/mpegurl", "application/x-mpegurl", "application/vnd.apple.mpegurl", "application/mpegurl"}),
        frozenset({".m3u8", ".m3u"}),
        read_m3u,
        write_m3u,
    ),
    "xspf": Format(
        "application/xspf+xml",
        frozenset({"application/xml", "text/xml"}),
        frozenset({".xspf", ".xml"}),
        read_xspf,
        write_xspf,
    ),
    "jspf": Format(
        "application/jspf+json", frozenset({"application/json"}), frozenset({".jspf", ".json"}), read_jspf, write_jspf
    ),
    "csv": Format(
        "text/csv",
        frozenset({"application/csv", "text/tab-separated-values"}),
        frozenset({".csv", ".tsv"}),
        read_csv,
        write_csv,
    ),
}
assert set(FORMATS) == set(get_args(FormatName))


def read_file(
    body: bytes, *, name: FormatName | None = None, content_type: str = "", file_name: str = ""
) -> tuple[FormatName, PlaylistFile]:
    """Reads a file, and says in which format it is. Raises BadPlaylistFile, FileTooLarge."""
    if len(body) > MOST_BYTES:
        raise FileTooLarge("This file has more than 5 MB.")
    if not body.strip():
        raise BadPlaylistFile("The file is empty. Send the file itself as the body, or a form with it as `file`.")
    name = name or format_of(body, content_type=content_type, file_name=file_name)
    return name, FORMATS[name].read(body)


def format_of(body: bytes, *, content_type: str = "", file_name: str = "") -> FormatName:
    """What its name says, else its media type, else its first letters. Raises BadPlaylistFile."""
    ending = PurePath(file_name).suffix.lower()
    kind = content_type.partition(";")[0].strip().lower()
    for name, format_ in FORMATS.items():
        if ending in format_.endings:
            return name
    for name, format_ in FORMATS.items():
        if kind == format_.media_type or kind in format_.other_types:
            return name
    return _sniffed(body)


def _sniffed(body: bytes) -> FormatName:
    start = decoded(body, legacy=True).lstrip()
    if start.startswith(("{", "[")):
        return "jspf"
    if start.startswith("<"):
        return "xspf"
    first = start.partition("\n")[0].strip()
    if first.startswith("#EXT"):
        return "m3u8"
    if is_csv_header(first):
        return "csv"
    raise BadPlaylistFile.line(1, f"This is none of {', '.join(FORMATS)}. Say which by `format`.")
