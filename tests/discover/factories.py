"""Albums, reviews and likes straight in the database, at any moment."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, update

from app.catalog.models import Album, Artist, Track
from app.core.ids import uuid7
from app.core.infra import Infra
from app.discover.charts import make_charts
from app.reactions.models import Like
from app.reviews.models import Review
from app.users.models import User


def ago(days: float) -> datetime:
    """A moment in the past."""
    return datetime.now(UTC) - timedelta(days=days)


async def make_album(infra: Infra, title: str = "Album", *, genres: list[str] | None = None) -> Album:
    """A new album of a new artist."""
    artist = Artist(id=uuid7(), name=f"Artist of {title}", name_key="artist")
    album = Album(id=uuid7(), title=title, title_key=title.lower(), artist_id=artist.id, genres=genres or [], year=1999)
    async with infra.db.write() as db:
        db.add(artist)
        await db.flush()
        db.add(album)
    return album


async def make_track(infra: Infra, album: Album, title: str = "Track") -> Track:
    """A new track of the album."""
    track = Track(id=uuid7(), title=title, title_key=title.lower(), artist_id=album.artist_id, album_id=album.id)
    async with infra.db.write() as db:
        db.add(track)
    return track


async def review(
    infra: Infra,
    user_id: UUID,
    album: Album,
    rating: int,
    *,
    days: float = 0,
    favorite: bool = False,
    draft: bool = False,
) -> Review:
    """A review, counted on its author as the service does."""
    row = Review(
        id=uuid7(),
        user_id=user_id,
        album_id=album.id,
        rating=rating,
        is_favorite=favorite,
        published_at=None if draft else ago(days),
    )
    async with infra.db.write() as db:
        db.add(row)
        await db.flush()
        if not draft:
            counts = {"review_count": User.review_count + 1, "rating_sum": User.rating_sum + rating}
            await db.execute(update(User).where(User.id == user_id).values(counts))
    return row


async def like(infra: Infra, user_id: UUID, *, days: float = 0, **target: UUID) -> None:
    """A like of `album_id` or `track_id`."""
    async with infra.db.write() as db:
        db.add(Like(id=uuid7(), user_id=user_id, created_at=ago(days), **target))


async def active(infra: Infra, user_id: UUID, days: float) -> None:
    """The person was last active then."""
    async with infra.db.write() as db:
        moment = func.now() - timedelta(days=days)
        await db.execute(update(User).where(User.id == user_id).values(active_at=moment))


async def charts(infra: Infra) -> None:
    """Makes the charts now."""
    async with infra.db.write() as db:
        await make_charts(db)
