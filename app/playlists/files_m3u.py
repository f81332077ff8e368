"""M3U and M3U8: a location on each line, and what players write above it."""

import json
import re
from dataclasses import fields
from typing import Any
from uuid import UUID

from app.playlists.files import Entry, Findings, PlaylistFile, checked, decoded, milliseconds, tidy
from app.playlists.identifiers import identify, isrc_of, spotify_id_of, uris_of

__all__ = ["read_m3u", "write_m3u"]

_BREAK = re.compile(r"\r\n|\r|\n")
_INFO = re.compile(r"(-?\d{1,12}(?:\.\d{1,12})?)(?:\s+[\w-]+=(?>\"[^\"]*\"|[^\s,]*))*\s*(?:,(.*))?")
_NUMBER = re.compile(r"^\d{1,3}[\s._-]+(?=\S)")
_EXTRAS = "#SOUNDSCORE:"
_UNSEEN = object()
_FIELDS = tuple(field.name for field in fields(Entry))
_TEXTS = frozenset({"title", "artist", "album", "location"})
"""They may be empty, and are never null."""
_TYPES: dict[str, Any] = {
    "duration_ms": lambda value: milliseconds(int(value)),
    "musicbrainz_id": UUID,
    "track_id": UUID,
    "isrc": isrc_of,
    "spotify_id": spotify_id_of,
}


def read_m3u(body: bytes) -> PlaylistFile:
    """Reads a file in UTF-8, or in Windows-1252 as old players write it. Raises BadPlaylistFile, FileTooLarge."""
    reader = _Reader()
    for number, line in enumerate(_BREAK.split(decoded(body, legacy=True)), 1):
        if text := line.strip():
            reader.take(number, text)
    return reader.end()


def write_m3u(playlist: PlaylistFile) -> bytes:
    """Writes M3U8. What the format has no place for stands in comments that other programs pass over."""
    lines = ["#EXTM3U"]
    if playlist.title:
        lines.append(f"#PLAYLIST:{playlist.title}")
    if playlist.description or playlist.creator:
        lines.append(_EXTRAS + _json({"description": playlist.description, "creator": playlist.creator}))
    for entry in playlist.entries:
        lines += _lines_of(entry)
    return ("\n".join(lines) + "\n").encode()


class _Reader:
    """Keeps what was said of the next track until its location comes."""

    def __init__(self) -> None:
        self.findings = Findings()
        self.playlist = {"title": "", "description": "", "creator": ""}
        self._announced: int | None = None
        self._said: dict[str, Any] = {}

    def take(self, number: int, line: str) -> None:
        """One line that is not empty."""
        try:
            if line.startswith("#"):
                self._directive(number, line)
            else:
                said, self._said, self._announced = self._said, {}, None
                self.findings.add(_entry(line, said))
        except ValueError as error:
            self.findings.wrong_line(number, f"{error}.")

    def end(self) -> PlaylistFile:
        """All lines were there."""
        if self._announced is not None:
            self.findings.wrong_line(self._announced, "It announces a track, but no location follows.")
        return self.findings.result(**self.playlist)

    def _directive(self, number: int, line: str) -> None:
        name, _, value = line.partition(":")
        match name.upper():
            case "#PLAYLIST":
                self.playlist["title"] = value.strip()
            case "#EXTINF":
                if self._announced is not None:
                    raise ValueError(f"line {self._announced} announces a track, but no location follows")
                self._announced = number
                self._said |= _info(value)
            case "#EXTALB":
                self._said["album"] = value
            case "#EXTART":
                self._said["performer"] = value
            case "#SOUNDSCORE":
                self._extras(value)
            case kind if kind.startswith("#EXT-X-"):
                raise ValueError("This is a stream in pieces (HLS), and no list of tracks")

    def _extras(self, value: str) -> None:
        try:
            extras = json.loads(value)
        except (ValueError, RecursionError):
            extras = None
        if not isinstance(extras, dict) or not all(isinstance(it, str | int | None) for it in extras.values()):
            raise ValueError("What follows #SOUNDSCORE: is no JSON object of texts and numbers")
        if extras.keys() <= {"description", "creator"}:  # of the playlist: a track has neither
            self.playlist |= {name: str(value or "") for name, value in extras.items()}
        else:
            self._said["extras"] = _typed(extras)


def _info(value: str) -> dict[str, Any]:
    """Seconds, attributes, a comma, a title."""
    found = _INFO.fullmatch(value.strip())
    if found is None:
        raise ValueError("#EXTINF needs seconds, a comma and a title, for example #EXTINF:215,Nina Simone - Sinnerman")
    return {"display": found[2] or "", "duration_ms": milliseconds(max(0.0, float(found[1])) * 1000)}


def _entry(location: str, said: dict[str, Any]) -> Entry:
    display = tidy(said.get("display", "")) or _file_name(location)
    artist, title = _split(display, tidy(said.get("performer", "")))
    ids = identify(location)
    plain = {
        "title": title,
        "artist": artist,
        "album": said.get("album", ""),
        "duration_ms": said.get("duration_ms"),
        "location": "" if ids else location,
    }
    return checked(**{**plain, **ids, **said.get("extras", {})})


def _split(display: str, performer: str = "") -> tuple[str, str]:
    """Artist and title of `Artist - Title`."""
    if performer and display.startswith(f"{performer} - "):
        return performer, display.removeprefix(f"{performer} - ")
    artist, dash, title = display.partition(" - ")
    return (artist.strip(), title.strip()) if dash else (performer, display)


def _file_name(location: str) -> str:
    """The name of a file without folders, ending and number. A URI that only names a recording gives none."""
    if identify(location):
        return ""
    name = re.split(r"[/\\]", location.rstrip("/\\"))[-1]
    return _NUMBER.sub("", re.sub(r"\.[A-Za-z0-9]{2,4}$", "", name)).replace("_", " ")


def _typed(extras: dict[str, Any]) -> dict[str, Any]:
    """The fields of an entry; UUIDs are written as texts. Raises ValueError."""
    known = {name: value for name, value in extras.items() if name in _FIELDS}
    parsed = {name: str(value) for name, value in known.items() if value is not None}
    return {
        name: _TYPES.get(name, str)(parsed[name]) if name in parsed else None
        for name in known
        if name in parsed or name not in _TEXTS
    }


def _lines_of(entry: Entry) -> list[str]:
    display = f"{entry.artist} - {entry.title}" if entry.artist else entry.title
    seconds = -1 if entry.duration_ms is None else round(entry.duration_ms / 1000)
    candidates = (entry.location, *uris_of(entry), display, "-")
    location = next(line for line in candidates if line and not line.startswith("#"))
    said = {"display": display, "album": entry.album, "duration_ms": max(0, seconds) * 1000 or None}
    lines = [f"#EXTINF:{seconds},{display}"]
    if entry.album:
        lines.append(f"#EXTALB:{entry.album}")
    # a reader that knows nothing of extras would see this; they say what is different
    try:
        seen = _entry(location, said)
    except ValueError:  # too long to be read from there
        seen = None
    extras = {name: value for name in _FIELDS if (value := getattr(entry, name)) != getattr(seen, name, _UNSEEN)}
    if extras:
        lines.append(_EXTRAS + _json(extras))
    return [*lines, location]


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, default=str, separators=(",", ":"))
