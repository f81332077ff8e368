"""Playlists: making, changing, reading and deleting them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import delete, func, select

from app.catalog.service import viewer_of
from app.chat.channels import close_channel, open_channel
from app.chat.log import append, hold
from app.core.auth import Principal
from app.core.db import Reader, Writer
from app.core.errors import Conflict, NotFound
from app.core.feeds import EVERYBODY
from app.core.ids import uuid7
from app.core.jobs import enqueue, job
from app.core.paging import Page, PageRequest, Sheet
from app.core.query import Runs
from app.core.text import name_key, search_words
from app.pictures.unused import drop_picture
from app.playlists.entries import (
    NewEntry,
    add_entries,
    add_tracks,
    clear_entries,
    move_entries,
    remove_entries,
    remove_positions,
)
from app.playlists.entry_queries import ENTRIES, EVERY_ENTRY
from app.playlists.models import Playlist, PlaylistMember
from app.playlists.queries import ACTIVITIES, MINE, OF_PERSON, OWN, playlists_page
from app.playlists.rules import Rules, check_rules
from app.playlists.schemas import (
    ActivityItem,
    EntryItem,
    MyPlaylist,
    PlaylistDetail,
    PlaylistItem,
    PlaylistSort,
    PlaylistVersion,
    SavedEntry,
    Visibility,
)
from app.playlists.smart import Choice, chosen_entries, chosen_page, counted, totals
from app.playlists.standing import Held, NotCollaborator, hold_playlist, note, require_readable, tell_of_changes
from app.users.service import open_person

__all__ = [
    "NewEntry",
    "NotSmart",
    "TooManyPlaylists",
    "activities",
    "add_entries",
    "add_tracks",
    "all_entries",
    "clear_entries",
    "close_playlist",
    "create_playlist",
    "delete_playlist",
    "entries",
    "entries_sheet",
    "list_my_playlists",
    "list_playlists",
    "list_user_playlists",
    "move_entries",
    "playlists_of",
    "readable",
    "remove_entries",
    "remove_positions",
    "update_playlist",
    "version_of",
]

MOST_OWNED = 1_000
READABLE_FOR = timedelta(minutes=10)
"""How long the log of a deleted playlist stays, so that every process can read that it is gone."""


class TooManyPlaylists(Conflict):
    code, title = "too_many_playlists", "You have as many playlists as one person may have"


class NotSmart(Conflict):
    code, title = "playlist_is_not_smart", "Only a smart playlist has rules"


class ClosedChannel(BaseModel):
    """A channel whose playlist is gone."""

    channel_id: UUID


async def create_playlist(
    db: Writer,
    actor: Principal,
    *,
    name: str,
    description: str = "",
    visibility: Visibility = "private",
    rules: Rules | None = None,
) -> UUID:
    """A new playlist of the actor's; with rules a smart one. Raises TooManyPlaylists, Invalid."""
    kept = None if rules is None else check_rules(rules)
    owned = select(func.count()).select_from(Playlist).where(Playlist.owner_id == actor.user_id)
    if (await db.scalar(owned) or 0) >= MOST_OWNED:
        raise TooManyPlaylists(f"Delete one of your {MOST_OWNED} first.", most=MOST_OWNED)
    playlist_id = uuid7()
    await open_channel(db, kind="playlist", channel_id=playlist_id)
    said = {"name": name, "name_key": name_key(name), "description": description, "visibility": visibility}
    numbers = {"track_count": 0, "duration_ms": 0}
    if kept is not None:
        numbers = await totals(db, Choice(kept, actor.user_id, actor.user_id))
    kind = "manual" if kept is None else "smart"
    numbers |= {"like_count": 0, "version": 0}
    playlist = Playlist(id=playlist_id, owner_id=actor.user_id, kind=kind, rules=kept, **said, **numbers)
    db.add(playlist)
    await db.flush()
    me = PlaylistMember(
        playlist_id=playlist_id, user_id=actor.user_id, role="owner", state="accepted", joined_at=datetime.now(UTC)
    )
    db.add(me)
    note(db, Held(playlist, me, actor.user_id), "create", title=name)
    await db.flush()
    return playlist_id


async def update_playlist(
    db: Writer,
    actor: Principal,
    playlist_id: UUID,
    *,
    name: str | None = None,
    description: str | None = None,
    visibility: Visibility | None = None,
    rules: Rules | None = None,
) -> None:
    """Changes what is given. When it becomes private, everybody's sockets end: who may still see it comes back.

    Raises NotFound, NotOwner, NotSmart, Invalid.
    """
    kept = None if rules is None else check_rules(rules)
    held = await hold_playlist(db, actor, playlist_id)
    held.require_owner()
    playlist = held.playlist
    given: dict[str, Any] = {"name": name, "description": description, "visibility": visibility}
    if kept is not None:
        if playlist.kind != "smart":
            raise NotSmart("Make a new playlist with these rules.")
        given |= {"rules": kept, **await totals(db, Choice(kept, playlist.owner_id, actor.user_id))}
    changed = {key: value for key, value in given.items() if value is not None and getattr(playlist, key) != value}
    if not changed:
        return
    for key, value in changed.items():
        setattr(playlist, key, value)
    playlist.name_key = name_key(playlist.name)
    note(db, held, "update", title=playlist.name)
    await tell_of_changes(db, playlist, actor_id=actor.user_id)
    if changed.get("visibility") == "private":
        await append(db, playlist_id, kind="playlist.hidden", actor_id=actor.user_id, data={}, removes=EVERYBODY)


