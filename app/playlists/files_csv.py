"""CSV: a row for each track, under a header in the words of whichever program wrote it."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from typing import Any

from app.playlists.files import BadPlaylistFile, Findings, PlaylistFile, checked, decoded, milliseconds
from app.playlists.identifiers import identify, isrc_of, spotify_id_of, uuid_of

__all__ = ["is_csv_header", "read_csv", "write_csv"]

_COLUMNS = ("title", "artist", "album", "duration_ms", "isrc", "spotify_id", "musicbrainz_id", "track_id", "location")
_NAMES = {
    "title": "title name track trackname tracktitle song songname songtitle",
    "artist": "artist artists artistname artistnames trackartist performer creator",
    "album": "album albumname albumtitle release releasename",
    "duration_ms": "durationms trackdurationms milliseconds",
    "duration": "duration trackduration length time seconds durations",
    "isrc": "isrc isrccode",
    "spotify_id": "spotifyid spotifyuri spotifytrackid spotifyurl trackuri trackurl uri",
    "musicbrainz_id": "musicbrainzid mbid recordingmbid musicbrainzrecordingid musicbrainztrackid",
    "track_id": "trackid",
    "location": "location path file filename url",
}
_MEANINGS = {name: column for column, names in _NAMES.items() for name in names.split()}
_TELLING = {"title", "isrc", "spotify_id", "musicbrainz_id", "track_id"}
_FORMULA = re.compile(r"'*[=+\-@]")
_QUOTED = re.compile(r"'+[=+\-@]")


def read_csv(body: bytes) -> PlaylistFile:
    """Reads cells between commas, semicolons or tabs. Raises BadPlaylistFile, FileTooLarge."""
    text, findings = decoded(body), Findings()
    first = text.partition("\n")[0]
    rows = _numbered(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(first), strict=True))
    line, header = next(rows, (1, []))
    columns = _columns(header)
    if columns is None:
        raise BadPlaylistFile.line(line, f"The header names no title. Known columns are {', '.join(_COLUMNS)}.")
    for line, cells in rows:
        _take(findings, line, columns, cells)
    return findings.result("")


def write_csv(playlist: PlaylistFile) -> bytes:
    """Writes a row for each track. The format has no place for the playlist's own title."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(_COLUMNS)
    writer.writerows([_cell(getattr(entry, column)) for column in _COLUMNS] for entry in playlist.entries)
    return file.getvalue().encode("utf-8-sig")  # without the mark spreadsheets take it for another encoding


def is_csv_header(line: str) -> bool:
    """Whether the first line of a file names columns."""
    return _columns(line.split(_delimiter(line))) is not None


def _delimiter(header: str) -> str:
    return max(",;\t", key=header.count)


def _columns(header: list[str]) -> list[str | None] | None:
    """What each column means, or None if nothing there names a track."""
    columns = [_MEANINGS.get(re.sub(r"[^a-z]", "", name.lower())) for name in header]
    # the first of two columns with one meaning counts
    columns = [column if column not in columns[:place] else None for place, column in enumerate(columns)]
    return columns if _TELLING & set(columns) else None


def _numbered(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line that they begin on; a quoted text may take several."""
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise BadPlaylistFile.line(line, f"{error}.") from error


def _take(findings: Findings, line: int, columns: list[str | None], cells: list[str]) -> None:
    if len(cells) != len(columns):
        findings.wrong_line(line, f"{len(cells)} cells in place of {len(columns)}.")
        return
    try:
        given = [(column, cell.strip()) for column, cell in zip(columns, cells, strict=True) if column and cell.strip()]
        fields: dict[str, Any] = {}
        for column, cell in given:
            fields |= _PARSERS[column](cell)
        findings.add(checked(**fields))
    except ValueError as error:
        findings.wrong_line(line, f"{error}.")


def _plain(name: str) -> Callable[[str], dict[str, Any]]:
    return lambda cell: {name: cell[1:] if _QUOTED.match(cell) else cell}


def _id(name: str, parse: Callable[[str], Any], kind: str) -> Callable[[str], dict[str, Any]]:
    def read(cell: str) -> dict[str, Any]:
        ids = identify(cell)
        if not ids and (value := parse(cell)) is None:
            raise ValueError(f"{cell[:60]!r} is no {kind}")
        return ids or {name: value}

    return read


def _uri(cell: str) -> dict[str, Any]:
    """Ids of other shops in such a column say nothing to us, and do no harm."""
    return identify(cell) or ({"spotify_id": cell} if spotify_id_of(cell) else {})


def _own_id(cell: str) -> dict[str, Any]:
    found = uuid_of(cell)
    return {"track_id": found} if found else _uri(cell)


def _location(cell: str) -> dict[str, Any]:
    return identify(cell) or {"location": _plain("location")(cell)["location"]}


def _milliseconds(cell: str) -> dict[str, Any]:
    if not re.fullmatch(r"\d{1,12}(\.\d{1,12})?", cell):
        raise ValueError(f"{cell[:40]!r} is no number of milliseconds")
    return {"duration_ms": milliseconds(float(cell))}


def _clock(cell: str) -> dict[str, Any]:
    """Seconds, or minutes and seconds, or hours too."""
    if not re.fullmatch(r"(\d{1,5}:){0,2}\d{1,8}(\.\d{1,12})?", cell):
        raise ValueError(f"{cell[:40]!r} is no length: write seconds, or minutes and seconds as 3:35")
    seconds = 0.0
    for part in cell.split(":"):
        seconds = seconds * 60 + float(part)
    return {"duration_ms": milliseconds(seconds * 1000)}


_PARSERS: dict[str, Callable[[str], dict[str, Any]]] = {
    "title": _plain("title"),
    "artist": _plain("artist"),
    "album": _plain("album"),
    "duration_ms": _milliseconds,
    "duration": _clock,
    "isrc": _id("isrc", isrc_of, "ISRC, which has 12 letters and digits"),
    "spotify_id": _uri,
    "musicbrainz_id": _id("musicbrainz_id", uuid_of, "id of MusicBrainz, which is a UUID"),
    "track_id": _own_id,
    "location": _location,
}


def _cell(value: Any) -> str:
    """A text that a spreadsheet would run as a formula gets a quote in front, as spreadsheets themselves do."""
    text = "" if value is None else str(value)
    return f"'{text}" if _FORMULA.match(text) else text
