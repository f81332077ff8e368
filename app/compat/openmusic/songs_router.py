"""/songs: OpenMusic's songs."""

from typing import Annotated

from fastapi import Query

from app.catalog.models import Track
from app.catalog.tracks import delete_track
from app.compat.openmusic import catalogue
from app.compat.openmusic.catalogue import identify
from app.compat.openmusic.envelope import Given, Said, dialect_router, failures, given, said
from app.compat.openmusic.schemas import SongBox, SongId, SongPayload, Songs
from app.core.http import ReadDB, WriteDB
from app.core.limits import limited
from app.core.schemas import Line

__all__ = ["router"]

router = dialect_router("songs")
Part = Annotated[Line, Query(max_length=100, description="A part of it; case does not matter")]


@router.post("/songs", status_code=201, summary="Add a song", responses=failures(404))
async def add_song(new: SongPayload, db: WriteDB) -> Given[SongId]:
    """Everybody may. 404 for an album that is not there."""
    return given(SongId(song_id=await catalogue.add_song(db, new)))


@router.get("/songs", summary="Songs", dependencies=[limited("openmusic.songs", 120, 60)])
async def list_songs(db: ReadDB, title: Part = "", performer: Part = "") -> Given[Songs]:
    """The last added first, a thousand at most; both filters must fit."""
    return given(Songs(songs=await catalogue.list_songs(db, title=title, performer=performer)))


@router.get("/songs/{song_id}", summary="A song", responses=failures(404))
async def get_song(song_id: str, db: ReadDB) -> Given[SongBox]:
    """What is not known of it is null."""
    return given(SongBox(song=await catalogue.read_song(db, identify(song_id, "song"))))


@router.put("/songs/{song_id}", summary="Change a song", responses=failures(404))
async def edit_song(song_id: str, new: SongPayload, db: WriteDB) -> Said:
    """The whole song: without an album it is on none."""
    await catalogue.edit_song(db, identify(song_id, Track), new)
    return said("The song was changed.")


@router.delete("/songs/{song_id}", summary="Delete a song", responses=failures(404))
async def delete_song(song_id: str, db: WriteDB) -> Said:
    """400 once people have heard it."""
    await delete_track(db, identify(song_id, Track))
    return said("The song was deleted.")
