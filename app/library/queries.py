"""Reads of what people heard."""

from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Select,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    func,
    join,
    literal_column,
    null,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased

from app.catalog.hearing import heard_by
from app.catalog.models import Album, Artist, Track
from app.catalog.schemas import TrackCard
from app.core.query import PageQuery, Query
from app.library.models import Listen, Listener
from app.library.schemas import HeardGenre, KnownTrack, ListeningStats, ListenItem, RecentTrack, TopEntry, TopKind

__all__ = ["CARD", "GENRES_HEARD", "KNOWN_TRACKS", "LISTENS_BY_ID", "RECENT_TRACKS", "STATS", "TOP"]
__all__ += ["listens_page"]

LATEST_LISTENS = 500
"""Of how many listens of each person their genres are counted, and their last tracks found."""
MOST_ENTRIES = 50


def _id(name: str) -> Any:
    return bindparam(name, type_=Uuid)


def _among(column: Any, name: str) -> Any:
    return column == any_(bindparam(name, type_=ARRAY(Uuid)))


def _card(prefix: str) -> list[Any]:
    """The columns of a TrackCard."""
    columns = {
        "id": Track.id,
        "title": Track.title,
        "artist__id": Artist.id,
        "artist__name": Artist.name,
        "album__id": Album.id,
        "album__title": Album.title,
        "album__year": Album.year,
        "album__cover_key": Album.cover_key,
        "duration_ms": Track.duration_ms,
        "like_count": Track.like_count,
    }
    return [column.label(prefix + name) for name, column in columns.items()]


_KEPT = aliased(Track)
KNOWN_TRACKS = Query(
    select(
        Track.id.label("named_id"),
        _KEPT.id.label("track_id"),
        _KEPT.duration_ms,
        (_KEPT.visibility == "public").label("is_public"),
    )
    .join_from(Track, _KEPT, _KEPT.id == func.coalesce(Track.merged_into_id, Track.id))
    .where(_among(Track.id, "ids")),
    into=KnownTrack,
)
CARD = Query(
    select(*_card(""))
    .join_from(Track, Artist, Artist.id == Track.artist_id)
    .outerjoin(Album, Album.id == Track.album_id)
    .where(Track.id == _id("track_id"), heard_by()),
    into=TrackCard,
)

_FOUND = aliased(Listen)
"""What filters look through: the key and the track, which the index holds."""
_TOLD = (Listen.id, Listen.track_id, Listen.listened_at, Listen.source, Listen.client, Listen.played_ms)
_THE_REST = (
    select(*_TOLD)
    .where(Listen.user_id == _FOUND.user_id, Listen.id == _FOUND.id)
    .offset(literal_column("0"))
    .lateral("listen")
)
"""The whole listen that was found. OFFSET 0: PostgreSQL 18 would see one table joined to itself and read all of it."""


def _listens(source: Any, told: Any) -> Select[Any]:
    listens = select(told.id, *_card("track__"), told.listened_at, told.source, told.client, told.played_ms)
    listens = listens.select_from(source).join(Track, Track.id == told.track_id)
    listens = listens.join(Artist, Artist.id == Track.artist_id).outerjoin(Album, Album.id == Track.album_id)
    return listens.where(heard_by())


# IS TRUE has a filter asked for each row on the way along the key: as a join, or by the index of tracks, what everybody
# heard of them would be gathered and sorted before the first page.
def _tracks_of(column: Any, name: str) -> Any:
    other = aliased(Track)
    mine = select(other.id).where(getattr(other, column.key) == _id(name))
    return _FOUND.track_id.in_(mine).is_(true())


_FILTERS = {
    "track_id": (_FOUND.track_id == _id("track_id")).is_(true()),
    "album_id": _tracks_of(Track.album_id, "album_id"),
    "artist_id": _tracks_of(Track.artist_id, "artist_id"),
    "first_id": _FOUND.id >= _id("first_id"),
    "end_id": _FOUND.id < _id("end_id"),
}


@cache
def listens_page(filters: frozenset[str]) -> PageQuery[ListenItem]:
    """A person's listens, held to the named filters: a statement for each choice, so that each has its plan."""
    listens = _listens(join(_FOUND, _THE_REST, true()), _THE_REST.c).where(_FOUND.user_id == _id("user_id"))
    return PageQuery(listens.where(*(_FILTERS[name] for name in sorted(filters))), into=ListenItem, order=[_FOUND.id])


LISTENS_BY_ID = Query(
    _listens(Listen, Listen)
    .where(Listen.user_id == _id("user_id"), _among(Listen.id, "ids"))
    .order_by(Listen.id.desc()),
    into=ListenItem,
)


