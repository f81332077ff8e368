"""Playlists as ListenBrainz writes them: JSPF with MusicBrainz's extensions."""

from collections.abc import Sequence
from typing import Any

from app.core.errors import BadRequest
from app.playlists.files import PlaylistFile
from app.playlists.files_export import as_file
from app.playlists.files_jspf import as_jspf, parse_jspf
from app.playlists.identifiers import MUSICBRAINZ_RECORDING
from app.playlists.schemas import PlaylistDetail, PlaylistItem, SavedEntry, Visibility

__all__ = ["card", "given_playlist", "given_visibility", "with_tracks"]

OF_PLAYLIST = "https://musicbrainz.org/doc/jspf#playlist"
OF_TRACK = "https://musicbrainz.org/doc/jspf#track"


def card(playlist: PlaylistItem, base_url: str) -> dict[str, Any]:
    """A playlist without its tracks."""
    owner = playlist.owner.username if playlist.owner else ""
    extension = {
        "public": playlist.visibility == "public",
        "creator": owner,
        "collaborators": [],
        "last_modified_at": playlist.updated_at.isoformat(),
    }
    said = {
        "identifier": f"{base_url}/playlist/{playlist.id}",
        "title": playlist.name,
        "creator": owner,
        "annotation": playlist.description,
        "date": playlist.created_at.isoformat(),
        "extension": {OF_PLAYLIST: extension},
        "track": [],
    }
    return {"playlist": {name: value for name, value in said.items() if value != ""}}


def with_tracks(playlist: PlaylistDetail, entries: Sequence[SavedEntry], base_url: str) -> dict[str, Any]:
    """A playlist with everything in it. A track of MusicBrainz is named by its id there first."""
    document = card(playlist, base_url)
    tracks = as_jspf(as_file(playlist, entries))["playlist"]["track"]
    for track, entry in zip(tracks, entries, strict=True):
        track.get("identifier", []).sort(key=lambda uri: not uri.startswith(MUSICBRAINZ_RECORDING))
        extension = {"added_at": entry.added_at.isoformat()} | ({"added_by": entry.added_by} if entry.added_by else {})
        track["extension"] = {OF_TRACK: extension}
    document["playlist"]["track"] = tracks
    return document


def given_playlist(document: dict[str, Any], *, needs_title: bool = True) -> PlaylistFile:
    """What a client sent. Raises BadRequest, BadPlaylistFile, FileTooLarge."""
    playlist = parse_jspf(document)
    if needs_title and not playlist.title:
        raise BadRequest("JSPF playlist must contain a title element with the title of the playlist.")
    return playlist


def given_visibility(document: dict[str, Any]) -> Visibility | None:
    """Whether it is to be public; None where nothing is said. Raises BadRequest."""
    extension = document["playlist"].get("extension")
    ours = extension.get(OF_PLAYLIST) if isinstance(extension, dict) else None
    public = ours.get("public") if isinstance(ours, dict) else None
    if public is None:
        return None
    if public not in (True, False, "true", "false"):
        raise BadRequest(f"JSPF playlist.extension.{OF_PLAYLIST}.public field must contain a boolean.")
    return "public" if public in (True, "true") else "private"
