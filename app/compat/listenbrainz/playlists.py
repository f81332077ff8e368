"""`/1/playlist`: our playlists, as ListenBrainz's clients read and edit them."""

import asyncio
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter

from app.compat.listenbrainz.calls import Asked, reads, writes
from app.compat.listenbrainz.jspf import card, given_playlist, given_visibility, with_tracks
from app.core.db import Writer
from app.core.errors import BadRequest
from app.core.paging import PageRequest
from app.playlists import service
from app.playlists.copying import copy_playlist
from app.playlists.files_import import new_entries
from app.playlists.schemas import PlaylistItem
from app.users.service import open_person

__all__ = ["router"]

router = APIRouter()
MOST_PER_ADD = 100
_MOST_OF_ONE = 2_000
_LONGEST_NAME, _LONGEST_DESCRIPTION = 100, 1000
_OK = {"status": "ok"}


@writes(router, "/1/playlist/create")
async def create(asked: Asked, db: Writer) -> dict[str, Any]:
    """A new playlist, private unless it says otherwise, with its tracks."""
    document = await asked.json()
    given = await asyncio.to_thread(given_playlist, document)
    playlist_id = await service.create_playlist(
        db,
        asked.actor,
        name=given.title[:_LONGEST_NAME].strip(),
        description=given.description[:_LONGEST_DESCRIPTION].strip(),
        visibility=given_visibility(document) or "private",
    )
    await service.add_entries(db, asked.actor, playlist_id, await new_entries(db, asked.actor, given.entries))
    return _OK | {"playlist_mbid": str(playlist_id)}


@writes(router, "/1/playlist/edit/{playlist_id}")
async def edit(asked: Asked, db: Writer) -> dict[str, Any]:
    """Title, description and visibility; what is not given stays."""
    document = await asked.json()
    given = given_playlist(document, needs_title=False)
    await service.update_playlist(
        db,
        asked.actor,
        asked.playlist_id,
        name=given.title[:_LONGEST_NAME].strip() or None,
        description=given.description[:_LONGEST_DESCRIPTION].strip() if "annotation" in document["playlist"] else None,
        visibility=given_visibility(document),
    )
    return _OK


@reads(router, "/1/playlist/{playlist_id}")
async def get(asked: Asked) -> dict[str, Any]:
    """A playlist with its tracks. A public one needs no token."""
    playlist = await service.readable(asked.db, asked.sender, asked.playlist_id)
    entries = await service.all_entries(asked.db, asked.sender, asked.playlist_id)
    return with_tracks(playlist, entries, asked.settings.base_url)


@writes(router, "/1/playlist/{playlist_id}/item/add")
@writes(router, "/1/playlist/{playlist_id}/item/add/{offset}")
async def add(asked: Asked, db: Writer) -> dict[str, Any]:
    """Adds tracks at the end, or where the path says."""
    given = await asyncio.to_thread(given_playlist, await asked.json(), needs_title=False)
    if len(given.entries) > MOST_PER_ADD:
        raise BadRequest(f"You may only add max {MOST_PER_ADD} recordings per call.")
    at = asked.request.path_params.get("offset")
    place = None if at is None else _count({"offset": at}, "offset")
    entries = await new_entries(db, asked.actor, given.entries)
    await service.add_entries(db, asked.actor, asked.playlist_id, entries, at=place)
    return _OK


@writes(router, "/1/playlist/{playlist_id}/item/move")
async def move(asked: Asked, db: Writer) -> dict[str, Any]:
    """Moves `count` tracks that begin at `from`, so that they begin at `to` afterwards."""
    given = await asked.json()
    start, to, count = (_count(given, name) for name in ("from", "to", "count"))
    if count:
        await service.move_entries(db, asked.actor, asked.playlist_id, start=start, length=count, to=to)
    return _OK


@writes(router, "/1/playlist/{playlist_id}/item/delete")
async def remove(asked: Asked, db: Writer) -> dict[str, Any]:
    """Removes `count` tracks that begin at `index`."""
    given = await asked.json()
    index, count = _count(given, "index"), _count(given, "count")
    await service.remove_positions(db, asked.actor, asked.playlist_id, range(index, index + count))
    return _OK


@writes(router, "/1/playlist/{playlist_id}/delete")
async def delete(asked: Asked, db: Writer) -> dict[str, Any]:
    """Deletes a playlist of one's own."""
    await service.delete_playlist(db, asked.actor, asked.playlist_id)
    return _OK


@writes(router, "/1/playlist/{playlist_id}/copy")
async def copy(asked: Asked, db: Writer) -> dict[str, Any]:
    """A copy of one's own, with "Copy of" before its title."""
    original = await service.readable(db, asked.actor, asked.playlist_id)
    name = f"Copy of {original.name}"[:_LONGEST_NAME].strip()
    copied = await copy_playlist(db, asked.actor, asked.playlist_id, name=name, frozen=True)
    return _OK | {"playlist_mbid": str(copied)}


@reads(router, "/1/user/{username}/playlists")
async def list_of_user(asked: Asked) -> dict[str, Any]:
    """A person's playlists, the latest first: public ones, and one's own private ones."""
    username, actor = asked.username, asked.sender
    if actor and await open_person(asked.db, actor, username) == actor.user_id:
        mine = await service.playlists_of(asked.db, actor)
        return _list(asked, [playlist for playlist in mine if playlist.role == "owner"])
    page = await service.list_user_playlists(asked.db, actor, PageRequest(limit=_MOST_OF_ONE), username=username)
    return _list(asked, page.items)


@reads(router, "/1/user/{username}/playlists/collaborator")
async def list_shared_with_user(asked: Asked) -> dict[str, Any]:
    """The playlists of others on which one works oneself. Those of other people are not told."""
    username, actor = asked.username, asked.actor
    if await open_person(asked.db, actor, username) != actor.user_id:
        return _list(asked, [])
    mine = await service.playlists_of(asked.db, actor)
    return _list(asked, [playlist for playlist in mine if playlist.role == "editor"])


def _list(asked: Asked, found: Sequence[PlaylistItem]) -> dict[str, Any]:
    count, offset = asked.number("count", default=25, most=100), asked.number("offset", default=0, most=10**9)
    shown = found[offset : offset + count]
    return {
        "count": len(shown),
        "offset": offset,
        "playlist_count": len(found),
        "playlists": [card(playlist, asked.settings.base_url) for playlist in shown],
    }


def _count(given: dict[str, Any], name: str) -> int:
    """A number from 0 up, which some clients send as a text. Raises BadRequest."""
    value = given.get(name)
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdecimal()) or len(text) > 6:
        raise BadRequest(f"'{name}' must be a non-negative integer.")
    return int(text)