async def delete_playlist(db: Writer, actor: Principal, playlist_id: UUID) -> None:
    """Deletes a playlist for good; admins may delete any. Raises NotFound, NotOwner."""
    if actor.is_admin:
        await hold(db, playlist_id, kind="playlist")
        playlist = await db.one(select(Playlist).where(Playlist.id == playlist_id))
        if playlist is None:
            raise NotFound("There is no such playlist.")
    else:
        held = await hold_playlist(db, actor, playlist_id)
        held.require_owner()
        playlist = held.playlist
    await close_playlist(db, playlist, actor_id=actor.user_id)


async def close_playlist(db: Writer, playlist: Playlist, *, actor_id: UUID | None) -> None:
    """Ends a playlist that is held, and everybody's sockets in it."""
    await append(db, playlist.id, kind="playlist.closed", actor_id=actor_id, data={}, removes=EVERYBODY)
    await drop_picture(db, playlist.cover_key)
    await db.execute(delete(Playlist).where(Playlist.id == playlist.id))
    await enqueue(db, purge_playlist, ClosedChannel(channel_id=playlist.id), after=READABLE_FOR)


@job()
async def purge_playlist(infra: Any, closed: ClosedChannel) -> None:
    """Deletes the log of a playlist that is gone."""
    async with infra.db.write() as db:
        await close_channel(db, closed.channel_id)


async def readable(db: Runs, actor: Principal | None, playlist_id: UUID) -> PlaylistDetail:
    """A playlist that the actor may see; of a smart one, with what it has now. Raises NotFound."""
    found = await require_readable(db, actor, playlist_id)
    if found.rules is None:
        return found
    return found.model_copy(update=await totals(db, Choice(found.rules, found.owner_id, viewer_of(actor))))


async def version_of(db: Writer, playlist_id: UUID) -> PlaylistVersion:
    """How a playlist that is held stands now."""
    playlist = await db.one(select(Playlist).where(Playlist.id == playlist_id))
    return PlaylistVersion.model_validate(playlist)


async def list_playlists(
    db: Reader, actor: Principal | None, page: PageRequest, *, q: str, sort: PlaylistSort
) -> Page[PlaylistItem]:
    """Public playlists."""
    filters = _search(q)
    query = playlists_page(sort, frozenset(filters))
    return await query.page(db, page, viewer=viewer_of(actor), **filters)


def _search(q: str) -> dict[str, Any]:
    """By words that begin like these; a name of signs alone by its beginning."""
    words = [word for word in search_words(q) if word.isalnum()]
    if words:
        return {"words": " & ".join(f"{word}:*" for word in words)}
    return {"prefix": name_key(q)} if q else {}


async def list_my_playlists(db: Reader, actor: Principal, page: PageRequest) -> Page[MyPlaylist]:
    """The actor's own playlists and those to which they belong, the latest first."""
    found = await MINE.page(db, page, viewer=actor.user_id)
    return found.model_copy(update={"items": await counted(db, found.items, actor.user_id)})


async def playlists_of(db: Runs, actor: Principal) -> list[MyPlaylist]:
    """All of them at once, 2,000 at most."""
    return await OWN.all(db, viewer=actor.user_id)


async def list_user_playlists(
    db: Reader, actor: Principal | None, page: PageRequest, *, username: str
) -> Page[PlaylistItem]:
    """A person's public playlists, the latest first. Raises NotFound, ProfileRestricted."""
    person_id = await open_person(db, actor, username)
    return await OF_PERSON.page(db, page, viewer=viewer_of(actor), person_id=person_id)


async def entries(db: Reader, actor: Principal | None, page: PageRequest, playlist_id: UUID) -> Page[EntryItem]:
    """A page of what is in a playlist. Raises NotFound."""
    found = await ENTRIES.page(db, page, playlist_id=playlist_id, viewer=viewer_of(actor))
    return found if found.items else await _chosen(db, actor, page, playlist_id)


async def entries_sheet(
    db: Reader, actor: Principal | None, page: PageRequest, playlist_id: UUID
) -> Sheet | Page[EntryItem]:
    """The same for the answer: a page may have 500 of them. Raises NotFound."""
    found = await ENTRIES.sheet(db, page, playlist_id=playlist_id, viewer=viewer_of(actor))
    return found if found.items else await _chosen(db, actor, page, playlist_id)


async def _chosen(db: Reader, actor: Principal | None, page: PageRequest, playlist_id: UUID) -> Page[EntryItem]:
    """Where no entries are found: what the rules of the playlist choose, if it has some. Raises NotFound."""
    playlist = await require_readable(db, actor, playlist_id)
    if playlist.rules is None:
        return page.page([], next_keys=None, kind=Page[EntryItem])
    return await chosen_page(db, Choice(playlist.rules, playlist.owner_id, viewer_of(actor)), page)


async def all_entries(db: Runs, actor: Principal | None, playlist_id: UUID) -> list[SavedEntry]:
    """Everything in a playlist that the caller has found readable, in its order, by one statement. Raises NotFound."""
    found = await EVERY_ENTRY.all(db, playlist_id=playlist_id, viewer=viewer_of(actor))
    if found:
        return found
    playlist = await require_readable(db, actor, playlist_id)
    if playlist.rules is None:
        return []
    return await chosen_entries(db, Choice(playlist.rules, playlist.owner_id, viewer_of(actor)))


async def activities(db: Runs, actor: Principal, page: PageRequest, playlist_id: UUID) -> Page[ActivityItem]:
    """What was done, the latest first, for those who belong to it. Raises NotFound, NotCollaborator."""
    playlist = await require_readable(db, actor, playlist_id)
    if playlist.role is None:
        raise NotCollaborator("Only those who belong to the playlist read what was done.")
    return await ACTIVITIES.page(db, page, playlist_id=playlist_id, viewer=actor.user_id)
