"""A playlist to read and to quarrel about."""

import json
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

from app.core.auth import Principal
from app.core.config import Settings
from app.core.ids import uuid7
from app.core.infra import open_infra
from app.core.paging import PageRequest
from app.playlists.entry_queries import ENTRIES
from app.playlists.members import add_collaborator
from app.playlists.service import add_tracks, create_playlist

__all__ = ["Shelf", "a_shelf", "check_shelf"]

ENTRIES_AT_ALL, EDITORS, MOVES = 500, 20, 1000


@dataclass(frozen=True, slots=True)
class Shelf:
    """A public playlist, who may change it, how its page is read, and moves by whoever."""

    playlist_id: UUID
    editors: list[UUID]
    page: tuple[str, list[Any]]
    moves: list[bytes]


async def a_shelf(settings: Settings) -> Shelf:
    """Makes one."""
    async with open_infra(settings) as infra:
        tracks = await infra.db.fetch("SELECT id FROM tracks ORDER BY id LIMIT $1", [ENTRIES_AT_ALL])
        people = await infra.db.fetch("SELECT id FROM users WHERE username LIKE 'person_%' LIMIT $1", [EDITORS])
        editors: list[UUID] = [row["id"] for row in people]
        owner = Principal(editors[0], uuid7())
        async with infra.db.write() as db:
            playlist_id = await create_playlist(db, owner, name="Quarrels", visibility="public")
            await add_tracks(db, owner, playlist_id, [row["id"] for row in tracks])
            for editor in editors[1:]:
                await add_collaborator(db, owner, playlist_id, editor)
    page = ENTRIES.page_statement(PageRequest(limit=ENTRIES_AT_ALL), playlist_id=playlist_id, viewer=None)
    return Shelf(playlist_id, editors, page, [_move(Random(number)) for number in range(MOVES)])


async def check_shelf(settings: Settings, shelf: Shelf) -> None:
    """Nothing was lost, and every entry has a place of its own."""
    async with open_infra(settings) as infra:
        sql = "SELECT count(*), count(DISTINCT rank) AS places FROM playlist_entries WHERE playlist_id = $1"
        row = (await infra.db.fetch(sql, [shelf.playlist_id]))[0]
    print(f"{'':34} {row['count']} entries in {row['places']} places afterwards\n")


def _move(chance: Random) -> bytes:
    length = chance.randint(1, 5)
    last = ENTRIES_AT_ALL - length
    return json.dumps({"start": chance.randint(0, last), "length": length, "to": chance.randint(0, last)}).encode()
