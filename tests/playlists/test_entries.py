"""What is in playlists: order, placeholders, versions, and what was done."""

import random
from typing import Any
from uuid import uuid4

import pytest

from app.core.infra import Infra
from app.core.job_runner import drain
from app.core.paging import Page
from app.playlists.schemas import EntryItem
from tests.people import People, Person, queries
from tests.playlists.factories import codes, entries_of, make_playlist, make_tracks, titles_of


async def ids_of(person: Person, playlist_id: str) -> list[str]:
    return [entry["id"] for entry in await entries_of(person, playlist_id)]


async def test_tracks_are_added_where_one_says(people: People, infra: Infra) -> None:
    ana = await people.make("ana")
    tracks = [str(track) for track in await make_tracks(infra, 5)]
    playlist_id = await make_playlist(ana)
    path = f"/playlists/{playlist_id}/entries"
    await ana.post(path, json={"track_ids": tracks[:2]})
    await ana.post(path, json={"track_ids": tracks[2:4], "at": 1})
    last = await ana.post(path, json={"track_ids": [tracks[4]], "at": 0})
    assert await titles_of(ana, playlist_id) == ["Track 4", "Track 0", "Track 2", "Track 3", "Track 1"]
    body = last.json()
    assert (body["track_count"], body["duration_ms"], body["version"]) == (5, 15_000, 3)
    assert body["entry_ids"] == [(await ids_of(ana, playlist_id))[0]]
    entry = (await entries_of(ana, playlist_id))[0]
    assert entry["track"]["id"] == tracks[4]
    assert entry["track"]["artist"]["name"] == "The Placeholders"
    assert entry["track"]["album"]["title"] == "Places"
    assert entry["added_by"]["username"] == ana.username


async def test_known_tracks_can_be_left_out(people: People, infra: Infra) -> None:
    ana = await people.make("ana")
    tracks = [str(track) for track in await make_tracks(infra, 3)]
    playlist_id = await make_playlist(ana)
    path = f"/playlists/{playlist_id}/entries"
    await ana.post(path, json={"track_ids": tracks[:1]})
    await ana.post(path, json={"track_ids": tracks[:1]})
    assert (await ana.get(f"/playlists/{playlist_id}")).json()["track_count"] == 2, "twice the same track is allowed"
    added = await ana.post(path, json={"track_ids": [tracks[0], tracks[1], tracks[1], tracks[2]], "skip_known": True})
    assert (len(added.json()["entry_ids"]), added.json()["track_count"]) == (2, 4)
    none = await ana.post(path, json={"track_ids": tracks, "skip_known": True})
    assert (none.json()["entry_ids"], none.json()["version"]) == ([], 3)


async def test_placeholders_stand_in_the_order_and_can_be_matched(people: People, infra: Infra) -> None:
    ana = await people.make("ana")
    (track,) = await make_tracks(infra, 1)
    playlist_id = await make_playlist(ana, track)
    path = f"/playlists/{playlist_id}/entries"
    lost = {"title": "Lost", "artist": "Nobody", "album": "Nowhere", "duration_ms": 5000, "isrc": "GBAYE0601690"}
    added = await ana.post(path, json={"placeholders": [lost], "at": 0})
    entry = (await entries_of(ana, playlist_id))[0]
    assert (entry["track"], entry["title"], entry["artist"], entry["album"]) == (None, "Lost", "Nobody", "Nowhere")
    assert added.json()["duration_ms"] == 6000
    matched = await ana.patch(f"{path}/{entry['id']}", json={"track_id": str(track)})
    assert (matched.status_code, matched.json()["duration_ms"]) == (200, 2000)
    assert [entry["track"]["id"] for entry in await entries_of(ana, playlist_id)] == [str(track)] * 2
    await ana.patch(f"{path}/{entry['id']}", json={"track_id": None})
    entry = (await entries_of(ana, playlist_id))[0]
    assert (entry["track"], entry["title"]) == (None, "Track 0")
    assert (await ana.patch(f"{path}/{uuid4()}", json={"track_id": None})).status_code == 404
    unknown = await ana.patch(f"{path}/{entry['id']}", json={"track_id": str(uuid4())})
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/body/track_id")


async def test_a_track_that_goes_leaves_its_name(people: People, infra: Infra) -> None:
    ana = await people.make("ana")
    (track,) = await make_tracks(infra, 1, prefix="Gone")
    playlist_id = await make_playlist(ana, track)
    async with infra.db.write() as db:
        await db.records("DELETE FROM tracks WHERE id = $1", [track])
    entry = (await entries_of(ana, playlist_id))[0]
    assert (entry["track"], entry["title"], entry["artist"], entry["hidden"]) == (
        None,
        "Gone 0",
        "The Placeholders",
        False,
    )


