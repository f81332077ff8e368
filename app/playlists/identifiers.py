"""The URIs under which files and other programs name a recording."""

import re
from typing import Any
from uuid import UUID

from app.catalog.matching import Description

__all__ = ["MUSICBRAINZ_RECORDING", "identify", "isrc_of", "spotify_id_of", "uris_of", "uuid_of"]

MUSICBRAINZ_RECORDING = "https://musicbrainz.org/recording/"
_UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_SPOTIFY_ID = re.compile(r"[0-9A-Za-z]{22}")
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
_URIS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("spotify_id", re.compile(r"spotify:track:([0-9A-Za-z]{22})")),
    ("spotify_id", re.compile(r"https?://open\.spotify\.com/(?:intl-[a-z-]+/)?track/([0-9A-Za-z]{22})(?:[?#].*)?")),
    ("musicbrainz_id", re.compile(rf"https?://(?:beta\.)?musicbrainz\.org/recording/({_UUID})/?(?:[?#].*)?")),
    ("isrc", re.compile(r"(?:urn:)?isrc:([A-Za-z0-9 -]{12,20})")),
    ("track_id", re.compile(rf"urn:uuid:({_UUID})")),
    ("track_id", re.compile(rf"https?://[^/]+/(?:.*/)?(?:tracks|media/audio)/({_UUID})(?:[/?#].*)?")),
)


def identify(uri: str) -> dict[str, Any]:
    """The field of a Description that a URI gives and its value; empty for a URI of something else."""
    for field, pattern in _URIS:
        if found := pattern.fullmatch(uri.strip()):
            value = _PARSED[field](found[1])
            return {} if value is None else {field: value}
    return {}


def uris_of(described: Description) -> list[str]:
    """Its identifiers as URIs, the most trusted first; `identify` reads them back."""
    made = (
        described.track_id and f"urn:uuid:{described.track_id}",
        described.musicbrainz_id and f"{MUSICBRAINZ_RECORDING}{described.musicbrainz_id}",
        described.isrc and f"urn:isrc:{described.isrc}",
        described.spotify_id and f"spotify:track:{described.spotify_id}",
    )
    return [uri for uri in made if uri]


def isrc_of(text: str) -> str | None:
    """An ISRC without hyphens and in capitals, or None if it is none."""
    plain = text.replace("-", "").replace(" ", "").upper()
    return plain if _ISRC.fullmatch(plain) else None


def spotify_id_of(text: str) -> str | None:
    """The id of a track at Spotify, alone or in a URI, or None."""
    return text if _SPOTIFY_ID.fullmatch(text) else identify(text).get("spotify_id")


def uuid_of(text: str) -> UUID | None:
    """A UUID with hyphens, or None."""
    return UUID(text) if re.fullmatch(_UUID, text) else None


_PARSED: dict[str, Any] = {"spotify_id": str, "isrc": isrc_of, "musicbrainz_id": UUID, "track_id": UUID}
