"""Likes on playlists."""

from uuid import UUID

from sqlalchemy import delete, select, update

from app.catalog.service import viewer_of
from app.core.auth import Principal
from app.core.db import Database, Reader, Writer
from app.core.jobs import emit
from app.core.paging import Page, PageRequest
from app.playlists.events import PlaylistLiked
from app.playlists.models import Playlist
from app.playlists.queries import LIKED, LIKERS
from app.playlists.schemas import LikedPlaylist
from app.playlists.smart import counted
from app.playlists.standing import require_readable
from app.reactions.models import Like
from app.reactions.schemas import Liked
from app.reactions.service import Target, like, unlike
from app.users.schemas import PersonCard

__all__ = ["forget_likes", "like_playlist", "list_liked_playlists", "list_likers", "unlike_playlist"]

BATCH = 200


async def like_playlist(db: Writer, actor: Principal, playlist_id: UUID) -> Liked:
    """Likes the playlist; again changes nothing. Raises NotFound."""
    await require_readable(db, actor, playlist_id)
    added = await like(db, actor.user_id, Target(playlist_id=playlist_id))
    if added:
        await emit(db, PlaylistLiked(playlist_id=playlist_id, user_id=actor.user_id))
    return await _count(db, playlist_id, int(added), liked=True)


async def unlike_playlist(db: Writer, actor: Principal, playlist_id: UUID) -> Liked:
    """Takes the like back, if there is one. Raises NotFound."""
    await require_readable(db, actor, playlist_id)
    gone = await unlike(db, actor.user_id, Target(playlist_id=playlist_id))
    return await _count(db, playlist_id, -gone, liked=False)


async def list_liked_playlists(db: Reader, actor: Principal, page: PageRequest) -> Page[LikedPlaylist]:
    """The playlists that the actor likes and may still see, the last liked first."""
    found = await LIKED.page(db, page, viewer=actor.user_id)
    return found.model_copy(update={"items": await counted(db, found.items, actor.user_id)})


async def list_likers(db: Reader, actor: Principal | None, page: PageRequest, *, playlist_id: UUID) -> Page[PersonCard]:
    """Who likes the playlist, as far as they show it, the last first. Raises NotFound."""
    await require_readable(db, actor, playlist_id)
    return await LIKERS.page(db, page, viewer=viewer_of(actor), playlist_id=playlist_id)


async def forget_likes(database: Database, user_id: UUID) -> None:
    """Takes back a person's likes, in many short transactions."""
    mine = select(Like.playlist_id).where(Like.user_id == user_id, Like.playlist_id.is_not(None)).limit(BATCH)
    more = True
    while more:
        async with database.write() as db:
            liked = select(Playlist.id).where(Playlist.id.in_(mine)).order_by(Playlist.id)
            ids = await db.all(liked.with_for_update(key_share=True))
            gone = delete(Like).where(Like.user_id == user_id, Like.playlist_id.in_(ids)).returning(Like.playlist_id)
            unliked = list(await db.scalars(gone))
            fewer = update(Playlist).where(Playlist.id.in_(unliked))
            await db.execute(fewer.values(like_count=Playlist.like_count - 1))
            more = bool(ids)


async def _count(db: Writer, playlist_id: UUID, change: int, *, liked: bool) -> Liked:
    if change:
        added = update(Playlist).where(Playlist.id == playlist_id).values(like_count=Playlist.like_count + change)
        count = await db.scalar(added.returning(Playlist.like_count))
    else:
        count = await db.scalar(select(Playlist.like_count).where(Playlist.id == playlist_id))
    return Liked(liked=liked, like_count=count or 0)
