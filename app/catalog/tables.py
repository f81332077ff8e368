"""Files of albums and tracks: their rows, checked one by one, and what is wrong with the others."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, ValidationError

from app.catalog.inputs import Day, Genres, Label, Name, Popularity, SpotifyId, Year
from app.core.errors import Invalid
from app.core.text import name_key

__all__ = ["AlbumRow", "Rows", "TrackRow", "UnreadableFile", "read_rows"]


class UnreadableFile(Invalid):
    code, title = "unreadable_file", "The file cannot be read"


def _split(names: object) -> object:
    return [name for part in names.split(";") if (name := part.strip())] if isinstance(names, str) else names


_GenreColumn = Annotated[Genres, BeforeValidator(_split)]
_Share = Annotated[FiniteFloat, Field(ge=0, le=1)]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, str_strip_whitespace=True)

    title: Name
    artist: Name
    genres: _GenreColumn = Field(default_factory=list)


class AlbumRow(_Row):
    """An album, known by the names of its artist and itself."""

    year: Year | None = None
    release_date: Day | None = None
    label: Label | None = None
    genres: _GenreColumn = Field(default_factory=list)

    @property
    def key(self) -> tuple[str, str]:
        return name_key(self.artist), name_key(self.title)


class TrackRow(_Row):
    """A track, known by its id at Spotify."""

    spotify_track_id: SpotifyId
    spotify_artist_id: SpotifyId | None = None
    popularity: Popularity | None = None
    valence: _Share | None = None
    energy: _Share | None = None
    tempo: Annotated[FiniteFloat, Field(ge=0, le=1000)] | None = None

    @property
    def key(self) -> str:
        return self.spotify_track_id


R = TypeVar("R", AlbumRow, TrackRow)


@dataclass(frozen=True, slots=True)
class Rows(Generic[R]):
    """The good rows, and the lines of the bad ones with a reason."""

    good: list[R] = field(default_factory=list)
    bad: list[tuple[int, str]] = field(default_factory=list)
    lines: dict[Any, int] = field(default_factory=dict)
    """On which line each key was met first."""


def read_rows(path: Path, kind: type[R]) -> Rows[R]:
    """Reads a CSV file with a header. Raises UnreadableFile."""
    rows: Rows[R] = Rows()
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            columns = _columns(path, next(reader, []), kind)
            for line, cells in _numbered(reader):
                _check(rows, kind, columns, line, cells)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UnreadableFile(f"{path}: {reason}. A CSV file in UTF-8 is needed.") from error
    return rows


def _columns(path: Path, header: list[str], kind: type[R]) -> list[str]:
    columns = [name.strip().lower() for name in header]
    needed = [name for name, field in kind.model_fields.items() if field.is_required()]
    if missing := [name for name in needed if name not in columns]:
        known = ", ".join(kind.model_fields)
        found = ", ".join(columns) or "nothing"
        raise UnreadableFile(f"{path} lacks the column {missing[0]}. Its header is {found}; known are {known}.")
    return columns


def _numbered(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line that they begin on; a quoted text may take several."""
    line = reader.line_num + 1
    for cells in reader:
        if cells:
            yield line, cells
        line = reader.line_num + 1


def _check(rows: Rows[R], kind: type[R], columns: list[str], line: int, cells: list[str]) -> None:
    if len(cells) > len(columns) and columns[-1] == "genres":
        # a comma inside of a list that ends the row cannot mean anything else
        cells = [*cells[: len(columns) - 1], ",".join(cells[len(columns) - 1 :])]
    if len(cells) != len(columns):
        rows.bad.append((line, f"{len(cells)} cells in place of {len(columns)}"))
        return
    try:
        given = {name: cell for name, cell in zip(columns, cells, strict=True) if cell.strip()}
        row = kind.model_validate({name: cell for name, cell in given.items() if name in kind.model_fields})
    except ValidationError as error:
        rows.bad.append((line, "; ".join(_reason(fault) for fault in error.errors())))
        return
    first = rows.lines.setdefault(row.key, line)
    if first == line:
        rows.good.append(row)
    else:
        rows.bad.append((line, f"the same {'album' if kind is AlbumRow else 'track'} as in line {first}"))


def _reason(fault: Any) -> str:
    place, given = ".".join(map(str, fault["loc"])), fault["input"]
    if fault["type"] == "missing":
        return f"{place} is empty"
    return f"{place} {given!r}: {fault['msg']}"
