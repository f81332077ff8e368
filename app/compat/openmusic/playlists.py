"""Playlists as OpenMusic knows them: what is somebody else's is 403, and who collaborates was not asked."""

from uuid import UUID

from sqlalchemy import select

from app.catalog.models import Track
from app.catalog.service import require
from app.compat.openmusic.catalogue import identify
from app.compat.openmusic.queries import ACTIVITIES
from app.compat.openmusic.schemas import ActivityLog, OpenMusicPlaylist, PlaylistRow, SongItem
from app.core.auth import Principal
from app.core.db import Reader, Writer
from app.core.errors import Forbidden, NotFound
from app.playlists.members import add_collaborator, remove_collaborator
from app.playlists.models import Playlist, PlaylistEntry
from app.playlists.schemas import PlaylistDetail, PlaylistItem
from app.playlists.service import add_tracks, all_entries, delete_playlist, playlists_of, remove_entries
from app.playlists.standing import NotCollaborator, NotOwner, require_readable

__all__ = [
    "add_song",
    "collaborate",
    "drop",
    "list_playlists",
    "read_activities",
    "read_playlist",
    "remove_song",
    "require_owned",
    "stop_collaborating",
]


async def list_playlists(db: Reader, actor: Principal) -> list[PlaylistRow]:
    """The actor's own playlists and those to which they belong."""
    return [_row(playlist) for playlist in await playlists_of(db, actor)]


async def read_playlist(db: Reader, actor: Principal, playlist_id: str) -> OpenMusicPlaylist:
    """A playlist with its songs; what the catalogue does not have is left out. Raises NotFound, Forbidden."""
    playlist = await _reach(db, actor, playlist_id)
    entries = await all_entries(db, actor, playlist.id)
    songs = [SongItem(id=it.track_id, title=it.title, performer=it.artist) for it in entries if it.track_id]
    return OpenMusicPlaylist(**_row(playlist).model_dump(), songs=songs)


async def drop(db: Writer, actor: Principal, playlist_id: str) -> None:
    """Deletes a playlist. Raises NotFound, Forbidden."""
    playlist = await require_owned(db, actor, playlist_id)
    await delete_playlist(db, actor, playlist.id)


async def add_song(db: Writer, actor: Principal, playlist_id: str, song_id: str) -> None:
    """Adds a song at the end. Raises NotFound, Forbidden, Merged."""
    playlist = await _joined(db, actor, playlist_id)
    track_id = identify(song_id, "song")
    await require(db, Track, track_id, actor=actor)
    await add_tracks(db, actor, playlist.id, [track_id])


async def remove_song(db: Writer, actor: Principal, playlist_id: str, song_id: str) -> None:
    """Removes a song wherever it stands in the playlist. Raises NotFound, Forbidden."""
    playlist = await _joined(db, actor, playlist_id)
    there = PlaylistEntry.playlist_id == playlist.id, PlaylistEntry.track_id == identify(song_id, "song")
    entries = await db.all(select(PlaylistEntry.id).where(*there))
    if not entries:
        raise NotFound("This song is not in the playlist.")
    await remove_entries(db, actor, playlist.id, entries)


async def read_activities(db: Reader, actor: Principal, playlist_id: str) -> ActivityLog:
    """Who added and removed which song, in the order of time. Raises NotFound, Forbidden."""
    playlist = await _joined(db, actor, playlist_id)
    activities = await ACTIVITIES.all(db, playlist_id=playlist.id, viewer=actor.user_id)
    return ActivityLog(playlist_id=playlist.id, activities=activities)


async def collaborate(db: Writer, actor: Principal, playlist_id: str, user_id: str) -> UUID:
    """Makes somebody an editor at once. Raises NotFound, Forbidden, AlreadyCollaborator."""
    playlist = await require_owned(db, actor, playlist_id)
    return await add_collaborator(db, actor, playlist.id, identify(user_id, "person"))


async def stop_collaborating(db: Writer, actor: Principal, playlist_id: str, user_id: str) -> None:
    """Takes somebody out. Raises NotFound, Forbidden, OwnerStays."""
    playlist = await require_owned(db, actor, playlist_id)
    await remove_collaborator(db, actor, playlist.id, identify(user_id, "person"))


async def require_owned(db: Reader | Writer, actor: Principal, playlist_id: str) -> PlaylistDetail:
    """A playlist of the actor's. Raises NotFound, Forbidden, NotOwner."""
    playlist = await _reach(db, actor, playlist_id)
    if playlist.role != "owner":
        raise NotOwner
    return playlist


async def _joined(db: Reader | Writer, actor: Principal, playlist_id: str) -> PlaylistDetail:
    """A playlist to which the actor belongs. Raises NotFound, Forbidden, NotCollaborator."""
    playlist = await _reach(db, actor, playlist_id)
    if playlist.role is None:
        raise NotCollaborator
    return playlist


async def _reach(db: Reader | Writer, actor: Principal, text: str) -> PlaylistDetail:
    """A playlist that the actor may see. Raises NotFound, and Forbidden for one that is there and not theirs to see."""
    playlist_id = identify(text, "playlist")
    try:
        return await require_readable(db, actor, playlist_id)
    except NotFound:
        if await db.one(select(Playlist.id).where(Playlist.id == playlist_id)) is None:
            raise
        raise Forbidden("This playlist is somebody else's.") from None


def _row(playlist: PlaylistItem) -> PlaylistRow:
    username = playlist.owner.username if playlist.owner else ""
    return PlaylistRow(id=playlist.id, name=playlist.name, username=username)
