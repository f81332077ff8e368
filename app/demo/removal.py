"""Takes the demo out of a database again, unless it is entwined with what other people wrote."""

from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, delete, func, literal, select, update

from app.catalog.comments import recount_comments
from app.catalog.likes import likes_key
from app.catalog.models import Album, Artist, Track, TrackPlays
from app.catalog.search_index import unindex
from app.chat.models import Channel, DirectChannel
from app.core.db import Writer
from app.core.errors import Conflict
from app.core.jobs import enqueue
from app.demo.content import Content, Row
from app.groups.models import Group
from app.library.models import Listen
from app.playlists.models import Playlist
from app.reactions.models import Comment, Like
from app.reviews.counts import recount_albums
from app.reviews.models import Review
from app.rooms.models import Room
from app.uploads.files import Files, drop_files
from app.uploads.models import Upload
from app.users.models import User

__all__ = ["DemoInUse", "count_albums_of_artists", "remove_demo"]


class DemoInUse(Conflict):
    code, title = "demo_in_use", "Other people's content and the demo's hang together"


# $1 the demo's people, $2 its albums, $3 its usernames
_ENTWINED = """
    SELECT 'usernames' AS what, count(*) FROM users WHERE username_key = ANY ($3) AND id <> ALL ($1)
    UNION ALL
    SELECT 'follows', count(*) FROM follows WHERE (follower_id = ANY ($1)) <> (followed_id = ANY ($1))
    UNION ALL
    SELECT 'reviews', count(*) FROM reviews WHERE user_id <> ALL ($1) AND album_id = ANY ($2)
    UNION ALL
    SELECT 'comments', count(*) FROM comments c
    LEFT JOIN reviews r ON r.id = c.review_id LEFT JOIN comments above ON above.id = c.parent_id
    LEFT JOIN tracks t ON t.id = c.track_id
    WHERE (c.user_id = ANY ($1)) <> (r.user_id = ANY ($1)) OR (c.user_id = ANY ($1)) <> (above.user_id = ANY ($1))
       OR (c.user_id <> ALL ($1) AND t.album_id = ANY ($2))
    UNION ALL
    SELECT 'conversations', count(*) FROM direct_channels WHERE (first_id = ANY ($1)) <> (second_id = ANY ($1))
    UNION ALL
    SELECT 'listens', count(*) FROM listens l JOIN tracks t ON t.id = l.track_id
    WHERE l.user_id <> ALL ($1) AND (t.album_id = ANY ($2) OR t.owner_id = ANY ($1))
    UNION ALL
    SELECT 'groups', count(*) FROM group_members m JOIN groups g ON g.id = m.group_id
    WHERE m.user_id <> ALL ($1) AND g.owner_id = ANY ($1)
    UNION ALL
    SELECT 'rooms', count(*) FROM room_members m JOIN rooms r ON r.id = m.room_id
    WHERE m.user_id <> ALL ($1) AND r.owner_id = ANY ($1)
    UNION ALL
    SELECT 'playlists', count(*) FROM playlist_members m JOIN playlists p ON p.id = m.playlist_id
    WHERE (m.user_id = ANY ($1)) <> (p.owner_id = ANY ($1))
    UNION ALL
    SELECT 'likes', count(*) FROM likes l
    LEFT JOIN tracks t ON t.id = l.track_id LEFT JOIN reviews r ON r.id = l.review_id
    LEFT JOIN comments c ON c.id = l.comment_id LEFT JOIN playlists p ON p.id = l.playlist_id
    WHERE (l.user_id = ANY ($1)) <> (coalesce(r.user_id, c.user_id, p.owner_id) = ANY ($1))
       OR (l.user_id <> ALL ($1) AND coalesce(l.album_id, t.album_id) = ANY ($2))"""


