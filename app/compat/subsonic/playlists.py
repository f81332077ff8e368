"""Playlists as far as their songs can be heard: the other entries stay where they are, unseen by the client."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Integer, Uuid, any_, bindparam, cast, func, select

from app.catalog.models import Track
from app.compat.subsonic import entries
from app.compat.subsonic.answers import Body
from app.compat.subsonic.calls import Asked, reads, writes
from app.compat.subsonic.errors import Code, SubsonicError
from app.compat.subsonic.library import audible
from app.compat.subsonic.parameters import MOST_DIGITS
from app.compat.subsonic.queries import SONGS
from app.compat.subsonic.schemas import LengthRow, ListRow, SongRow
from app.core.db import Writer
from app.core.paging import PageRequest
from app.core.query import Query, Runs
from app.playlists.models import Playlist, PlaylistEntry
from app.playlists.queries import LIKED
from app.playlists.schemas import LikedPlaylist, MyPlaylist, PlaylistDetail
from app.playlists.service import (
    add_tracks,
    all_entries,
    create_playlist,
    delete_playlist,
    playlists_of,
    readable,
    remove_entries,
    update_playlist,
)
from app.playlists.smart import chosen_tracks
from app.playlists.standing import hold_playlist

__all__: list[str] = []

MOST_NAME, MOST_COMMENT = 100, 1_000
_MOST_LIKED = 100
AUDIBLE_ENTRIES = Query(
    select(
        PlaylistEntry.playlist_id,
        cast(func.count(), Integer).label("song_count"),
        cast(func.coalesce(func.sum(Track.duration_ms), 0), BigInteger).label("duration_ms"),
    )
    .join(Track, Track.id == PlaylistEntry.track_id)
    .where(PlaylistEntry.playlist_id == any_(bindparam("ids", type_=ARRAY(Uuid))), audible())
    .group_by(PlaylistEntry.playlist_id),
    into=ListRow,
)
"""How much of each playlist can be heard."""
LENGTHS = Query(
    select(Track.id, Track.duration_ms).where(Track.id == any_(bindparam("ids", type_=ARRAY(Uuid))), audible()),
    into=LengthRow,
)
"""Which of these tracks can be heard, and how long they are."""
Shown = list[tuple[UUID, SongRow]]


@reads("getPlaylists")
async def get_playlists(asked: Asked) -> Body:
    """One's own, those to which one belongs, and those that one likes."""
    mine = await playlists_of(asked.db, asked.actor)
    liked = await LIKED.page(asked.db, PageRequest(limit=_MOST_LIKED), viewer=asked.viewer)
    known = {item.id for item in mine}
    everything: list[MyPlaylist | LikedPlaylist] = [*mine, *(item for item in liked.items if item.id not in known)]
    manual = [item.id for item in everything if item.kind == "manual"]
    counted = await AUDIBLE_ENTRIES.all(asked.db, ids=manual, viewer=asked.viewer) if manual else []
    sizes = {row.playlist_id: (row.song_count, row.duration_ms) for row in counted}
    sizes |= await _sizes_of_smart(asked, everything)
    told = [_card(item, *sizes.get(item.id, (0, 0))) for item in everything]
    return {"playlists": {"playlist": told}}


async def _sizes_of_smart(asked: Asked, items: Sequence[MyPlaylist | LikedPlaylist]) -> dict[UUID, tuple[int, int]]:
    """How much of each smart one can be heard now; beyond those that are counted, what it had with its rules."""
    sizes = {item.id: (item.track_count, item.duration_ms) for item in items if item.kind == "smart"}
    chosen = await chosen_tracks(asked.db, items, asked.viewer)
    ids = list({track_id for tracks in chosen.values() for track_id in tracks})
    rows = await LENGTHS.all(asked.db, ids=ids, viewer=asked.viewer) if ids else []
    lengths = {row.id: row.duration_ms or 0 for row in rows}
    for playlist_id, tracks in chosen.items():
        heard = [lengths[track_id] for track_id in tracks if track_id in lengths]
        sizes[playlist_id] = (len(heard), sum(heard))
    return sizes


@reads("getPlaylist")
async def get_playlist(asked: Asked) -> Body:
    """A playlist with its songs."""
    return await _told(asked, asked.db, asked.given.id())


