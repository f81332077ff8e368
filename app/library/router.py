"""Listens: what people hear and have heard."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query

from app.core.auth import CurrentUser, Listening, MaybeUser
from app.core.errors import Forbidden, NotFound, Unauthorized, problems
from app.core.http import Here, ReadDB, Router, WriteDB
from app.core.limits import limited
from app.core.paging import Page, Paged
from app.core.schemas import Moment
from app.library import evenings as evenings_service
from app.library import now_playing, service
from app.library.evenings import NothingPlayed
from app.library.queries import MOST_ENTRIES
from app.library.schemas import (
    KeptEvening,
    ListenBatch,
    ListeningStats,
    ListenItem,
    NowPlayingInput,
    NowPlayingState,
    Period,
    RecentTracks,
    RecordedListens,
    TopKind,
    TopList,
)
from app.playlists.schemas import PlaylistDetail
from app.playlists.service import TooManyPlaylists
from app.rooms.rights import NotMember
from app.users.schemas import USERNAME
from app.users.service import ProfileRestricted

__all__ = ["evenings", "listens", "people"]

listens = Router(prefix="/listens", tags=["listens"])
people = Router(prefix="/users", tags=["listens"])
evenings = Router(prefix="/rooms", tags=["rooms"])

Username = Annotated[str, Path(pattern=USERNAME, description="Case does not matter", examples=["ana"])]
Range = Annotated[Period, Query(alias="range", description="The last 7, 30 or 365 days, or all time")]
THEIRS = problems(NotFound, ProfileRestricted)
MINE = problems(Unauthorized, Forbidden)
PLAYS = [limited("library.now-playing", 120, 60)]


@listens.post(
    "",
    status_code=201,
    summary="Add listens",
    responses=MINE,
    dependencies=[limited("library.listens", 120, 60)],
)
async def add_listens(batch: ListenBatch, db: WriteDB, actor: Listening) -> RecordedListens:
    """Up to a hundred, with a token of the scope `listen`. What is there already, from whichever source, stays once."""
    return await service.add_listens(db, actor, batch)


@listens.delete(
    "/{listen_id}",
    status_code=204,
    summary="Delete a listen",
    responses=MINE | problems(NotFound),
    dependencies=[limited("library.delete", 120, 60)],
)
async def delete_listen(listen_id: UUID, db: WriteDB, actor: CurrentUser) -> None:
    """It no longer counts anywhere."""
    await service.remove_listen(db, actor, listen_id)


@people.get("/{username}/listens", summary="What a person heard", responses=THEIRS)
async def list_listens(
    username: Username,
    db: ReadDB,
    actor: MaybeUser,
    page: Paged,
    *,
    before: Annotated[Moment | None, Query(description="Only what began earlier")] = None,
    after: Annotated[Moment | None, Query(description="Only what began later")] = None,
    track_id: UUID | None = None,
    album_id: UUID | None = None,
    artist_id: UUID | None = None,
) -> Page[ListenItem]:
    """The latest first, if the person lets you see their library."""
    wanted = {"track_id": track_id, "album_id": album_id, "artist_id": artist_id}
    return await service.list_listens(db, actor, page, username=username, before=before, after=after, **wanted)


@people.get("/{username}/recent-tracks", summary="What a person played of late", responses=THEIRS)
async def list_recent_tracks(
    username: Username, db: ReadDB, actor: MaybeUser, limit: Annotated[int, Query(ge=1, le=MOST_ENTRIES)] = 20
) -> RecentTracks:
    """Each track once, the last one first, out of their last 500 listens, if they let you see their library."""
    return await service.list_recent_tracks(db, actor, username, limit=limit)


@people.get("/{username}/listens/stats", summary="How much a person has heard", responses=THEIRS)
async def get_listening_stats(username: Username, db: ReadDB, actor: MaybeUser) -> ListeningStats:
    """If they let you see their library."""
    return await service.get_listening_stats(db, actor, username)


@people.get(
    "/{username}/top",
    summary="What a person heard most",
    responses=THEIRS,
    dependencies=[limited("library.top", 120, 60)],
)
async def list_top(
    username: Username,
    infra: Here,
    db: ReadDB,
    actor: MaybeUser,
    *,
    kind: Annotated[TopKind, Query(description="Of what")] = "tracks",
    range_: Range = "month",
    limit: Annotated[int, Query(ge=1, le=MOST_ENTRIES)] = 10,
) -> TopList:
    """Counted anew every five minutes, if they let you see their library."""
    return await service.list_top(db, infra.cache, actor, username, kind=kind, period=range_, limit=limit)


@people.get("/{username}/now-playing", summary="What a person hears now", responses=THEIRS)
async def get_now_playing(username: Username, infra: Here, db: ReadDB, actor: MaybeUser) -> NowPlayingState:
    """Nothing once the track is over, if they let you see their library."""
    return await now_playing.get_now_playing(db, infra.redis, actor, username)


@people.put("/me/now-playing", summary="Tell what you hear now", responses=MINE, dependencies=PLAYS)
async def set_now_playing(playing: NowPlayingInput, infra: Here, actor: Listening) -> NowPlayingState:
    """It is no listen yet, and is forgotten when the track is over."""
    return await now_playing.set_now_playing(infra.db.reader, infra.redis, actor, playing)


@people.delete("/me/now-playing", status_code=204, summary="You hear nothing now", responses=MINE, dependencies=PLAYS)
async def clear_now_playing(infra: Here, actor: Listening) -> None:
    """Done again it changes nothing."""
    await now_playing.silence(infra.redis, actor.user_id)


@evenings.post(
    "/{room_id}/history/playlist",
    status_code=201,
    summary="Keep what was played as a playlist",
    responses=problems(Unauthorized, Forbidden, NotFound, NotMember, NothingPlayed, TooManyPlaylists),
    dependencies=[limited("playlists.copy", 20, 60)],
)
async def keep_room_history(room_id: UUID, wanted: KeptEvening, db: WriteDB, actor: CurrentUser) -> PlaylistDetail:
    """A new one of yours, in the order of playing: the last 500 tracks, or those of the time that you name, as far as
    you may hear them."""
    return await evenings_service.keep_history(db, actor, room_id, wanted)
