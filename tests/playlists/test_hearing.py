"""Recordings that not everybody may hear, in playlists that everybody may read."""

from uuid import UUID

from app.core.infra import Infra
from app.playlists.service import all_entries
from tests.people import People, Person
from tests.playlists.factories import collaborate, entries_of, make_playlist, make_tracks, titles_of
from tests.sockets import sit


async def own(infra: Infra, person: Person, track_id: UUID, visibility: str) -> None:
    async with infra.db.write() as db:
        sql = "UPDATE tracks SET owner_id = $1, visibility = $2 WHERE id = $3"
        await db.records(sql, [person.id, visibility, track_id])


async def test_nothing_is_said_of_what_one_may_not_hear(live: str, people: People, infra: Infra) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    tracks = await make_tracks(infra, 3)
    await own(infra, ana, tracks[1], "private")
    playlist_id = await make_playlist(ana, visibility="public")
    await collaborate(ana, playlist_id, bob)
    async with sit(live, f"playlists/{playlist_id}", ana) as seat:
        for track in tracks:
            await ana.post(f"/playlists/{playlist_id}/entries", json={"track_ids": [str(track)]})
        events = await seat.reach(seat.welcome["sequence"] + 3)
        assert "Track 1" not in str(events)
        assert [event["data"]["entries"][0]["hidden"] for event in events] == [False, True, False]
    assert await titles_of(ana, playlist_id) == ["Track 0", "Track 1", "Track 2"]
    hidden = (await entries_of(bob, playlist_id))[1]
    assert (hidden["hidden"], hidden["track"], hidden["title"], hidden["artist"]) == (True, None, "", "")
    assert (hidden["album"], hidden["duration_ms"]) == (None, None)
    done = (await bob.get(f"/playlists/{playlist_id}/activities")).json()["items"]
    assert [item["title"] for item in done if item["action"] == "add"] == ["Track 2", None, "Track 0"]
    saved = await all_entries(infra.db.reader, None, UUID(playlist_id))
    assert [entry.title for entry in saved] == ["Track 0", "Track 2"]
    copy = (await bob.post(f"/playlists/{playlist_id}/copy", json={})).json()
    assert await titles_of(bob, copy["id"]) == ["Track 0", "Track 2"]
    async with sit(live, f"playlists/{playlist_id}", bob) as seat:
        assert "Track 1" not in str(seat.welcome)


async def test_nobody_adds_what_they_may_not_hear(people: People, infra: Infra) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    tracks = await make_tracks(infra, 3)
    await own(infra, ana, tracks[1], "private")
    await own(infra, ana, tracks[2], "followers")
    playlist_id = await make_playlist(bob)
    path = f"/playlists/{playlist_id}/entries"
    answer = await bob.post(path, json={"track_ids": [str(track) for track in tracks]})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/body/track_ids/1")
    await bob.put(f"/users/{ana.username}/follow")
    assert (await bob.post(path, json={"track_ids": [str(tracks[2])]})).status_code == 201
    assert await titles_of(bob, playlist_id) == ["Track 2"]
