"""Rows as Subsonic describes them: songs and folders as children, artists and albums in both of its shapes."""

import hashlib
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from app.compat.subsonic.schemas import AlbumRow, ArtistRow, SongRow

__all__ = ["SINGLES", "album", "album_child", "artist", "artist_child", "cover_id", "shelf_id", "song"]

Entry = dict[str, Any]
SINGLES = "Single tracks"
"""What the shelf of an artist's tracks without an album is called."""
_SUFFIXES = {
    "audio/mpeg": "mp3",
    "audio/flac": "flac",
    "audio/ogg": "ogg",
    "audio/opus": "opus",
    "audio/wav": "wav",
    "audio/mp4": "m4a",
    "audio/aac": "aac",
}


def song(row: SongRow, **more: Any) -> Entry:
    """A song. Clients show what they know of these."""
    album_id = shelf_id(row.album_id, row.artist_id)
    return {
        "id": row.id,
        "parent": album_id,
        "isDir": False,
        "title": row.title,
        "album": row.album or SINGLES,
        "artist": row.artist,
        "track": row.position,
        "year": row.year,
        "genre": next(iter(row.genres), None),
        "coverArt": cover_id("al", row.album_id, row.cover_key),
        "size": row.size,
        "contentType": row.audio_type,
        "suffix": _suffix(row),
        "duration": _seconds(row.duration_ms),
        "bitRate": row.bitrate,
        "samplingRate": row.sample_rate,
        "channelCount": row.channels,
        "path": _path(row),
        "isVideo": False,
        "discNumber": row.disc,
        "created": row.created_at,
        "starred": row.starred_at,
        "userRating": row.rating,
        "albumId": album_id,
        "artistId": row.artist_id,
        "type": "music",
        "mediaType": "song",
        "bpm": round(row.tempo) if row.tempo else None,
        "isrc": [row.isrc] if row.isrc else [],
        "musicBrainzId": row.musicbrainz_id,
        "genres": _named(row.genres),
        "artists": [{"id": row.artist_id, "name": row.artist}],
        "displayArtist": row.artist,
        "albumArtists": [{"id": row.album_artist_id, "name": row.album_artist}],
        "displayAlbumArtist": row.album_artist,
        **more,
    }


def album(row: AlbumRow, **more: Any) -> Entry:
    """An album by its tags."""
    name = row.title or SINGLES
    return {"id": shelf_id(row.id, row.artist_id), "name": name, **_of_album(row), **more}


def album_child(row: AlbumRow) -> Entry:
    """An album as a folder in that of its artist."""
    name = row.title or SINGLES
    folder = {"id": shelf_id(row.id, row.artist_id), "parent": row.artist_id, "isDir": True, "isVideo": False}
    return {**folder, "title": name, "name": name, "album": name, "averageRating": row.mean or None, **_of_album(row)}


def _of_album(row: AlbumRow) -> Entry:
    return {
        "artist": row.artist,
        "artistId": row.artist_id,
        "coverArt": cover_id("al", row.id, row.cover_key),
        "songCount": row.song_count,
        "duration": _seconds(row.duration_ms),
        "created": row.created_at,
        "starred": row.starred_at,
        "year": row.year,
        "genre": next(iter(row.genres), None),
        "userRating": row.rating,
        "mediaType": "album",
        "musicBrainzId": row.musicbrainz_id,
        "genres": _named(row.genres),
        "artists": [{"id": row.artist_id, "name": row.artist}],
        "displayArtist": row.artist,
    }


def artist(row: ArtistRow, **more: Any) -> Entry:
    """An artist by their tags."""
    return {**artist_child(row), "albumCount": row.album_count, "musicBrainzId": row.musicbrainz_id, **more}


def artist_child(row: ArtistRow) -> Entry:
    """An artist as a folder."""
    return {
        "id": row.id,
        "name": row.name,
        "coverArt": cover_id("ar", row.id, row.image_key),
        "starred": row.starred_at,
        "userRating": row.rating,
    }


def shelf_id(album_id: UUID | None, artist_id: UUID) -> str:
    """The id of an album, or of the shelf of an artist's single tracks."""
    return f"si-{artist_id}" if album_id is None else str(album_id)


def cover_id(kind: str, entity_id: UUID | None, key: str | None) -> str | None:
    """Clients keep a picture for as long as its id stays: another picture has another id."""
    if key is None:
        return None
    return f"{kind}-{entity_id}_{hashlib.sha256(key.encode()).hexdigest()[:8]}"


def _named(genres: Iterable[str]) -> list[Entry]:
    return [{"name": genre} for genre in genres]


def _seconds(milliseconds: int | None) -> int | None:
    return None if milliseconds is None else round(milliseconds / 1000)


def _suffix(row: SongRow) -> str:
    return _SUFFIXES.get(row.audio_type, row.audio_type.rpartition("/")[2])


def _path(row: SongRow) -> str:
    """No file lies there: clients name what they download after it."""
    number = f"{row.position:02} - " if row.position else ""
    names = row.album_artist, row.album or SINGLES, f"{number}{row.title}.{_suffix(row)}"
    return "/".join(name.replace("/", "-") for name in names)
