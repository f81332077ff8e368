"""Charts and new reviews for everybody, people to follow and rooms to come into."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Response

from app.core.auth import CurrentUser
from app.core.errors import Forbidden, NotFound, Unauthorized, problems
from app.core.etags import NOT_MODIFIED, IfNoneMatch, tagged
from app.core.http import Here, ReadDB, Router, WriteDB
from app.core.limits import limited
from app.core.paging import Page, Paged
from app.core.schemas import Output
from app.discover import rooms, service
from app.discover.charts import Period
from app.discover.schemas import ChartPage, GenreActivity, SuggestedPerson, SuggestedRoom, TrendingTrack
from app.reviews.schemas import ReviewCard
from app.users.schemas import USERNAME

__all__ = ["router"]

router = Router(prefix="/discover", tags=["discover"])

Genre = Annotated[str, Query(max_length=50, description="Only albums of this genre", examples=["jazz"])]
TrackGenre = Annotated[str, Query(alias="genre", max_length=60, description="Only tracks of it", examples=["jazz"])]
Username = Annotated[str, Path(pattern=USERNAME, description="Case does not matter", examples=["bruno"])]
Range = Annotated[Period, Query(alias="range", description="Reviews of the last 7, 30 or 365 days, or of all time")]


def _public(output: Output, known: str | None, response: Response) -> Response:
    """Everybody is told the same, so that any cache on the way may answer for a minute."""
    headers = {**response.headers, "cache-control": "public, max-age=60", "vary": "Accept-Encoding"}
    return tagged(output, known, headers=headers)


@router.get("/top-albums", response_model=ChartPage, responses=NOT_MODIFIED, summary="The best rated albums")
async def list_top_albums(
    *,
    infra: Here,
    page: Paged,
    response: Response,
    range_: Range = "all",
    genre: Genre = "",
    known: IfNoneMatch = None,
) -> Response:
    """Sorted by the Bayesian mean of their ratings, so that one enthusiast does not outweigh many.

    Reviews of people whose profile not everyone may see do not count. Made anew every five minutes.
    """
    chart = await service.list_chart(infra, page, kind="top", period=range_, genre=genre)
    return _public(chart, known, response)


@router.get("/trending", response_model=ChartPage, responses=NOT_MODIFIED, summary="What people talk about now")
async def list_trending_albums(
    *, infra: Here, page: Paged, response: Response, genre: Genre = "", known: IfNoneMatch = None
) -> Response:
    """Reviews and likes of the last seven days, the newest weighing most.

    After a week without any, the last one that had some: `weeks_back`, `period_start` and `period_end` say which.
    """
    chart = await service.list_chart(infra, page, kind="trending", period="week", genre=genre)
    return _public(chart, known, response)


@router.get(
    "/trending-tracks",
    response_model=Page[TrendingTrack],
    responses=NOT_MODIFIED,
    summary="What people listen to now",
)
async def list_trending_tracks(
    *, infra: Here, page: Paged, response: Response, genre: TrackGenre = "", known: IfNoneMatch = None
) -> Response:
    """Listens of the last seven days, the newest weighing most, and each listener more than their repetitions.

    Listens of people whose library not everyone may see do not count. Made anew every five minutes.
    """
    return _public(await service.list_trending_tracks(infra, page, genre=genre), known, response)


@router.get(
    "/recent-reviews",
    response_model=Page[ReviewCard],
    responses=NOT_MODIFIED,
    summary="The newest reviews of everybody",
)
async def list_public_reviews(*, db: ReadDB, page: Paged, response: Response, known: IfNoneMatch = None) -> Response:
    """The same for everybody; `GET /reviews` also heeds whom you block or mute."""
    return _public(await service.list_recent_reviews(db, page), known, response)


@router.get(
    "/genres", response_model=Page[GenreActivity], responses=NOT_MODIFIED, summary="Genres with the most reviews"
)
async def list_busy_genres(
    *, infra: Here, page: Paged, response: Response, range_: Range = "all", known: IfNoneMatch = None
) -> Response:
    """Each can be given as `genre` to the charts."""
    return _public(await service.list_genres(infra, page, period=range_), known, response)


@router.get("/people", summary="People whom you may want to follow", responses=problems(Unauthorized, Forbidden))
async def list_suggested_people(infra: Here, actor: CurrentUser, page: Paged) -> Page[SuggestedPerson]:
    """Scored by similar ratings, shared likes, recent activity and shared favourites, with the reasons for each.

    Never those whom you follow, block, mute or have dismissed. Worked out anew every 15 minutes, and when you follow,
    block or dismiss somebody.
    """
    return await service.list_suggestions(infra, actor, page)


@router.put(
    "/people/{username}/dismissal",
    status_code=204,
    summary="Do not suggest this person again",
    responses=problems(Unauthorized, Forbidden, NotFound),
    dependencies=[limited("discover.write", 60, 60)],
)
async def dismiss_suggestion(db: WriteDB, actor: CurrentUser, username: Username) -> None:
    """They do not learn of it."""
    await service.dismiss(db, actor, username)


@router.delete(
    "/people/{username}/dismissal",
    status_code=204,
    summary="Suggest this person again",
    responses=problems(Unauthorized, Forbidden, NotFound),
    dependencies=[limited("discover.write", 60, 60)],
)
async def undo_dismissal(db: WriteDB, actor: CurrentUser, username: Username) -> None:
    """Takes a dismissal back; without one nothing changes."""
    await service.undismiss(db, actor, username)


@router.get("/rooms", summary="Rooms that you may like", responses=problems(Unauthorized, Forbidden))
async def list_suggested_rooms(db: ReadDB, actor: CurrentUser, page: Paged) -> Page[SuggestedRoom]:
    """By the genres that you rate highly, people whom you follow and who are inside, where you were before, and how
    lively it is there right now, with the reasons for each.

    Never private or full rooms, those that you are in, or those that you dismissed.
    """
    return await rooms.list_suggested_rooms(db, actor, page)


@router.put(
    "/rooms/{room_id}/dismissal",
    status_code=204,
    summary="Not interested in this room",
    responses=problems(Unauthorized, Forbidden, NotFound),
    dependencies=[limited("discover.write", 60, 60)],
)
async def dismiss_suggested_room(room_id: UUID, db: WriteDB, actor: CurrentUser) -> None:
    """It is not suggested again."""
    await rooms.dismiss_room(db, actor, room_id)


@router.delete(
    "/rooms/{room_id}/dismissal",
    status_code=204,
    summary="Suggest this room again",
    responses=problems(Unauthorized, Forbidden, NotFound),
    dependencies=[limited("discover.write", 60, 60)],
)
async def undo_room_dismissal(room_id: UUID, db: WriteDB, actor: CurrentUser) -> None:
    """Takes a dismissal back; without one nothing changes."""
    await rooms.undismiss_room(db, actor, room_id)