_OF_LATE = (
    select(Listen.track_id, Listen.id)
    .where(Listen.user_id == _id("user_id"))
    .order_by(Listen.id.desc())
    .limit(literal_column(str(LATEST_LISTENS)))
    .subquery("of_late")
)
_LAST_TIME = (
    select(_OF_LATE.c.track_id, _OF_LATE.c.id)
    .ext(distinct_on(_OF_LATE.c.track_id))
    .order_by(_OF_LATE.c.track_id, _OF_LATE.c.id.desc())
    .subquery("last_time")
)
RECENT_TRACKS = Query(
    select(*_card("track__"), Listen.listened_at)
    .select_from(_LAST_TIME)
    .join(Listen, and_(Listen.user_id == _id("user_id"), Listen.id == _LAST_TIME.c.id))
    .join(Track, Track.id == _LAST_TIME.c.track_id)
    .join(Artist, Artist.id == Track.artist_id)
    .outerjoin(Album, Album.id == Track.album_id)
    .where(heard_by())
    .order_by(_LAST_TIME.c.id.desc())
    .limit(literal_column(str(MOST_ENTRIES))),
    into=RecentTrack,
)


def _end(order: Any) -> Any:
    mine = select(Listen.listened_at).where(Listen.user_id == _id("user_id")).order_by(order)
    return mine.limit(literal_column("1")).scalar_subquery()


_COUNTED = select(Listener.listen_count).where(Listener.user_id == _id("user_id")).scalar_subquery()
STATS = Query(
    select(
        func.coalesce(_COUNTED, literal_column("0")).label("listen_count"),
        _end(Listen.id.asc()).label("first_listened_at"),
        _end(Listen.id.desc()).label("last_listened_at"),
    ),
    into=ListeningStats,
)

_HEARD = (
    select(Listen.track_id, func.count().label("listens"))
    .where(Listen.user_id == _id("user_id"), Listen.id >= _id("first_id"))
    .group_by(Listen.track_id)
    .subquery("heard")
)


def _most(of: Any) -> Any:
    """The ids of what was heard most with their counts; of those heard as often, the newest of the catalogue.

    Ranked before anything is joined that is only shown. Of what the viewer may not hear nothing counts.
    """
    times = _HEARD.c.listens if of is _HEARD.c.track_id else cast(func.sum(_HEARD.c.listens), BigInteger)
    ranked = select(of.label("id"), times.label("listen_count")).select_from(_HEARD)
    order = times.desc(), of.desc()
    if of is _HEARD.c.track_id:
        # in their order before they are looked up, so that no more are than are shown
        ranked = _heard_of(ranked.order_by(*order).offset(literal_column("0")).subquery("ranked"))
        order = ranked.selected_columns.listen_count.desc(), ranked.selected_columns.id.desc()
    else:
        ranked = ranked.join(Track, Track.id == _HEARD.c.track_id).where(of.is_not(None), heard_by()).group_by(of)
    return ranked.order_by(*order).limit(literal_column(str(MOST_ENTRIES))).subquery("most")


def _heard_of(ranked: Any) -> Select[Any]:
    return select(ranked.c.id, ranked.c.listen_count).join(Track, Track.id == ranked.c.id).where(heard_by())


def _top(entity: type[Artist] | type[Album] | type[Track], of: Any, title: Any, *columns: Any) -> Query[TopEntry]:
    most = _most(of)
    shown = select(entity.id, title.label("title"), *columns, most.c.listen_count).select_from(most)
    shown = shown.join(entity, entity.id == most.c.id)
    if entity is Track:
        shown = shown.outerjoin(Album, Album.id == Track.album_id)
    if entity is not Artist:
        shown = shown.join(Artist, Artist.id == entity.artist_id)  # type: ignore[union-attr]
    return Query(shown.order_by(most.c.listen_count.desc(), most.c.id.desc()), into=TopEntry)


_ARTIST = Artist.id.label("artist__id"), Artist.name.label("artist__name")
_NO_ARTIST = null().label("artist__id"), null().label("artist__name")
_COVER = Album.cover_key.label("image_key")
TOP: dict[TopKind, Query[TopEntry]] = {
    "artists": _top(Artist, Track.artist_id, Artist.name, *_NO_ARTIST, Artist.image_key),
    "albums": _top(Album, Track.album_id, Album.title, *_ARTIST, _COVER),
    "tracks": _top(Track, _HEARD.c.track_id, Track.title, *_ARTIST, _COVER),
}
"""What a person heard most since a listen."""

_PERSON = func.unnest(bindparam("user_ids", type_=ARRAY(Uuid))).table_valued("user_id", name="people").render_derived()
_LATEST = (
    select(Listen.track_id)
    .where(Listen.user_id == _PERSON.c.user_id)
    .order_by(Listen.id.desc())
    .limit(literal_column(str(LATEST_LISTENS)))
    .lateral("latest")
)
_GENRE = func.unnest(Track.genres).table_valued("name", name="genre").render_derived()
_TIMES = func.count()
GENRES_HEARD = Query(
    select(_PERSON.c.user_id, _GENRE.c.name.label("genre"), _TIMES.label("listen_count"))
    .select_from(_PERSON)
    .join(_LATEST, true())
    .join(Track, and_(Track.id == _LATEST.c.track_id, Track.visibility == "public"))
    .join(_GENRE, true())
    .group_by(_PERSON.c.user_id, _GENRE.c.name)
    .order_by(_PERSON.c.user_id, _TIMES.desc(), _GENRE.c.name),
    into=HeardGenre,
)
"""What genres people heard of late, the most heard first."""
