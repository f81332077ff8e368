"""XSPF: a playlist in XML, as xspf.org describes it."""

from collections.abc import Mapping
from typing import Any
from xml.parsers.expat import ErrorString, ExpatError, ParserCreate
from xml.sax.saxutils import escape

from app.playlists.files import BadPlaylistFile, Entry, Findings, PlaylistFile, checked, milliseconds
from app.playlists.identifiers import identify, uris_of

__all__ = ["read_xspf", "write_xspf"]

_NAMESPACE = "http://xspf.org/ns/0/"
_OF_PLAYLIST = {"title": "title", "annotation": "description", "creator": "creator"}
_OF_TRACK = {"title": "title", "creator": "artist", "album": "album"}
_MOST_DEEP = 50


def read_xspf(body: bytes) -> PlaylistFile:
    """Reads a file without any document type, so that nothing in it can refer or expand.

    Raises BadPlaylistFile, FileTooLarge.
    """
    reader = _Reader()
    try:
        reader.parser.Parse(body, True)
    except ExpatError as error:
        raise BadPlaylistFile.line(error.lineno, f"No well-formed XML: {ErrorString(error.code)}.") from error
    except (ValueError, LookupError) as error:
        raise BadPlaylistFile.line(1, "Its encoding is not known. Save the file as UTF-8 and try again.") from error
    return reader.findings.result(**reader.playlist)


def write_xspf(playlist: PlaylistFile) -> bytes:
    """Writes version 1."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<playlist version="1" xmlns="{_NAMESPACE}">']
    head = {"title": playlist.title, "creator": playlist.creator, "annotation": playlist.description}
    lines += ["  " + _element(name, value) for name, value in head.items() if value]
    lines.append("  <trackList>")
    for entry in playlist.entries:
        lines += ["    <track>", *("      " + line for line in _lines_of(entry)), "    </track>"]
    lines += ["  </trackList>", "</playlist>", ""]
    return "\n".join(lines).encode()


class _Reader:
    """Follows the elements as the parser meets them."""

    def __init__(self) -> None:
        self.findings = Findings()
        self.playlist = {"title": "", "description": "", "creator": ""}
        self._path: list[str] = []
        self._text: list[str] = []
        self._track: dict[str, Any] = {}
        self._line = 0
        self.parser = ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text.append

    def _doctype(self, *_: Any) -> None:
        raise self._refused("A document type is not accepted. Remove the <!DOCTYPE …>.")

    def _refused(self, detail: str) -> BadPlaylistFile:
        return BadPlaylistFile.line(self.parser.CurrentLineNumber, detail)

    def _start(self, name: str, _attributes: Mapping[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        if not self._path and (local != "playlist" or namespace not in {"", _NAMESPACE}):
            raise self._refused(f"An XSPF file begins with <playlist>, and not with <{local[:40]}>.")
        if len(self._path) == _MOST_DEEP:
            raise self._refused("Its elements are nested too deeply.")
        # what other programs add in their own namespaces has names that nobody asks for
        self._path.append(local if namespace in {"", _NAMESPACE} else name)
        self._text.clear()
        if self._path == ["playlist", "trackList", "track"]:
            self._track, self._line = {}, self.parser.CurrentLineNumber

    def _end(self, _name: str) -> None:
        text = "".join(self._text).strip()
        self._text.clear()
        match self._path:
            case ["playlist", name] if name in _OF_PLAYLIST:
                self.playlist[_OF_PLAYLIST[name]] = text
            case ["playlist", "trackList", "track"]:
                self._finish()
            case ["playlist", "trackList", "track", name]:
                self._field(name, text)
        self._path.pop()

    def _field(self, name: str, text: str) -> None:
        if name in _OF_TRACK:
            self._track[_OF_TRACK[name]] = text
        elif name == "duration" and text:
            self._duration(text)
        elif name in {"identifier", "location"} and text:
            ids = identify(text)
            self._track = ids | self._track
            if not ids and name == "location":
                self._track.setdefault("location", text)

    def _duration(self, text: str) -> None:
        try:
            self._track["duration_ms"] = milliseconds(int(text))
        except ValueError:
            line = self.parser.CurrentLineNumber
            self.findings.wrong_line(line, f"<duration> is milliseconds up to 24 hours, and not {text[:40]!r}.")

    def _finish(self) -> None:
        try:
            entry = checked(**self._track)
        except ValueError as error:
            self.findings.wrong_line(self._line, f"<track>: {error}.")
        else:
            self.findings.add(entry)


def _lines_of(entry: Entry) -> list[str]:
    texts = {"location": entry.location, "title": entry.title, "creator": entry.artist, "album": entry.album}
    duration = entry.duration_ms and str(entry.duration_ms)
    pairs = [
        ("location", texts.pop("location")),
        *(("identifier", uri) for uri in uris_of(entry)),
        *texts.items(),
        ("duration", duration),
    ]
    return [_element(name, value) for name, value in pairs if value]


def _element(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>"
