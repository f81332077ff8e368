"""Playlists and what goes into them."""

from typing import Any
from uuid import UUID

from app.catalog.models import Album, Artist, Track
from app.core.infra import Infra
from app.core.text import name_key
from tests.people import Person

__all__ = ["codes", "collaborate", "entries_of", "make_playlist", "make_tracks", "titles_of"]


async def make_tracks(infra: Infra, count: int, *, prefix: str = "Track", **columns: Any) -> list[UUID]:
    """Tracks of one artist on one album."""
    async with infra.db.write() as db:
        artist = Artist(name="The Placeholders", name_key="the placeholders")
        db.add(artist)
        await db.flush()
        album = Album(title="Places", title_key="places", artist_id=artist.id, year=1999)
        db.add(album)
        await db.flush()
        tracks = [
            Track(
                **{
                    "title": f"{prefix} {number}",
                    "title_key": name_key(f"{prefix} {number}"),
                    "artist_id": artist.id,
                    "album_id": album.id,
                    "position": number + 1,
                    "duration_ms": 1000 * (number + 1),
                }
                | columns
            )
            for number in range(count)
        ]
        db.add_all(tracks)
        await db.flush()
        return [track.id for track in tracks]


async def make_playlist(person: Person, *track_ids: UUID, **fields: Any) -> str:
    """A new playlist with these tracks; its id."""
    answer = await person.post("/playlists", json={"name": "Sundays", **fields})
    assert answer.status_code == 201, answer.text
    playlist_id = str(answer.json()["id"])
    if track_ids:
        body = {"track_ids": [str(track_id) for track_id in track_ids]}
        added = await person.post(f"/playlists/{playlist_id}/entries", json=body)
        assert added.status_code == 201, added.text
    return playlist_id


async def entries_of(person: Person, playlist_id: str) -> list[dict[str, Any]]:
    """Everything in a playlist."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        query = {"limit": 500} | ({"cursor": cursor} if cursor else {})
        page = await person.get(f"/playlists/{playlist_id}/entries", params=query)
        assert page.status_code == 200, page.text
        found += page.json()["items"]
        cursor = page.json()["next_cursor"]
        if cursor is None:
            return found


async def titles_of(person: Person, playlist_id: str) -> list[str]:
    """What is in it, in its order."""
    return [entry["title"] for entry in await entries_of(person, playlist_id)]


def codes(*answers: Any) -> list[tuple[int, str]]:
    """Statuses and problem codes."""
    return [(answer.status_code, answer.json()["code"]) for answer in answers]


async def collaborate(owner: Person, playlist_id: str, person: Person, *, role: str = "editor") -> None:
    """Somebody is invited to a playlist and accepts."""
    body = {"username": person.username, "role": role}
    invited = await owner.post(f"/playlists/{playlist_id}/members", json=body)
    assert invited.status_code == 201, invited.text
    accepted = await person.post(f"/playlists/{playlist_id}/accept")
    assert accepted.status_code == 200, accepted.text
