"""From artists to albums to songs, by tags and in the shape of folders."""

from itertools import groupby
from typing import Any
from uuid import UUID

from app.compat.subsonic import entries
from app.compat.subsonic.answers import Body
from app.compat.subsonic.calls import Asked, reads
from app.compat.subsonic.queries import (
    ALBUM,
    ALBUM_SONGS,
    ALBUMS_OF_ARTIST,
    ARTIST_ROW,
    ARTISTS,
    HEARD_GENRES,
    SONGS,
)
from app.compat.subsonic.schemas import AlbumRow, ArtistRow, SongRow
from app.core.errors import NotFound

__all__ = ["one_song"]

ARTICLES = ("the", "el", "la", "los", "las", "le", "les", "die", "der", "das")
_IGNORED = " ".join(article.title() for article in ARTICLES)


@reads("getArtists")
async def get_artists(asked: Asked) -> Body:
    """All artists of the library, under their first letters."""
    rows = await ARTISTS.all(asked.db, viewer=asked.viewer)
    index = [
        {"name": letter, "artist": [entries.artist(row, sortName=_sort_key(row)) for row in of_letter]}
        for letter, of_letter in _by_letter(rows)
    ]
    return {"artists": {"ignoredArticles": _IGNORED, "index": index}}


@reads("getIndexes")
async def get_indexes(asked: Asked) -> Body:
    """The same as folders. Everything may have changed since the client asked last: nothing says that it has not."""
    rows = await ARTISTS.all(asked.db, viewer=asked.viewer)
    index = [
        {"name": letter, "artist": [entries.artist_child(row) for row in of_letter]}
        for letter, of_letter in _by_letter(rows)
    ]
    changed = max((row.changed_at for row in rows), default=None)
    modified = int(changed.timestamp() * 1000) if changed else 0
    return {"indexes": {"lastModified": modified, "ignoredArticles": _IGNORED, "index": index}}


@reads("getArtist")
async def get_artist(asked: Asked) -> Body:
    """An artist with their albums, and those of others on which they are heard."""
    artist_id = asked.given.id()
    listed = [entries.album(album) for album in await _albums_of(asked, artist_id)]
    if not listed:
        raise NotFound("There is no such artist, or nothing of theirs that you may hear.")
    return {"artist": {**entries.artist(await _artist(asked, artist_id)), "albumCount": len(listed), "album": listed}}


@reads("getAlbum")
async def get_album(asked: Asked) -> Body:
    """An album with its songs."""
    album_id = asked.given.id()
    row = await ALBUM.first(asked.db, id=album_id, viewer=asked.viewer)
    if row is None:
        raise NotFound("There is no such album, or nothing on it that you may hear.")
    songs = await ALBUM_SONGS.all(asked.db, id=album_id, viewer=asked.viewer)
    return {"album": entries.album(row, song=[entries.song(song) for song in songs])}


@reads("getSong")
async def get_song(asked: Asked) -> Body:
    """A song."""
    return {"song": entries.song(await one_song(asked))}


@reads("getMusicDirectory")
async def get_music_directory(asked: Asked) -> Body:
    """What lies in the folder of an artist or of an album."""
    folder, written = asked.given.id(), asked.given.text("id")
    albums = [] if written.startswith("si-") else await _albums_of(asked, folder)
    if albums:
        children: list[Any] = [entries.album_child(album) for album in albums]
        return {"directory": {**entries.artist_child(await _artist(asked, folder)), "child": children}}
    songs = await ALBUM_SONGS.all(asked.db, id=folder, viewer=asked.viewer)
    if not songs:
        raise NotFound("There is no such folder, or nothing in it that you may hear.")
    first = songs[0]
    told = {"id": written, "parent": first.album_artist_id, "name": first.album or entries.SINGLES}
    return {"directory": {**told, "child": [entries.song(song) for song in songs]}}


@reads("getGenres")
async def get_genres(asked: Asked) -> Body:
    """The genres of what can be heard."""
    rows = await HEARD_GENRES.all(asked.db, viewer=asked.viewer)
    genres = [{"songCount": row.song_count, "albumCount": row.album_count, "value": row.name} for row in rows]
    return {"genres": {"genre": genres}}


async def one_song(asked: Asked, name: str = "id") -> SongRow:
    """The song that a parameter names. Raises NotFound."""
    found = await SONGS.all(asked.db, ids=[asked.given.id(name)], viewer=asked.viewer)
    if not found:
        raise NotFound("There is no such song, or you may not hear it.")
    return found[0]


async def _albums_of(asked: Asked, artist_id: UUID) -> list[AlbumRow]:
    return await ALBUMS_OF_ARTIST.all(asked.db, id=artist_id, viewer=asked.viewer)


async def _artist(asked: Asked, artist_id: UUID) -> ArtistRow:
    row = await ARTIST_ROW.first(asked.db, id=artist_id, viewer=asked.viewer)
    if row is None:
        raise NotFound("There is no such artist.")
    return row


def _by_letter(rows: list[ArtistRow]) -> Any:
    return groupby(sorted(rows, key=lambda row: (_letter(row), _sort_key(row))), key=_letter)


def _sort_key(row: ArtistRow) -> str:
    """The name without its article: The Beatles stand under B."""
    article, _, rest = row.name_key.partition(" ")
    return rest if article in ARTICLES and rest else row.name_key


def _letter(row: ArtistRow) -> str:
    first = _sort_key(row)[:1].upper()
    return first if first.isalpha() else "#"
