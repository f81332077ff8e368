"""Reads of charts and suggestions."""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    column,
    exists,
    func,
    or_,
    select,
    true,
    type_coerce,
    union,
    union_all,
)
from sqlalchemy.orm import aliased

from app.catalog.hearing import heard_by
from app.catalog.models import Album, Artist, Track
from app.core.query import PageQuery, Query
from app.discover.models import Chart, ChartEntry, Dismissal, TrackTrend
from app.discover.schemas import ChartInfo, ChartPlace, GenreActivity, SharedAlbum, SuggestedCard, TrendingTrack
from app.reactions.models import Like
from app.reactions.queries import person_card
from app.reviews.models import Review
from app.users.models import Follow, User
from app.users.queries import VIEWER, not_muted, visible

__all__ = ["ALBUM_TITLES", "CANDIDATES", "CHART", "CHART_PLACES", "GENRES", "SUGGESTED", "TRENDING_TRACKS"]

MOST_ALBUMS = 100
MOST_PEOPLE_OF_ALBUM = 50
MOST_CANDIDATES = 200
MOST_ACTIVE = 50

_KIND, _PERIOD, _GENRE = (bindparam(name, type_=Text) for name in ("kind", "period", "genre"))

CHART = Query(
    select(Chart.starts_at.label("period_start"), Chart.ends_at.label("period_end"), Chart.weeks_back, Chart.made_at)
    .where(Chart.kind == _KIND, Chart.period == _PERIOD, or_(Chart.genre == _GENRE, Chart.genre == ""))
    # a genre that nobody wrote of has no chart: its empty page tells of the period of all genres
    .order_by(Chart.genre.desc())
    .limit(1),
    into=ChartInfo,
)

_ALBUM = (Album.id, Album.title, Album.year, Album.cover_key, Album.genres)

CHART_PLACES = PageQuery(
    select(
        ChartEntry.rank,
        (ChartEntry.previous_rank - ChartEntry.rank).label("rank_change"),
        ChartEntry.score,
        ChartEntry.mean_rating,
        ChartEntry.review_count,
        *(column.label(f"album__{column.key}") for column in _ALBUM),
        Artist.id.label("album__artist__id"),
        Artist.name.label("album__artist__name"),
    )
    .join_from(ChartEntry, Album, Album.id == ChartEntry.album_id)
    .join(Artist, Artist.id == Album.artist_id)
    .where(ChartEntry.kind == _KIND, ChartEntry.period == _PERIOD, ChartEntry.genre == _GENRE, Album.listed),
    into=ChartPlace,
    order=[ChartEntry.rank],
    ascending=True,
)

TRENDING_TRACKS = PageQuery(
    select(
        TrackTrend.rank,
        (TrackTrend.previous_rank - TrackTrend.rank).label("rank_change"),
        TrackTrend.score,
        TrackTrend.play_count,
        TrackTrend.listener_count,
        *(column.label(f"track__{column.key}") for column in (Track.id, Track.title, Track.duration_ms)),
        Track.like_count.label("track__like_count"),
        Artist.id.label("track__artist__id"),
        Artist.name.label("track__artist__name"),
        *(column.label(f"track__album__{column.key}") for column in _ALBUM[:4]),
    )
    .join_from(TrackTrend, Track, Track.id == TrackTrend.track_id)
    .join(Artist, Artist.id == Track.artist_id)
    .outerjoin(Album, Album.id == Track.album_id)
    .where(TrackTrend.genre == _GENRE, heard_by()),
    into=TrendingTrack,
    order=[TrackTrend.rank],
    ascending=True,
)

GENRES = PageQuery(
    select(Chart.genre, Chart.album_count, Chart.review_count).where(
        Chart.kind == "top", Chart.period == _PERIOD, Chart.genre != ""
    ),
    into=GenreActivity,
    order=[-Chart.review_count, Chart.genre],
    ascending=True,
)


def suggestable() -> ColumnElement[bool]:
    """The viewer may be told of this person and has not decided about them yet."""
    follow, dismissal = aliased(Follow), aliased(Dismissal)
    return and_(
        User.id != VIEWER,
        User.deleted_at.is_(None),
        visible(),
        not_muted(User.id),
        ~exists().where(follow.follower_id == VIEWER, follow.followed_id == User.id),
        ~exists().where(dismissal.user_id == VIEWER, dismissal.dismissed_id == User.id),
    )


def _candidates() -> Select[Any]:
    """Who wrote of or likes the same albums, those met most often first, and whoever was active last."""
    mine, theirs = aliased(Review), aliased(Review)
    my_like, their_like = aliased(Like), aliased(Like)
    reviewed = (
        select(mine.album_id)
        .where(mine.user_id == VIEWER, mine.published_at.is_not(None))
        .order_by(mine.published_at.desc(), mine.id.desc())
        .limit(MOST_ALBUMS)
        .subquery()
    )
    reviewers = (
        select(theirs.user_id)
        .where(theirs.album_id == reviewed.c.album_id, theirs.published_at.is_not(None))
        .order_by(theirs.published_at.desc(), theirs.id.desc())
        .limit(MOST_PEOPLE_OF_ALBUM)
        .lateral()
    )
    liked = (
        select(my_like.album_id)
        .where(my_like.user_id == VIEWER, my_like.album_id.is_not(None))
        .order_by(my_like.id.desc())
        .limit(MOST_ALBUMS)
        .subquery()
    )
    likers = (
        select(their_like.user_id).where(their_like.album_id == liked.c.album_id).limit(MOST_PEOPLE_OF_ALBUM).lateral()
    )
    met = union_all(
        select(reviewers.c.user_id).join_from(reviewed, reviewers, true()),
        select(likers.c.user_id).join_from(liked, likers, true()),
    ).subquery()
    near = (
        select(User.id)
        .join(met, met.c.user_id == User.id)
        .where(suggestable())
        .group_by(User.id)
        .order_by(func.count().desc(), User.id)
        .limit(MOST_CANDIDATES)
    )
    active = (
        select(User.id).where(suggestable(), User.review_count > 0).order_by(User.active_at.desc()).limit(MOST_ACTIVE)
    )
    return select(union(near, active).subquery().c.id)


CANDIDATES = Query(_candidates(), into=UUID)

_listed = (
    func.unnest(bindparam("ids", type_=ARRAY(Uuid)))
    .table_valued(column("id", Uuid), with_ordinality="position", name="listed")
    .render_derived()
)

SUGGESTED = PageQuery(
    select(*person_card(), User.bio, User.follower_count, User.review_count)
    .join_from(_listed, User, User.id == _listed.c.id)
    .where(suggestable()),
    into=SuggestedCard,
    order=[type_coerce(_listed.c.position, BigInteger)],
    ascending=True,
)
"""People of a list that was made some minutes ago, in its order, without those who may no longer be suggested."""

ALBUM_TITLES = Query(
    select(Album.id, Album.title).where(Album.id == any_(bindparam("ids", type_=ARRAY(Uuid))), Album.listed),
    into=SharedAlbum,
)
