"""Loads the demo: people who follow, review, comment and like, on some real albums, in one transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, func, select
from sqlalchemy.dialects.postgresql import insert

from app.auth.models import Credential
from app.catalog.likes import likes_key
from app.catalog.models import Album, Artist, Track, TrackPlays
from app.catalog.search_index import index, index_person
from app.catalog.service import GENRES_KEY
from app.chat.models import Channel, ChannelEvent, ChannelReader, DirectChannel, Message
from app.core.db import Base, Writer
from app.core.errors import Forbidden
from app.core.infra import Infra
from app.demo.content import Content, Row, build_content
from app.demo.echoes import Echoes, build_echoes
from app.demo.gatherings import Gatherings, begin_to_play, build_gatherings
from app.demo.listening import build_listens
from app.demo.mixtapes import Mixtapes, build_mixtapes, count_smart_ones
from app.demo.pictures import store_pictures
from app.demo.removal import count_albums_of_artists, remove_demo
from app.demo.talks import Talks, build_talks
from app.discover.charts import make_charts
from app.discover.suggestions import cache_key
from app.feed.models import Activity, FeedEntry
from app.groups.models import Group, GroupMember
from app.integrations.storage import storage
from app.library.models import Listen, Listener
from app.notifications.models import Inbox, Notification
from app.playlists.models import Playlist, PlaylistActivity, PlaylistEntry, PlaylistMember
from app.reactions.models import Comment, Like
from app.reviews.models import Review
from app.rooms.models import Room, RoomMember, RoomVisit
from app.rooms.playback_models import QueueItem, RoomPlay
from app.users.models import Follow, User

__all__ = [
    "DEMO_LOGINS",
    "DEMO_PASSWORD",
    "DemoLogin",
    "PublicPasswords",
    "SeedResult",
    "is_empty",
    "reset",
    "seed",
    "seed_if_empty",
]

DEMO_PASSWORD = "listen-together"  # noqa: S105 -- everybody may know it
_ANYTHING = select(select(User.id).exists() | select(Album.id).exists())
_LOCK = 0x44_45_4D_4F  # processes that start together seed once


class PublicPasswords(Forbidden):
    code, title = "public_passwords", "The demo is not for production"


@dataclass(frozen=True, slots=True)
class DemoLogin:
    """An account to try things with."""

    username: str
    role: str
    about: str
    password: str = DEMO_PASSWORD


DEMO_LOGINS = (
    DemoLogin("ana", "curator", "reviews in English, follows eight people, may edit the catalogue"),
    DemoLogin("bruno", "user", "writes in Portuguese"),
    DemoLogin("vera", "user", "writes in Russian"),
    DemoLogin("admin", "admin", "sees jobs and changes roles"),
)


@dataclass(frozen=True, slots=True)
class SeedResult:
    """What was loaded."""

    people: int
    albums: int
    tracks: int
    reviews: int
    comments: int
    likes: int

    def __str__(self) -> str:
        return (
            f"Loaded {self.people} people, {self.albums} albums with {self.tracks} tracks, {self.reviews} reviews, "
            f"{self.comments} comments and {self.likes} likes. Sign in as ana with {DEMO_PASSWORD}."
        )


async def is_empty(infra: Infra) -> bool:
    """Whether there are neither people nor albums."""
    return not await infra.db.reader.one(_ANYTHING)


async def seed_if_empty(infra: Infra) -> SeedResult | None:
    """Loads the demo into a database without people and albums; None if there are some."""
    return await seed(infra)


async def reset(infra: Infra) -> SeedResult:
    """Takes the demo out and loads it anew, with fresh dates. Raises DemoInUse."""
    result = await seed(infra, reset=True)
    assert result is not None, "what was taken out is loaded"
    return result


async def seed(infra: Infra, *, reset: bool = False) -> SeedResult | None:
    """Loads the demo; without `reset` only into an empty database. Raises DemoInUse, PublicPasswords."""
    if infra.settings.environment == "production":
        raise PublicPasswords("Everybody knows the passwords of the demo, so it is not for ENVIRONMENT=production.")
    now = datetime.now(UTC)
    async with infra.db.write() as db:
        await db.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        if not reset and await db.scalar(_ANYTHING):
            return None
        content = build_content(now)
        if reset:
            await remove_demo(db, content)
        await _load(db, content, build_echoes(content, now), await infra.passwords.hash(DEMO_PASSWORD))
        await _load_talks(db, build_talks(content, now))
        await _load_gatherings(db, build_gatherings(content, now))
        await _load_mixtapes(db, build_mixtapes(content, now))
        heard = build_listens(content, now)
        await _insert(db, Listen, heard.listens)
        await _insert(db, Listener, heard.listeners)
        await _insert(db, TrackPlays, heard.plays)
        await make_charts(db)
        db.stale += [GENRES_KEY, *map(cache_key, _ids(content.people.values()))]
        db.stale += map(likes_key, _ids(content.albums.values()))
    pictures = [row["cover_key"] for row in content.albums.values()]
    pictures += [row["avatar_key"] for row in content.people.values()]
    await store_pictures(infra.part(storage), pictures)
    return SeedResult(
        people=len(content.people),
        albums=len(content.albums),
        tracks=len(content.tracks),
        reviews=len(content.reviews),
        comments=len(content.comments) + len(content.moments),
        likes=len(content.likes),
    )


async def _load(db: Writer, content: Content, echoes: Echoes, hashed: str) -> None:
    people, artists = content.people.values(), content.artists.values()
    await _insert(db, User, people)
    await _insert(db, Credential, [_credential(person, hashed) for person in people])
    await _insert(db, Artist, artists)
    for model, rows in (
        (Album, content.albums.values()),
        (Track, content.tracks.values()),
        (Follow, content.follows),
        (Review, content.reviews.values()),
        (Comment, content.comments),
        (Comment, content.moments),
        (Like, content.likes),
        (Activity, echoes.activities),
        (FeedEntry, echoes.feed_entries),
        (Inbox, echoes.inboxes),
        (Notification, echoes.notifications),
    ):
        await _insert(db, model, rows)
    await count_albums_of_artists(db, _ids(artists))
    await _index(db, content)


async def _load_talks(db: Writer, talks: Talks) -> None:
    for model, rows in (
        (Channel, talks.channels),
        (DirectChannel, talks.direct),
        (Message, talks.messages),
        (ChannelEvent, talks.events),
        (ChannelReader, talks.readers),
    ):
        await _insert(db, model, rows)


async def _load_gatherings(db: Writer, gatherings: Gatherings) -> None:
    for model, rows in (
        (Group, gatherings.groups),
        (GroupMember, gatherings.group_members),
        (Room, gatherings.rooms),
        (RoomMember, gatherings.room_members),
        (RoomVisit, gatherings.room_visits),
        (QueueItem, gatherings.queue),
        (RoomPlay, gatherings.plays),
    ):
        await _insert(db, model, rows)
    await begin_to_play(db, gatherings)


async def _load_mixtapes(db: Writer, made: Mixtapes) -> None:
    for model, rows in (
        (Channel, made.channels),
        (Playlist, made.playlists),
        (PlaylistMember, made.members),
        (PlaylistEntry, made.entries),
        (PlaylistActivity, made.activities),
        (Like, made.likes),
    ):
        await _insert(db, model, rows)
    await count_smart_ones(db, made)


async def _insert(db: Writer, model: type[Base], rows: Iterable[Row]) -> None:
    """All rows by one statement. An artist who stayed when the demo was taken out is there already."""
    table: Any = model.__table__
    assert isinstance(table, Table)
    columns = set(table.columns.keys())
    values = [{name: value for name, value in row.items() if name in columns} for row in rows]
    await db.execute(insert(table).on_conflict_do_nothing(index_elements=table.primary_key.columns), values)


def _credential(person: Row, hashed: str) -> Row:
    address = f"{person['username']}@demo.example"
    return {
        "user_id": person["id"],
        "email": address,
        "email_key": address,
        "email_verified_at": person["created_at"],
        "password_hash": hashed,
        "password_changed_at": person["created_at"],
    }


async def _index(db: Writer, content: Content) -> None:
    for model, rows in ((Artist, content.artists), (Album, content.albums), (Track, content.tracks)):
        await index(db, model, _ids(rows.values()))
    for person_id in _ids(content.people.values()):
        await index_person(db, person_id)


def _ids(rows: Iterable[Row]) -> list[UUID]:
    return [row["id"] for row in rows]
