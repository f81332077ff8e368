"""Reads of the feed: entries were written when things happened, so a page costs the same whatever the history."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, join, literal_column, or_, select, true
from sqlalchemy.orm import aliased

from app.catalog.models import Album, Artist
from app.core.query import PageQuery, Query
from app.feed.models import Activity, FeedEntry
from app.feed.schemas import FeedItem
from app.reactions.queries import person_card
from app.reviews.models import Review
from app.reviews.queries import review_card
from app.users.models import Follow, User
from app.users.queries import VIEWER, not_blocked, not_muted, visible

__all__ = ["EVERYONE", "FOLLOWING", "FOLLOWS_SOMEBODY"]

_PERSON = aliased(User)
_PLACE = aliased(Activity)


def _items(place: Any, *which: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """The activity of each place, if the viewer may see it. The author of the review is the actor.

    The LIMIT keeps the planner to one activity after the other, whatever it believes about the numbers: so a page costs
    its own rows.
    """
    reviews = join(Review, Album, Album.id == Review.album_id).join(Artist, Artist.id == Album.artist_id)
    item = (
        select(
            *(column.label(column.key) for column in (Activity.id, Activity.kind, Activity.created_at)),
            *person_card(User, "actor__"),
            *review_card("review__"),
            *person_card(_PERSON, "person__"),
        )
        .select_from(Activity)
        .join(User, User.id == Activity.actor_id)
        .outerjoin(reviews, Review.id == Activity.review_id)
        .outerjoin(_PERSON, _PERSON.id == Activity.followed_id)
        .where(*which, visible(User), not_muted(User.id), User.deleted_at.is_(None), _still_there())
        .limit(literal_column("1"))
        .lateral("item")
    )
    return select(*item.c).select_from(place).join(item, true())


def _still_there() -> ColumnElement[bool]:
    """The review is published, and a favourite if that is what happened; the followed person is no stranger."""
    favorite = or_(Activity.kind != "favorite", Review.is_favorite)
    met = and_(not_blocked(_PERSON.id), not_muted(_PERSON.id), _PERSON.deleted_at.is_(None))
    return and_(
        or_(Activity.review_id.is_(None), and_(Review.published_at.is_not(None), favorite)),
        or_(Activity.followed_id.is_(None), met),
    )


# The reader's id stands inside as well as outside: it tells the planner that no two places are alike. Else it hopes to
# meet activities again and plans anew for each reader, which takes three times as long as reading the page.
_MINE = FeedEntry.reader_id == VIEWER
_FOLLOWS = exists().where(Follow.follower_id == VIEWER)
FOLLOWING = PageQuery(
    _items(FeedEntry, Activity.id == FeedEntry.activity_id, _MINE).where(_MINE, _FOLLOWS),
    into=FeedItem,
    order=[FeedEntry.activity_id],
)
"""Empty for those who follow nobody."""
EVERYONE = PageQuery(_items(_PLACE, Activity.id == _PLACE.id), into=FeedItem, order=[_PLACE.id])

FOLLOWS_SOMEBODY = Query(select(_FOLLOWS), into=bool)
