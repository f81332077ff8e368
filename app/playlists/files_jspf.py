"""JSPF: XSPF as JSON, the format of ListenBrainz too."""

import json
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Literal

from app.core.errors import Fault
from app.playlists.files import BadPlaylistFile, Entry, Findings, PlaylistFile, checked, decoded, milliseconds
from app.playlists.identifiers import identify, uris_of
from app.playlists.json_lines import lines_of

__all__ = ["as_jspf", "parse_jspf", "read_jspf", "write_jspf"]

_OF_TRACK = {"title": "title", "creator": "artist", "album": "album"}
_LONGEST_NUMBER = 300


def _whole(digits: str) -> float:
    """A number as it is; one that is too long for Python is too large for anything here."""
    return int(digits) if len(digits) <= _LONGEST_NUMBER else float(digits)


_DECODER = json.JSONDecoder(parse_int=_whole)


def read_jspf(body: bytes) -> PlaylistFile:
    """Reads a file; faults are told with their lines. Raises BadPlaylistFile, FileTooLarge."""
    text = decoded(body)
    try:
        document = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise BadPlaylistFile.line(error.lineno, f"No valid JSON: {error.msg}.") from error
    except RecursionError as error:
        raise BadPlaylistFile("Its lists are nested too deeply.") from error
    try:
        return parse_jspf(document)
    except BadPlaylistFile as error:
        raise _with_lines(text, error.faults) from None


def parse_jspf(document: Any) -> PlaylistFile:
    """Reads what was JSON. Raises BadPlaylistFile, FileTooLarge."""
    findings = Findings()
    playlist = document.get("playlist") if isinstance(document, dict) else None
    if not isinstance(playlist, dict):
        raise BadPlaylistFile.field(
            "/body/playlist", 'A JSPF file is an object with "playlist": {"title": …, "track": [ … ]}.'
        )
    tracks = playlist.get("track") or []
    if not isinstance(tracks, list):
        raise BadPlaylistFile.field("/body/playlist/track", "It is a list of tracks.")
    for place, track in enumerate(tracks):
        _take(findings, place, track)
    head = {name: _text(findings, "/playlist", playlist, name) for name in ("title", "annotation", "creator")}
    return findings.result(head["title"], description=head["annotation"], creator=head["creator"])


def write_jspf(playlist: PlaylistFile) -> bytes:
    """Writes a file."""
    return (json.dumps(as_jspf(playlist), ensure_ascii=False, indent=2) + "\n").encode()


def as_jspf(playlist: PlaylistFile) -> dict[str, Any]:
    """The playlist as JSON."""
    head = {"title": playlist.title, "creator": playlist.creator, "annotation": playlist.description}
    given = {name: value for name, value in head.items() if value}
    return {"playlist": {**given, "track": [_track(entry) for entry in playlist.entries]}}


def _with_lines(text: str, faults: Sequence[Fault]) -> BadPlaylistFile:
    """The error with the lines on which these elements begin; the file's first for what it does not have."""
    found = lines_of(text, {_within(fault) for fault in faults}, _DECODER)
    placed = sorted(((found.get(_within(fault), 1), fault) for fault in faults), key=itemgetter(0))
    told = [fault.model_copy(update={"detail": f"Line {line}: {fault.detail}"}) for line, fault in placed]
    return BadPlaylistFile.of(told, [line for line, _ in placed])


def _within(fault: Fault) -> str:
    return fault.pointer.removeprefix("/body")


def _take(findings: Findings, place: int, track: Any) -> None:
    pointer = f"/playlist/track/{place}"
    if not isinstance(track, dict):
        findings.wrong(pointer, "A track is an object.")
        return
    texts = {field: _text(findings, pointer, track, name) for name, field in _OF_TRACK.items()}
    fields: dict[str, Any] = {**_places(findings, pointer, track), **texts}
    try:
        fields["duration_ms"] = _duration(track.get("duration"))
    except ValueError as error:
        findings.wrong(f"{pointer}/duration", f"Track {place + 1}: {error}.")
        return
    try:
        findings.add(checked(**fields))
    except ValueError as error:
        findings.wrong(pointer, f"Track {place + 1}: {error}.")


def _duration(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("its duration is a number of milliseconds")  # noqa: TRY004 -- of the file, not of the program
    return milliseconds(value)


def _places(findings: Findings, pointer: str, track: dict[str, Any]) -> dict[str, Any]:
    """The ids in its identifiers and locations, and the first location that is none."""
    found: dict[str, Any] = {}
    names: tuple[Literal["identifier", "location"], ...] = ("identifier", "location")
    for name in names:
        for uri in _uris(findings, pointer, track, name):
            ids = identify(uri)
            found = ids | found
            if not ids and uri and name == "location":
                found.setdefault("location", uri)
    return found


def _uris(findings: Findings, pointer: str, track: dict[str, Any], name: str) -> list[str]:
    """The format wants a list; many programs write a text."""
    value = track.get(name)
    uris = [] if value is None else [value] if isinstance(value, str) else value
    if not isinstance(uris, list) or not all(isinstance(uri, str) for uri in uris):
        findings.wrong(f"{pointer}/{name}", f"{name} is a URI or a list of URIs.")
        return []
    return uris


def _text(findings: Findings, pointer: str, holder: dict[str, Any], name: str) -> str:
    value = holder.get(name)
    if value is None or isinstance(value, str):
        return value or ""
    findings.wrong(f"{pointer}/{name}", f"{name} is a text.")
    return ""


def _track(entry: Entry) -> dict[str, Any]:
    fields = {
        "location": [entry.location] if entry.location else None,
        "identifier": uris_of(entry),
        "title": entry.title,
        "creator": entry.artist,
        "album": entry.album,
        "duration": entry.duration_ms,
    }
    return {name: value for name, value in fields.items() if value}
