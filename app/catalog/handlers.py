"""What follows from merges, from changes of people, and from time."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel

from app.catalog import pictures, sharing
from app.catalog.comments import move_comments
from app.catalog.events import AlbumsMerged, TracksMerged
from app.catalog.likes import forget_some_likes, move_likes
from app.catalog.models import Album, Track
from app.catalog.search_index import index_person
from app.catalog.search_rebuild import refresh_search
from app.core.db import Writer
from app.core.jobs import enqueue, every, job, on
from app.users.events import AccountDeleted, PersonChanged

__all__ = ["forget_likes", "pictures", "sharing"]


class Leaver(BaseModel):
    """Who left."""

    user_id: UUID


@on(AlbumsMerged)
async def move_album_likes(db: Writer, event: AlbumsMerged) -> None:
    """Who liked the duplicate likes the album that stays."""
    await move_likes(db, Album, [(event.duplicate_id, event.kept_id)])


@on(TracksMerged)
async def move_track_likes(db: Writer, event: TracksMerged) -> None:
    """Who liked a duplicate likes the track that stays."""
    await move_likes(db, Track, event.pairs)


@on(TracksMerged)
async def move_track_comments(db: Writer, event: TracksMerged) -> None:
    """What was said of a duplicate stands under the track that stays."""
    await move_comments(db, event.pairs)


@on(PersonChanged)
async def index_changed_person(db: Writer, event: PersonChanged) -> None:
    """People are found by their present names."""
    await index_person(db, event.user_id)


@on(AccountDeleted)
async def begin_to_forget(db: Writer, event: AccountDeleted) -> None:
    """Who left is not found, and may have wanted their likes gone."""
    await index_person(db, event.user_id)
    if not event.keep_content:
        await enqueue(db, forget_likes, Leaver(user_id=event.user_id))


@job()
async def forget_likes(infra: Any, leaver: Leaver) -> None:
    """In many short transactions: each locks everything it counts."""
    for entity in (Album, Track):
        more = True
        while more:
            async with infra.db.write() as db:
                more = await forget_some_likes(db, entity, leaver.user_id)


@every("23 4 * * *")
async def refresh_search_nightly(infra: Any) -> None:
    """Likes and reviews change what is famous."""
    await refresh_search(infra.settings.database_url)
