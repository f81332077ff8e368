"""Playlist files: what they hold, how much they may hold, and what is wrong with a bad one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.catalog.matching import Description
from app.core.errors import Fault, Invalid, PayloadTooLarge

__all__ = [
    "MOST_BYTES",
    "MOST_ENTRIES",
    "BadPlaylistFile",
    "Entry",
    "FileTooLarge",
    "Findings",
    "PlaylistFile",
    "checked",
    "decoded",
    "milliseconds",
    "prose",
    "tidy",
]

MOST_BYTES = 5 * 1024 * 1024
MOST_ENTRIES = 10_000
MOST_LETTERS = 500
MOST_DESCRIPTION = 5000
_MOST_FAULTS = 20
_LONGEST_MS = 24 * 3600 * 1000
_NO_TEXT = re.compile("[\ud800-\udfff\ufffe\uffff]")  # what neither XML nor PostgreSQL takes
_GAPS = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]+")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]+")


class BadPlaylistFile(Invalid):
    code, title = "bad_playlist_file", "The file cannot be read as a playlist"

    @classmethod
    def line(cls, number: int, detail: str) -> "BadPlaylistFile":
        """An error about a line of the file."""
        return cls.of([_of_line(number, detail)], [number])

    @classmethod
    def of(cls, faults: list[Fault], lines: list[int]) -> "BadPlaylistFile":
        """An error about several faults, of which the first ones are told in words."""
        return cls(" ".join(fault.detail for fault in faults[:3]), faults=faults, lines=lines)


class FileTooLarge(PayloadTooLarge):
    code, title = "playlist_file_too_large", "A playlist file has at most 5 MB and 10,000 entries"


@dataclass(frozen=True, slots=True)
class Entry(Description):
    """A track as a file names it. `location` is a path or URI that says nothing about which recording it is."""

    location: str = ""


@dataclass(frozen=True, slots=True)
class PlaylistFile:
    """What a file says of a playlist."""

    title: str
    entries: Sequence[Entry]
    description: str = ""
    creator: str = ""


class Findings:
    """Gathers entries and faults, so that somebody who mends a file hears of all faults at once."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._faults: list[Fault] = []
        self._lines: list[int] = []

    def wrong_line(self, line: int, detail: str) -> None:
        """Notes a fault of a line."""
        self._lines.append(line)
        self._note(_of_line(line, detail))

    def wrong(self, pointer: str, detail: str) -> None:
        """Notes a fault of an element; `pointer` is a JSON pointer into the file."""
        self._note(Fault(pointer=f"/body{pointer}", detail=detail, code="element"))

    def add(self, entry: Entry) -> None:
        """Takes an entry. Raises FileTooLarge."""
        if len(self.entries) == MOST_ENTRIES:
            raise FileTooLarge(f"This file has more than {MOST_ENTRIES:,} entries. Divide it into several playlists.")
        self.entries.append(entry)

    def settle(self) -> None:
        """Raises BadPlaylistFile where a fault was noted."""
        if self._faults:
            raise BadPlaylistFile.of(self._faults, self._lines)

    def result(self, title: str, *, description: str = "", creator: str = "") -> PlaylistFile:
        """The playlist. Raises BadPlaylistFile where a fault was noted."""
        self.settle()
        return PlaylistFile(tidy(title)[:MOST_LETTERS], self.entries, prose(description), tidy(creator)[:MOST_LETTERS])

    def _note(self, fault: Fault) -> None:
        self._faults.append(fault)
        if len(self._faults) == _MOST_FAULTS:
            self.settle()


def _of_line(line: int, detail: str) -> Fault:
    return Fault(pointer="/body", detail=f"Line {line}: {detail}", code="line")


def tidy(text: str) -> str:
    """A text in one line, as it can be kept."""
    return _GAPS.sub(" ", _NO_TEXT.sub("", text)).strip()


def prose(text: str) -> str:
    """A text with line breaks, as it can be kept."""
    lines = _NO_TEXT.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub(" ", lines).strip()[:MOST_DESCRIPTION].strip()


def milliseconds(value: float) -> int | None:
    """A length; 0 means that it is unknown. Raises ValueError with what is wrong."""
    if not 0 <= value <= _LONGEST_MS:  # nor is what is no number
        raise ValueError("a track lasts from 0 to 24 hours")
    return round(value) or None


def checked(**fields: Any) -> Entry:
    """An entry with its texts in order. Raises ValueError with what is wrong."""
    for name in ("title", "artist", "album"):
        fields[name] = tidy(fields.get(name, ""))
        if len(fields[name]) > MOST_LETTERS:
            raise ValueError(f"the {name} has more than {MOST_LETTERS} letters")
    fields["location"] = tidy(fields.get("location", ""))[:2000]
    entry = Entry(**fields)
    if not (entry.title or entry.location or entry.isrc or entry.spotify_id or entry.musicbrainz_id or entry.track_id):
        raise ValueError("it has no title and nothing else that says which track it is")
    return entry


def decoded(body: bytes, *, legacy: bool = False) -> str:
    """The text of a file; `legacy` takes Windows-1252 for what is no UTF-8. Raises BadPlaylistFile."""
    encoding = "utf-16" if body.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        if not legacy or encoding == "utf-16":
            detail = "This is no text in UTF-8. Save the file as UTF-8 and try again."
            raise BadPlaylistFile.line(body[: error.start].count(b"\n") + 1, detail) from error
        text = body.decode("cp1252", "replace")
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise BadPlaylistFile.line(line, "Here is a NUL character, which no text has.")
    return text
