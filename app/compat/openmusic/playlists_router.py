"""/playlists and /collaborations: OpenMusic's playlists, and who works on them."""

from app.compat.openmusic import playlists
from app.compat.openmusic.envelope import Given, Said, dialect_router, failures, given, said
from app.compat.openmusic.schemas import (
    ActivityLog,
    CollaborationId,
    CollaborationPayload,
    PlaylistBox,
    PlaylistId,
    PlaylistPayload,
    Playlists,
    PlaylistSong,
)
from app.core.auth import CurrentUser
from app.core.http import ReadDB, WriteDB
from app.playlists.service import create_playlist

__all__ = ["router"]

router = dialect_router("playlists")
OWN = failures(401, 403, 404)


@router.post("/playlists", status_code=201, summary="Make a playlist", responses=failures(401))
async def add_playlist(new: PlaylistPayload, db: WriteDB, actor: CurrentUser) -> Given[PlaylistId]:
    """It is private: you and those whom you make collaborators see it."""
    return given(PlaylistId(playlist_id=await create_playlist(db, actor, name=new.name)))


@router.get("/playlists", summary="Your playlists", responses=failures(401))
async def list_playlists(db: ReadDB, actor: CurrentUser) -> Given[Playlists]:
    """Your own, and those on which you collaborate."""
    return given(Playlists(playlists=await playlists.list_playlists(db, actor)))


@router.delete("/playlists/{playlist_id}", summary="Delete a playlist", responses=OWN)
async def delete_playlist(playlist_id: str, db: WriteDB, actor: CurrentUser) -> Said:
    """Only its owner may."""
    await playlists.drop(db, actor, playlist_id)
    return said("The playlist was deleted.")


@router.post("/playlists/{playlist_id}/songs", status_code=201, summary="Add a song to a playlist", responses=OWN)
async def add_playlist_song(playlist_id: str, what: PlaylistSong, db: WriteDB, actor: CurrentUser) -> Said:
    """At its end."""
    await playlists.add_song(db, actor, playlist_id, what.song_id)
    return said("The song was added to the playlist.")


@router.get("/playlists/{playlist_id}/songs", summary="A playlist with its songs", responses=OWN)
async def get_playlist(playlist_id: str, db: ReadDB, actor: CurrentUser) -> Given[PlaylistBox]:
    """In their order."""
    return given(PlaylistBox(playlist=await playlists.read_playlist(db, actor, playlist_id)))


@router.delete("/playlists/{playlist_id}/songs", summary="Remove a song from a playlist", responses=OWN)
async def remove_playlist_song(playlist_id: str, what: PlaylistSong, db: WriteDB, actor: CurrentUser) -> Said:
    """Wherever it stands there; 404 if it does not."""
    await playlists.remove_song(db, actor, playlist_id, what.song_id)
    return said("The song was removed from the playlist.")


@router.get("/playlists/{playlist_id}/activities", summary="What was done to a playlist", responses=OWN)
async def list_activities(playlist_id: str, db: ReadDB, actor: CurrentUser) -> Given[ActivityLog]:
    """The last thousand songs that came and went, in the order of time."""
    return given(await playlists.read_activities(db, actor, playlist_id))


@router.post("/collaborations", status_code=201, summary="Add a collaborator", responses=OWN)
async def add_collaboration(who: CollaborationPayload, db: WriteDB, actor: CurrentUser) -> Given[CollaborationId]:
    """At once, without an invitation."""
    collaboration_id = await playlists.collaborate(db, actor, who.playlist_id, who.user_id)
    return given(CollaborationId(collaboration_id=collaboration_id))


@router.delete("/collaborations", summary="Remove a collaborator", responses=OWN)
async def remove_collaboration(who: CollaborationPayload, db: WriteDB, actor: CurrentUser) -> Said:
    """404 for somebody who does not collaborate."""
    await playlists.stop_collaborating(db, actor, who.playlist_id, who.user_id)
    return said("They no longer collaborate.")
