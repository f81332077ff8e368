"""What a person heard: lists, totals, and what they add or take away themselves."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import get_args
from uuid import UUID

from sqlalchemy import delete, select, update

from app.catalog.likes import open_library
from app.catalog.service import viewer_of
from app.core.auth import Principal
from app.core.cache import Cache
from app.core.db import Writer
from app.core.errors import NotFound
from app.core.ids import MIN_UUID, uuid7_end, uuid7_start
from app.core.paging import Page, PageRequest
from app.core.query import Runs
from app.library.models import Listen, Listener
from app.library.queries import GENRES_HEARD, LISTENS_BY_ID, RECENT_TRACKS, STATS, TOP, listens_page
from app.library.recording import Heard, add_counts, record
from app.library.schemas import (
    ListenBatch,
    ListeningStats,
    ListenItem,
    Period,
    RecentTracks,
    RecordedListens,
    TopKind,
    TopList,
)

__all__ = [
    "add_listens",
    "count_listens",
    "forget_some_listens",
    "forget_some_tops",
    "get_listening_stats",
    "heard_genres",
    "list_listens",
    "list_recent_tracks",
    "list_top",
    "remove_listen",
]

_DAYS: dict[Period, int] = {"week": 7, "month": 30, "year": 365}
_BATCH = 5_000
_PEOPLE = 200
_TOP_SECONDS = 300


async def list_listens(
    db: Runs,
    actor: Principal | None,
    page: PageRequest,
    *,
    username: str,
    before: datetime | None = None,
    after: datetime | None = None,
    **wanted: UUID | None,
) -> Page[ListenItem]:
    """What a person heard, the latest first, between the moments and of the track, album or artist that are given.

    Raises NotFound, ProfileRestricted.
    """
    user_id = await open_library(db, actor, username)
    wanted["first_id"] = uuid7_end(after) if after else None
    wanted["end_id"] = uuid7_start(before) if before else None
    given = {name: value for name, value in wanted.items() if value is not None}
    return await listens_page(frozenset(given)).page(db, page, user_id=user_id, viewer=viewer_of(actor), **given)


async def list_recent_tracks(db: Runs, actor: Principal | None, username: str, *, limit: int) -> RecentTracks:
    """The tracks among a person's last 500 listens, the last one first. Raises NotFound, ProfileRestricted."""
    user_id = await open_library(db, actor, username)
    tracks = await RECENT_TRACKS.all(db, user_id=user_id, viewer=viewer_of(actor))
    return RecentTracks(items=tracks[:limit])


async def get_listening_stats(db: Runs, actor: Principal | None, username: str) -> ListeningStats:
    """How much a person has heard. Raises NotFound, ProfileRestricted."""
    stats = await STATS.first(db, user_id=await open_library(db, actor, username))
    assert stats is not None, "a select without FROM has a row"
    return stats


async def list_top(
    db: Runs, cache: Cache, actor: Principal | None, username: str, *, kind: TopKind, period: Period, limit: int
) -> TopList:
    """What a person heard most in the last days; others are told of what is public. Raises NotFound, ProfileRestricted.

    Ten years of listens are a lot to count: it is kept for some minutes, or until the person changes it themselves.
    """
    user_id = await open_library(db, actor, username)
    viewer = user_id if viewer_of(actor) == user_id else None

    async def count() -> bytes:
        since = datetime.now(UTC) - timedelta(days=_DAYS[period]) if period in _DAYS else None
        first_id = uuid7_start(since) if since else MIN_UUID
        entries = await TOP[kind].all(db, user_id=user_id, viewer=viewer, first_id=first_id)
        return TopList(kind=kind, range=period, since=since, items=entries).model_dump_json().encode()

    counted, _ = await cache.get_or_load(_key(user_id, kind, period, own=viewer is not None), _TOP_SECONDS, count)
    top = TopList.model_validate_json(counted)
    return top.model_copy(update={"items": top.items[:limit]})


async def add_listens(db: Writer, actor: Principal, batch: ListenBatch) -> RecordedListens:
    """What the actor says that they heard. Raises Invalid for a wrong time or an unknown track."""
    heard = [Heard(user_id=actor.user_id, **dict(listen)) for listen in batch.listens]
    new = await record(db, heard, source="manual")
    ids = [listen_id for _, listen_id in new]
    items = await LISTENS_BY_ID.all(db, user_id=actor.user_id, viewer=actor.user_id, ids=ids) if ids else []
    db.stale += _keys(actor.user_id)
    return RecordedListens(listens=items, known=len(heard) - len(new))


async def remove_listen(db: Writer, actor: Principal, listen_id: UUID) -> None:
    """Takes a listen of the actor away. Raises NotFound."""
    mine = Listen.user_id == actor.user_id, Listen.id == listen_id
    # the counter first, as everywhere: its lock has whoever else changes this person's listens wait
    fewer = update(Listener).where(Listener.user_id == actor.user_id, select(Listen.id).where(*mine).exists())
    await db.execute(fewer.values(listen_count=Listener.listen_count - 1).execution_options(synchronize_session=False))
    track_id = await db.scalar(delete(Listen).where(*mine).returning(Listen.track_id))
    if track_id is None:
        raise NotFound("There is no such listen of yours.")
    await add_counts(db, people=Counter(), tracks=Counter({track_id: -1}))
    db.stale += _keys(actor.user_id)


async def forget_some_listens(db: Writer, user_id: UUID) -> bool:
    """Takes away some of what a person heard, for good. Whether there may be more.

    Their counter goes first: a batch of theirs that is being recorded holds it, so what it writes is seen here.
    """
    await db.execute(delete(Listener).where(Listener.user_id == user_id))
    some = select(Listen.id).where(Listen.user_id == user_id).order_by(Listen.id).limit(_BATCH)
    gone = delete(Listen).where(Listen.user_id == user_id, Listen.id.in_(some.scalar_subquery()))
    heard = Counter(await db.scalars(gone.returning(Listen.track_id)))
    fewer = Counter({track_id: -count for track_id, count in heard.items()})
    await add_counts(db, people=Counter(), tracks=fewer)
    return bool(heard)


async def forget_some_tops(db: Writer, track_id: UUID, after: UUID) -> UUID | None:
    """Has the top lists of some who heard the track counted anew; the last of them, unless those were all."""
    heard = select(Listen.user_id).where(Listen.track_id == track_id, Listen.user_id > after)
    people = await db.all(heard.distinct().order_by(Listen.user_id).limit(_PEOPLE))
    db.stale += [key for user_id in people for key in _keys(user_id)]
    return people[-1] if len(people) == _PEOPLE else None


async def count_listens(db: Runs, user_id: UUID) -> int:
    """How much a person has heard, for whoever may know it."""
    stats = await STATS.first(db, user_id=user_id)
    return stats.listen_count if stats else 0


async def heard_genres(db: Runs, user_ids: Sequence[UUID]) -> dict[UUID, Counter[str]]:
    """How often each person heard each genre in their last 500 listens; nothing of those who heard nothing."""
    genres: dict[UUID, Counter[str]] = {}
    for heard in await GENRES_HEARD.all(db, user_ids=list(user_ids)):
        genres.setdefault(heard.user_id, Counter())[heard.genre] = heard.listen_count
    return genres


def _key(user_id: UUID, kind: TopKind, period: Period, *, own: bool) -> str:
    return f"top:{user_id}:{kind}:{period}{':own' if own else ''}"


def _keys(user_id: UUID) -> list[str]:
    lists = product(get_args(TopKind), get_args(Period), (False, True))
    return [_key(user_id, kind, period, own=own) for kind, period, own in lists]