async def test_ranges_move_as_in_a_list(people: People, infra: Infra) -> None:
    ana = await people.make("ana")
    playlist_id = await make_playlist(ana, *await make_tracks(infra, 12))
    expected = await ids_of(ana, playlist_id)
    chance = random.Random(7)
    for _ in range(40):
        length = chance.randint(1, 4)
        start, to = chance.randint(0, 12 - length), chance.randint(0, 12 - length)
        name: dict[str, Any] = {"start": start} if chance.random() < 0.5 else {"entry_id": expected[start]}
        answer = await ana.post(f"/playlists/{playlist_id}/move", json={**name, "length": length, "to": to})
        assert answer.status_code == 200, answer.text
        moved, rest = expected[start : start + length], expected[:start] + expected[start + length :]
        expected = rest[:to] + moved + rest[to:]
    assert await ids_of(ana, playlist_id) == expected


async def test_a_place_that_is_used_again_and_again_gets_room(people: People, infra: Infra) -> None:
    ana = await people.make("ana")
    tracks = await make_tracks(infra, 3)
    playlist_id = await make_playlist(ana, *tracks)
    expected = await ids_of(ana, playlist_id)
    path = f"/playlists/{playlist_id}/entries"
    for _ in range(45):
        added = await ana.post(path, json={"track_ids": [str(tracks[0])], "at": 1})
        expected.insert(1, added.json()["entry_ids"][0])
    for _ in range(45):
        await ana.post(f"/playlists/{playlist_id}/move", json={"start": 20, "to": 1})
        expected.insert(1, expected.pop(20))
    assert await ids_of(ana, playlist_id) == expected


async def test_removing_is_done_once(people: People, infra: Infra) -> None:
    ana = await people.make("ana")
    playlist_id = await make_playlist(ana, *await make_tracks(infra, 4))
    path, ids = f"/playlists/{playlist_id}/entries", await ids_of(ana, playlist_id)
    gone = await ana.post(f"/playlists/{playlist_id}/remove", json={"entry_ids": [ids[0], ids[2], str(uuid4())]})
    assert (gone.json()["removed"], gone.json()["track_count"], gone.json()["duration_ms"]) == (2, 2, 6000)
    again = await ana.post(f"/playlists/{playlist_id}/remove", json={"entry_ids": [ids[0]]})
    assert (again.json()["removed"], again.json()["version"]) == (0, gone.json()["version"])
    for _ in range(2):
        assert (await ana.delete(f"{path}/{ids[1]}")).status_code == 204
    assert await ids_of(ana, playlist_id) == [ids[3]]


async def test_a_version_that_is_old_is_refused(people: People, infra: Infra) -> None:
    ana = await people.make("ana")
    tracks = await make_tracks(infra, 2)
    playlist_id = await make_playlist(ana, *tracks)
    path, ids = f"/playlists/{playlist_id}/entries", await ids_of(ana, playlist_id)
    assert (await ana.post(f"/playlists/{playlist_id}/move", json={"start": 0, "to": 1, "version": 1})).json()[
        "version"
    ] == 2
    for answer in (
        await ana.post(f"/playlists/{playlist_id}/move", json={"start": 0, "to": 1, "version": 1}),
        await ana.post(path, json={"track_ids": [str(tracks[0])], "version": 1}),
        await ana.post(f"/playlists/{playlist_id}/remove", json={"entry_ids": ids, "version": 1}),
    ):
        assert codes(answer) == [(409, "playlist_changed")]
        assert answer.json()["version"] == 2
    assert await ids_of(ana, playlist_id) == ids[::-1]


