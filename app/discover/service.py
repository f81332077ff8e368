"""Charts as they were last made, and suggestions."""

from typing import Literal
from uuid import UUID

from sqlalchemy import Uuid, delete, literal, select
from sqlalchemy.dialects.postgresql import insert

from app.core.auth import Principal
from app.core.db import Reader, Writer
from app.core.errors import Invalid, NotFound
from app.core.infra import Infra
from app.core.paging import Page, PageRequest
from app.discover.charts import Period, make_first_charts
from app.discover.models import Dismissal
from app.discover.queries import CHART, CHART_PLACES, GENRES, SUGGESTED, TRENDING_TRACKS
from app.discover.schemas import ChartInfo, ChartPage, GenreActivity, SuggestedPerson, TrendingTrack
from app.discover.suggestions import SUGGESTIONS, cache_key, suggest
from app.reviews.queries import EVERYBODYS_REVIEWS
from app.reviews.schemas import ReviewCard
from app.users.models import User
from app.users.queries import not_blocked

__all__ = [
    "dismiss",
    "list_chart",
    "list_genres",
    "list_recent_reviews",
    "list_suggestions",
    "list_trending_tracks",
    "undismiss",
]

CACHE_SECONDS = 15 * 60


async def list_chart(
    infra: Infra, page: PageRequest, *, kind: Literal["top", "trending"], period: Period, genre: str
) -> ChartPage:
    """A page of a chart, of all genres if `genre` is empty."""
    db, genre = infra.db.reader, genre.strip().lower()
    chart = await _chart(infra, kind, period, genre)
    places = await CHART_PLACES.page(db, page, kind=kind, period=period, genre=genre)
    return ChartPage.model_construct(items=places.items, next_cursor=places.next_cursor, **dict(chart))


async def list_trending_tracks(infra: Infra, page: PageRequest, *, genre: str) -> Page[TrendingTrack]:
    """The tracks that are heard most now and that everybody may hear, of all genres if `genre` is empty."""
    await _chart(infra, "trending", "week", "")
    return await TRENDING_TRACKS.page(infra.db.reader, page, genre=genre.strip().lower(), viewer=None)


async def _chart(infra: Infra, kind: str, period: str, genre: str) -> ChartInfo:
    """What is known of the chart; makes all charts if nobody ever did."""
    chart = await CHART.first(infra.db.reader, kind=kind, period=period, genre=genre)
    if chart is None:
        async with infra.db.write() as db:
            await make_first_charts(db)
        chart = await CHART.first(infra.db.reader, kind=kind, period=period, genre=genre)
    assert chart is not None, "making charts makes all of them"
    return chart


async def list_genres(infra: Infra, page: PageRequest, *, period: Period) -> Page[GenreActivity]:
    """Genres of which most was written in the period come first."""
    await _chart(infra, "top", period, "")
    return await GENRES.page(infra.db.reader, page, period=period)


async def list_recent_reviews(db: Reader, page: PageRequest) -> Page[ReviewCard]:
    """The newest reviews that everyone may read."""
    return await EVERYBODYS_REVIEWS["new"].page(db, page, viewer=None)


async def list_suggestions(infra: Infra, actor: Principal, page: PageRequest) -> Page[SuggestedPerson]:
    """People to follow, best first. Scores are some minutes old, whom they may name is not."""
    kept, _ = await infra.cache.get_or_load(cache_key(actor.user_id), CACHE_SECONDS, lambda: _load(infra, actor))
    suggestions = {suggestion.id: suggestion for suggestion in SUGGESTIONS.validate_json(kept)}
    cards = await SUGGESTED.page(infra.db.reader, page, ids=list(suggestions), viewer=actor.user_id)
    items = [SuggestedPerson(**dict(suggestions[card.id]) | dict(card)) for card in cards.items]
    return Page[SuggestedPerson].model_construct(items=items, next_cursor=cards.next_cursor)


async def _load(infra: Infra, actor: Principal) -> bytes:
    return SUGGESTIONS.dump_json(await suggest(infra.db.reader, actor.user_id))


async def dismiss(db: Writer, actor: Principal, username: str) -> None:
    """Suggests the person no more; again is no change. Raises NotFound, Invalid for oneself."""
    row = {"user_id": actor.user_id, "dismissed_id": await _person_id(db, actor, username)}
    await db.execute(insert(Dismissal).values(row).on_conflict_do_nothing())
    db.stale.append(cache_key(actor.user_id))


async def undismiss(db: Writer, actor: Principal, username: str) -> None:
    """Takes a dismissal back, if there is one. Raises NotFound, Invalid for oneself."""
    person_id = await _person_id(db, actor, username)
    await db.execute(delete(Dismissal).where(Dismissal.user_id == actor.user_id, Dismissal.dismissed_id == person_id))
    db.stale.append(cache_key(actor.user_id))


async def _person_id(db: Writer, actor: Principal, username: str) -> UUID:
    unblocked = not_blocked(User.id, literal(actor.user_id, Uuid))
    found = select(User.id).where(User.username_key == username.lower(), User.deleted_at.is_(None), unblocked)
    person_id = await db.one(found)
    if person_id is None:
        raise NotFound(f"There is nobody called {username}.")
    if person_id == actor.user_id:
        raise Invalid.field("/path/username", "This is you.", "self")
    return person_id