async def remove_demo(db: Writer, content: Content) -> None:
    """Deletes the demo's people with all that they did since, and its albums with all that hangs on them.

    Artists stay who have other albums or tracks. Raises DemoInUse where other people would lose something, or would see
    something vanish from among theirs.
    """
    people, albums = _ids(content.people), _ids(content.albums)
    await _check(db, people, albums, list(content.people))
    liked = await _stays(db, Like.album_id, Like.user_id, people, albums)
    reviewed = await _stays(db, Review.album_id, Review.user_id, people, albums)
    tracks = await db.all(select(Track.id).where(_among(Track.album_id, albums)))
    liked_tracks = await _stays(db, Like.track_id, Like.user_id, people, tracks)
    heard = await _stays(db, Listen.track_id, Listen.user_id, people, tracks)
    commented = await _stays(db, Comment.track_id, Comment.user_id, people, tracks)
    talks = select(DirectChannel.id).where(_among(DirectChannel.first_id, people))
    groups = select(Group.id).where(_among(Group.owner_id, people))
    rooms = select(Room.id).where(_among(Room.owner_id, people))
    playlists = select(Playlist.id).where(_among(Playlist.owner_id, people))
    await db.execute(delete(Channel).where(Channel.id.in_(talks.union_all(groups, rooms, playlists))))
    await _drop_uploads(db, people)
    await db.execute(delete(User).where(_among(User.id, people)))
    await db.execute(delete(Album).where(_among(Album.id, albums)))
    artists = await _remove_artists(db, _ids(content.artists))
    await unindex(db, [*people, *albums, *tracks, *artists])
    if reviewed:
        await recount_albums(db, reviewed)
    await _recount_likes(db, Album, Like.album_id, liked)
    db.stale += map(likes_key, liked)
    await _recount_likes(db, Track, Like.track_id, liked_tracks)
    await _recount_plays(db, heard)
    await recount_comments(db, commented)


async def count_albums_of_artists(db: Writer, ids: list[UUID]) -> None:
    """Counts anew how many albums the artists have."""
    albums = select(func.count()).where(Album.artist_id == Artist.id, Album.merged_into_id.is_(None), Album.listed)
    counted = update(Artist).where(_among(Artist.id, ids))
    await db.execute(counted.values(album_count=albums.scalar_subquery()).execution_options(synchronize_session=False))


async def _check(db: Writer, people: list[UUID], albums: list[UUID], usernames: list[str]) -> None:
    found = [f"{count} {what}" for what, count in await db.records(_ENTWINED, [people, albums, usernames]) if count]
    if found:
        raise DemoInUse(
            f"The demo cannot be taken out: {', '.join(found)} tie other people to it. Use an empty database instead."
        )


async def _stays(db: Writer, thing: Any, doer: Any, people: list[UUID], going: list[UUID]) -> list[UUID]:
    """What the people liked or reviewed and that is not theirs to take along."""
    found = select(thing).where(_among(doer, people), thing.is_not(None), ~_among(thing, going)).distinct()
    return await db.all(found)


async def _remove_artists(db: Writer, ids: list[UUID]) -> list[UUID]:
    has_works = [select(work.id).where(work.artist_id == Artist.id).exists() for work in (Album, Track)]
    alone = delete(Artist).where(_among(Artist.id, ids), *(~works for works in has_works)).returning(Artist.id)
    gone = list(await db.scalars(alone.execution_options(synchronize_session=False)))
    await count_albums_of_artists(db, ids)
    return gone


async def _recount_likes(db: Writer, owner: type[Album | Track], column: Any, ids: list[UUID]) -> None:
    likes = select(func.count()).where(column == owner.id).scalar_subquery()
    counted = update(owner).where(_among(owner.id, ids)).values(like_count=likes)
    await db.execute(counted.execution_options(synchronize_session=False))


async def _recount_plays(db: Writer, ids: list[UUID]) -> None:
    listens = select(func.count()).where(Listen.track_id == TrackPlays.track_id).scalar_subquery()
    counted = update(TrackPlays).where(_among(TrackPlays.track_id, ids)).values(play_count=listens)
    await db.execute(counted.execution_options(synchronize_session=False))


async def _drop_uploads(db: Writer, people: list[UUID]) -> None:
    """The files of recordings go after the commit."""
    uploads = await db.all(select(Upload).where(_among(Upload.owner_id, people)))
    keys = [key for upload in uploads for key in (upload.key, *(made["key"] for made in upload.renditions))]
    if keys:
        await enqueue(db, drop_files, Files(keys=keys))


def _ids(rows: dict[str, Row]) -> list[UUID]:
    return [row["id"] for row in rows.values()]


def _among(column: Any, ids: list[UUID]) -> Any:
    return column == any_(literal(ids, ARRAY(Uuid)))