@pytest.mark.parametrize(
    ("action", "body", "pointer"),
    [
        ("entries", {}, "/body/track_ids"),
        ("entries", {"track_ids": [str(uuid4())]}, "/body/track_ids/0"),
        ("entries", {"track_ids": []}, "/body/track_ids"),
        ("entries", {"track_ids": ["x"]}, "/body/track_ids/0"),
        ("entries", {"track_ids": [str(uuid4())], "placeholders": [{"title": "a", "artist": "b"}]}, "/body/track_ids"),
        ("entries", {"placeholders": [{"title": "a", "artist": "b"}], "at": 3}, "/body/at"),
        ("entries", {"placeholders": [{"title": "a"}]}, "/body/placeholders/0/artist"),
        ("entries", {"placeholders": [{"title": "a\x00", "artist": "b"}]}, "/body/placeholders/0/title"),
        ("move", {"to": 0}, "/body/start"),
        ("move", {"start": 0, "entry_id": str(uuid4()), "to": 0}, "/body/start"),
        ("move", {"start": 1, "length": 2, "to": 0}, "/body/length"),
        ("move", {"start": 0, "length": 2, "to": 1}, "/body/to"),
        ("move", {"start": -1, "to": 1}, "/body/start"),
        ("remove", {"entry_ids": []}, "/body/entry_ids"),
    ],
)
async def test_what_cannot_be_done_is_explained(
    people: People, infra: Infra, action: str, body: dict[str, Any], pointer: str
) -> None:
    ana = await people.make("ana")
    playlist_id = await make_playlist(ana, *await make_tracks(infra, 2))
    answer = await ana.post(f"/playlists/{playlist_id}/{action}", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_a_playlist_is_full_at_ten_thousand(people: People, infra: Infra) -> None:
    ana = await people.make("ana")
    playlist_id = await make_playlist(ana)
    path = f"/playlists/{playlist_id}/entries"
    batch = [{"title": f"Song {number}", "artist": "Somebody"} for number in range(500)]
    for _ in range(20):
        assert (await ana.post(path, json={"placeholders": batch})).status_code == 201
    assert codes(await ana.post(path, json={"placeholders": batch[:1]})) == [(409, "playlist_full")]
    assert (
        await ana.post(f"/playlists/{playlist_id}/move", json={"start": 9000, "length": 1000, "to": 0})
    ).status_code == 200
    page = await ana.get(path, params={"limit": 500})
    assert [entry["title"] for entry in page.json()["items"]] == [f"Song {number}" for number in range(500)]


async def test_a_page_of_500_is_one_statement(people: People, infra: Infra) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    tracks = await make_tracks(infra, 500)
    playlist_id = await make_playlist(ana, *tracks, visibility="public")
    await make_playlist(bob, tracks[0])
    async with queries(infra) as ran:
        page = await bob.get(f"/playlists/{playlist_id}/entries", params={"limit": 500})
    assert ran == [1]
    assert [entry["track"]["id"] for entry in page.json()["items"]] == [str(track) for track in tracks]
    assert page.json()["next_cursor"] is None
    async with queries(infra) as ran:
        await ana.post(f"/playlists/{playlist_id}/move", json={"start": 3, "length": 100, "to": 390})
    assert ran[0] <= 10, ran


async def test_long_pages_are_what_the_schema_says(people: People, infra: Infra) -> None:
    ana = await people.make("ana")
    playlist_id = await make_playlist(ana, *await make_tracks(infra, 5))
    await ana.post(
        f"/playlists/{playlist_id}/entries", json={"placeholders": [{"title": "Łóst", "artist": "ö"}], "at": 2}
    )
    answer = await ana.get(f"/playlists/{playlist_id}/entries", params={"limit": 4})
    page = Page[EntryItem].model_validate_json(answer.content)
    assert answer.content == page.model_dump_json().encode(), "each field, in its form and order"
    assert f"cursor={page.next_cursor}" in answer.headers["link"]


async def test_what_was_done_is_kept_for_those_who_belong(people: People, infra: Infra) -> None:
    ana = await people.make("ana")
    tracks = await make_tracks(infra, 3)
    playlist_id = await make_playlist(ana, *tracks)
    ids = await ids_of(ana, playlist_id)
    await ana.post(f"/playlists/{playlist_id}/move", json={"start": 0, "to": 2})
    await ana.delete(f"/playlists/{playlist_id}/entries/{ids[0]}")
    await ana.patch(f"/playlists/{playlist_id}", json={"name": "Other"})
    async with queries(infra) as ran:
        done = await ana.get(f"/playlists/{playlist_id}/activities")
    assert ran == [2]
    assert [(item["action"], item["title"], item["count"]) for item in done.json()["items"]] == [
        ("update", "Other", 1),
        ("remove", "Track 0", 1),
        ("move", "Track 0", 1),
        ("add", "Track 0", 3),
        ("create", "Sundays", 1),
    ]
    assert {item["actor"]["username"] for item in done.json()["items"]} == {ana.username}


async def test_merged_tracks_become_the_one_that_stays(people: People, infra: Infra) -> None:
    ana, curator = await people.make("ana"), await people.make("curator", role="curator")
    duplicate, kept = await make_tracks(infra, 2)
    playlist_id = await make_playlist(ana, duplicate)
    merged = await curator.post(f"/tracks/{duplicate}/merge", json={"into": str(kept)})
    assert merged.status_code == 200, merged.text
    await drain(infra)
    assert [entry["track"]["id"] for entry in await entries_of(ana, playlist_id)] == [str(kept)]
    await ana.post(f"/playlists/{playlist_id}/entries", json={"track_ids": [str(duplicate)]})
    assert [entry["track"]["id"] for entry in await entries_of(ana, playlist_id)] == [str(kept)] * 2
