"""Many people change one playlist at once: one order, and nothing is lost or doubled."""

import asyncio
import random
from contextlib import suppress
from typing import Any

from fastapi import FastAPI

from app.core.infra import Infra
from tests.people import People, Person
from tests.playlists.factories import collaborate, entries_of, make_playlist, make_tracks
from tests.promises.invariants import broken


async def test_fifty_changes_at_once_keep_one_order(people: People, infra: Infra) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    tracks = [str(track) for track in await make_tracks(infra, 60)]
    playlist_id = await make_playlist(ana, *tracks[:40])
    await ana.post(f"/playlists/{playlist_id}/members", json={"username": bob.username})
    await bob.post(f"/playlists/{playlist_id}/accept")
    path, chance = f"/playlists/{playlist_id}", random.Random(11)
    before = [entry["id"] for entry in await entries_of(ana, playlist_id)]
    removed = chance.sample(before, 12)
    moves = [
        {"start": chance.randint(0, 20), "length": chance.randint(1, 5), "to": chance.randint(0, 20)} for _ in range(26)
    ]
    adds = [{"track_ids": tracks[number : number + 1], "at": chance.randint(0, 20)} for number in range(40, 52)]
    asked = [("/move", body) for body in moves] + [("/entries", body) for body in adds]
    asked += [("/remove", {"entry_ids": [entry_id]}) for entry_id in removed]
    chance.shuffle(asked)
    assert len(asked) == 50

    async def ask(number: int, action: str, body: dict[str, Any]) -> list[str]:
        answer = await (ana, bob)[number % 2].post(f"{path}{action}", json=body)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json().get("entry_ids", [])

    answers = await asyncio.gather(*(ask(number, *one) for number, one in enumerate(asked)))
    added = {entry_id for answer in answers for entry_id in answer}
    after = await entries_of(bob, playlist_id)
    assert len(after) == len({entry["id"] for entry in after}) == 40
    assert {entry["id"] for entry in after} == (set(before) - set(removed)) | added
    playlist = (await ana.get(f"/playlists/{playlist_id}")).json()
    assert (playlist["track_count"], playlist["duration_ms"]) == (40, sum(entry["duration_ms"] for entry in after))
    rows = await infra.db.fetch("SELECT rank FROM playlist_entries WHERE playlist_id = $1", [playlist_id])
    assert len({row["rank"] for row in rows}) == 40
    stays = sum(body["start"] == body["to"] for body in moves)
    assert playlist["version"] == 1 + 50 - stays


async def test_of_two_who_have_read_the_same_version_one_is_told(people: People, infra: Infra) -> None:
    ana = await people.make("ana")
    playlist_id = await make_playlist(ana, *await make_tracks(infra, 10))
    body = {"start": 0, "to": 5, "version": 1}
    answers = await asyncio.gather(*(ana.post(f"/playlists/{playlist_id}/move", json=body) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 7]


async def test_likes_at_once_are_all_counted(people: People) -> None:
    ana = await people.make("ana")
    fans = [await people.make("fan") for _ in range(8)]
    playlist_id = await make_playlist(ana, visibility="public")
    renames = [ana.patch(f"/playlists/{playlist_id}", json={"name": f"N{number}"}) for number in range(4)]
    await asyncio.gather(*(fan.put(f"/playlists/{playlist_id}/like") for fan in fans for _ in range(2)), *renames)
    playlist = (await ana.get(f"/playlists/{playlist_id}")).json()
    assert (playlist["like_count"], playlist["version"]) == (8, 4)


OWN = (
    "playlists count their entries and likes",
    "a playlist has the owner of whom it says so",
    "the versions of a playlist are what its log says",
)
BREAKS = (
    "UPDATE playlists SET duration_ms = duration_ms + 1",
    "DELETE FROM playlist_members WHERE role = 'owner'",
    "UPDATE playlists SET version = version + 1 WHERE version > 0",
)


class Undone(Exception):
    """Rolls back."""


async def test_a_crowd_breaks_nothing_that_is_counted(fresh: FastAPI) -> None:
    infra: Infra = fresh.state.infra
    async with People(fresh) as people:
        crowd = [await people.make(f"p{number}") for number in range(4)]
        tracks = [str(track) for track in await make_tracks(infra, 20)]
        ids = [await make_playlist(person, visibility="public") for person in crowd]
        for owner, playlist_id in zip(crowd, ids, strict=True):
            for person in crowd:
                if person is not owner:
                    await collaborate(owner, playlist_id, person)
        await asyncio.gather(*(live(person, crowd, ids, tracks, number) for number, person in enumerate(crowd)))
    found = await broken(infra.db.reader)
    assert found.keys() & set(OWN) == set()
    for name, sql in zip(OWN, BREAKS, strict=True):
        with suppress(Undone):
            async with infra.db.write() as db:
                await db.records(sql, [])
                assert name in await broken(db), name
                raise Undone


async def live(person: Person, crowd: list[Person], ids: list[str], tracks: list[str], seed: int) -> None:
    """Does thirty things; what is refused is refused for a reason."""
    chance = random.Random(seed)
    for _ in range(30):
        path, other = f"/playlists/{chance.choice(ids)}", chance.choice(crowd)
        entries = [entry["id"] for entry in (await person.get(f"{path}/entries")).json().get("items", [])]
        acts = [
            ("POST", f"{path}/entries", {"track_ids": chance.sample(tracks, 3), "at": chance.randint(0, len(entries))}),
            ("POST", f"{path}/entries", {"placeholders": [{"title": "Lost", "artist": "Nobody", "duration_ms": 1}]}),
            (
                "POST",
                f"{path}/remove",
                {"entry_ids": chance.sample(entries, min(2, len(entries))) or tracks[:1]},
            ),
            ("POST", f"{path}/move", {"start": 0, "length": 2, "to": chance.randint(0, len(entries))}),
            ("PATCH", f"{path}/entries/{chance.choice(entries or tracks)}", {"track_id": chance.choice(tracks)}),
            ("PUT", f"{path}/owner", {"user_id": str(other.id)}),
            ("PUT", f"{path}/like", None),
            ("DELETE", f"{path}/like", None),
            ("PATCH", path, {"name": f"Name {chance.random()}"}),
        ]
        method, where, body = chance.choice(acts)
        answer = await person.request(method, where, json=body)
        assert answer.status_code in {200, 201, 403, 404, 422}, answer.text