@writes("createPlaylist")
async def create(asked: Asked, db: Writer) -> Body:
    """A new playlist; or with `playlistId` the songs that one is to have."""
    songs = asked.given.ids("songId")
    if "playlistId" not in asked.given:
        playlist_id = await create_playlist(db, asked.actor, name=_name(asked.given.needed("name")))
    else:
        playlist_id = asked.given.id("playlistId")
        # held before its songs are read: who overwrites at the same moment replaces these, and not what was before
        held = await hold_playlist(db, asked.actor, playlist_id)
        await _rename(asked, db, held.playlist)
        shown = await _songs(asked, db, playlist_id)
        await remove_entries(db, asked.actor, playlist_id, [entry_id for entry_id, _ in shown])
    if songs:
        await add_tracks(db, asked.actor, playlist_id, songs)
    return await _told(asked, db, playlist_id)


@writes("updatePlaylist")
async def update(asked: Asked, db: Writer) -> Body:
    """Changes what is given. Places of songs to remove are those before anything is changed."""
    playlist_id = asked.given.id("playlistId")
    places = [_place(written) for written in asked.given.many("songIndexToRemove")]
    held = await hold_playlist(db, asked.actor, playlist_id)
    await _rename(asked, db, held.playlist)
    if places:
        shown = await _songs(asked, db, playlist_id)
        if max(places) >= len(shown):
            raise SubsonicError(Code.GENERIC, f"The playlist has {len(shown)} songs: the last place is one less.")
        await remove_entries(db, asked.actor, playlist_id, [shown[place][0] for place in set(places)])
    if songs := asked.given.ids("songIdToAdd"):
        await add_tracks(db, asked.actor, playlist_id, songs)
    return {}


@writes("deletePlaylist")
async def delete(asked: Asked, db: Writer) -> Body:
    """Deletes a playlist for good."""
    await delete_playlist(db, asked.actor, asked.given.id())
    return {}


async def _rename(asked: Asked, db: Writer, playlist: Playlist) -> None:
    """What the playlist says of itself, as far as it is given and new: who saves songs sends all of it."""
    given = asked.given
    changes: dict[str, Any] = {}
    if given.text("name"):
        changes["name"] = _name(given.text("name"))
    if "comment" in given:
        changes["description"] = _comment(given.text("comment"))
    if given.text("public"):
        changes["visibility"] = _visibility(given.flag("public", False))
    changes = {field: value for field, value in changes.items() if getattr(playlist, field) != value}
    if changes:
        await update_playlist(db, asked.actor, playlist.id, **changes)


async def _told(asked: Asked, db: Runs, playlist_id: UUID) -> Body:
    playlist = await readable(db, asked.actor, playlist_id)
    songs = [song for _, song in await _songs(asked, db, playlist_id)]
    duration = sum(song.duration_ms or 0 for song in songs)
    return {"playlist": {**_card(playlist, len(songs), duration), "entry": [entries.song(song) for song in songs]}}


async def _songs(asked: Asked, db: Runs, playlist_id: UUID) -> Shown:
    """The entries that a client sees, in their order. Raises NotFound."""
    saved = await all_entries(db, asked.actor, playlist_id)
    ids: Sequence[UUID] = list({entry.track_id for entry in saved if entry.track_id})
    found = {song.id: song for song in await SONGS.all(db, ids=ids, viewer=asked.viewer)} if ids else {}
    return [(entry.id, found[entry.track_id]) for entry in saved if entry.track_id in found]


def _card(item: MyPlaylist | LikedPlaylist | PlaylistDetail, songs: int, duration_ms: int) -> dict[str, Any]:
    role = getattr(item, "role", None)
    return {
        "id": item.id,
        "name": item.name,
        "comment": item.description,
        "owner": item.owner.username if item.owner else None,
        "public": item.visibility == "public",
        "songCount": songs,
        "duration": round(duration_ms / 1000),
        "created": item.created_at,
        # a smart one is put together when it is read: players that keep what has not changed read it again
        "changed": datetime.now(UTC) if item.kind == "smart" else item.updated_at,
        "coverArt": entries.cover_id("pl", item.id, item.cover_key),
        "readonly": item.kind == "smart" or role not in {"owner", "editor"},
    }


def _name(written: str) -> str:
    name = " ".join(written.split())
    if not 1 <= len(name) <= MOST_NAME:
        raise SubsonicError(Code.GENERIC, f"The name of a playlist has 1 to {MOST_NAME} letters.")
    return name


def _comment(written: str) -> str:
    if len(written) > MOST_COMMENT:
        raise SubsonicError(Code.GENERIC, f"The comment of a playlist has at most {MOST_COMMENT} letters.")
    return written.strip()


def _visibility(public: bool) -> Literal["public", "private"]:
    return "public" if public else "private"


def _place(written: str) -> int:
    if not written.isdecimal() or len(written) > MOST_DIGITS:
        raise SubsonicError(Code.GENERIC, "Parameter 'songIndexToRemove' must be a place, from 0 on.")
    return int(written)
