"""Playlists as such: making, finding, changing, copying, liking, deleting."""

from uuid import uuid4

from app.core.infra import Infra
from tests.catalog.test_pictures import picture
from tests.people import People, queries
from tests.playlists.factories import codes, entries_of, make_playlist, make_tracks, titles_of


async def test_a_playlist_is_made_read_and_changed(people: People) -> None:
    ana = await people.make("ana")
    made = await ana.post("/playlists", json={"name": "  Sunday  ", "description": "Slowly", "visibility": "public"})
    assert made.status_code == 201
    playlist = made.json()
    assert (playlist["name"], playlist["role"], playlist["track_count"], playlist["version"]) == (
        "Sunday",
        "owner",
        0,
        0,
    )
    assert playlist["owner"]["username"] == ana.username
    changed = await ana.patch(f"/playlists/{playlist['id']}", json={"name": "Monday"})
    assert (changed.json()["name"], changed.json()["description"]) == ("Monday", "Slowly")
    assert changed.json()["version"] == 1
    again = await ana.patch(f"/playlists/{playlist['id']}", json={"name": "Monday"})
    assert again.json()["version"] == 1, "what does not change counts for nothing"
    read = await ana.get(f"/playlists/{playlist['id']}")
    tag = {"If-None-Match": read.headers["etag"]}
    assert (await ana.get(f"/playlists/{playlist['id']}", headers=tag)).status_code == 304


async def test_bad_input_names_what_is_wrong(people: People) -> None:
    ana = await people.make("ana")
    for body, pointer in (
        ({}, "/body/name"),
        ({"name": " "}, "/body/name"),
        ({"name": "a\x00"}, "/body/name"),
        ({"name": "a", "visibility": "secret"}, "/body/visibility"),
        ({"name": "a", "colour": "red"}, "/body/colour"),
        ({"name": "a", "rules": {"conditions": []}}, "/body/rules/conditions"),
    ):
        answer = await ana.post("/playlists", json=body)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_who_sees_what(people: People, client, infra: Infra) -> None:
    ana, bob, eve = [await people.make(name) for name in ("ana", "bob", "eve")]
    hidden = await make_playlist(ana)
    shown = await make_playlist(ana, visibility="public")
    await ana.put(f"/users/{eve.username}/block")
    for path in ("", "/entries", "/members", "/likers"):
        assert (await bob.get(f"/playlists/{hidden}{path}")).status_code == 404
        assert (await bob.get(f"/playlists/{shown}{path}")).status_code == 200
        assert (await client.get(f"/playlists/{shown}{path}")).status_code == 200
        assert (await eve.get(f"/playlists/{shown}{path}")).status_code == 404
        assert (await bob.get(f"/playlists/{uuid4()}{path}")).status_code == 404
    assert codes(await bob.get(f"/playlists/{shown}/activities")) == [(403, "not_collaborator")]
    assert codes(
        await bob.patch(f"/playlists/{shown}", json={"name": "Mine"}),
        await bob.delete(f"/playlists/{shown}"),
        await bob.delete(f"/playlists/{hidden}"),
        await bob.delete(f"/playlists/{shown}/cover"),
    ) == [(403, "not_owner"), (403, "not_owner"), (404, "not_found"), (403, "not_owner")]
    listed = (await bob.get(f"/users/{ana.username}/playlists")).json()["items"]
    assert [item["id"] for item in listed] == [shown]
    assert (await eve.get(f"/users/{ana.username}/playlists")).status_code == 404


async def test_a_profile_for_followers_hides_its_playlists(people: People) -> None:
    ana, bob = await people.make("ana", profile_visibility="followers"), await people.make("bob")
    playlist_id = await make_playlist(ana, visibility="public")
    assert (await bob.get(f"/playlists/{playlist_id}")).status_code == 404
    await bob.put(f"/users/{ana.username}/follow")
    assert (await bob.get(f"/playlists/{playlist_id}")).status_code == 200


async def test_lists_are_one_statement_and_found_by_words(people: People, infra: Infra) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    word = f"q{uuid4().hex[:10]}"
    ids = [await make_playlist(ana, name=f"Çafé {word} {number}", visibility="public") for number in range(3)]
    await bob.put(f"/playlists/{ids[0]}/like")
    async with queries(infra) as ran:
        found = await bob.get("/playlists", params={"q": f"cafe {word[:6]}", "limit": 2})
    assert ran == [1]
    assert [item["id"] for item in found.json()["items"]] == [ids[2], ids[1]]
    rest = await bob.get(
        "/playlists", params={"q": f"cafe {word[:6]}", "limit": 2, "cursor": found.json()["next_cursor"]}
    )
    assert [item["id"] for item in rest.json()["items"]] == [ids[0]]
    liked_first = await bob.get("/playlists", params={"q": word, "sort": "popular"})
    assert liked_first.json()["items"][0]["id"] == ids[0]
    for path in ("/playlists", "/playlists/mine", "/playlists/liked", f"/playlists/{ids[0]}", "/playlists/invites"):
        async with queries(infra) as ran:
            assert (await ana.get(path)).status_code == 200
        assert ran == [1], path


async def test_likes_count_once(people: People) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    playlist_id = await make_playlist(ana, visibility="public")
    for _ in range(2):
        assert (await bob.put(f"/playlists/{playlist_id}/like")).json() == {"liked": True, "like_count": 1}
    assert [item["id"] for item in (await bob.get("/playlists/liked")).json()["items"]] == [playlist_id]
    assert [item["id"] for item in (await ana.get(f"/playlists/{playlist_id}/likers")).json()["items"]] == [str(bob.id)]
    assert (await bob.get(f"/playlists/{playlist_id}")).json()["liked"] is True
    await ana.patch(f"/playlists/{playlist_id}", json={"visibility": "private"})
    assert (await bob.get("/playlists/liked")).json()["items"] == []
    await ana.patch(f"/playlists/{playlist_id}", json={"visibility": "public"})
    for _ in range(2):
        assert (await bob.delete(f"/playlists/{playlist_id}/like")).json() == {"liked": False, "like_count": 0}


async def test_a_copy_is_ones_own(people: People, infra: Infra) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    playlist_id = await make_playlist(ana, *await make_tracks(infra, 3), visibility="public", description="Hers")
    await ana.post(f"/playlists/{playlist_id}/entries", json={"placeholders": [{"title": "Lost", "artist": "Nobody"}]})
    copy = await bob.post(f"/playlists/{playlist_id}/copy", json={"name": "His"})
    assert copy.status_code == 201
    assert (copy.json()["name"], copy.json()["visibility"], copy.json()["role"]) == ("His", "private", "owner")
    assert (copy.json()["track_count"], copy.json()["duration_ms"]) == (4, 6000)
    assert await titles_of(bob, copy.json()["id"]) == await titles_of(ana, playlist_id)
    await bob.post(f"/playlists/{copy.json()['id']}/move", json={"start": 0, "to": 3})
    assert await titles_of(bob, copy.json()["id"]) != await titles_of(ana, playlist_id)
    hidden = await make_playlist(ana)
    assert (await bob.post(f"/playlists/{hidden}/copy", json={})).status_code == 404


async def test_a_repeated_creation_makes_one(people: People) -> None:
    ana = await people.make("ana")
    key = {"Idempotency-Key": uuid4().hex}
    first, second = [await ana.post("/playlists", json={"name": "Once"}, headers=key) for _ in range(2)]
    assert first.json()["id"] == second.json()["id"]
    assert len((await ana.get("/playlists/mine")).json()["items"]) == 1


async def test_covers_come_and_go(people: People, client, infra: Infra) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    playlist_id = await make_playlist(ana, visibility="public")
    assert (await bob.put(f"/playlists/{playlist_id}/cover", content=picture())).status_code == 403
    shown = await ana.put(f"/playlists/{playlist_id}/cover", content=picture())
    assert shown.status_code == 200, shown.text
    assert (await client.get(f"/media/{shown.json()['key']}")).headers["content-type"] == "image/webp"
    assert (await bob.get(f"/playlists/{playlist_id}")).json()["cover_key"] == shown.json()["key"]
    assert (await ana.put(f"/playlists/{playlist_id}/cover", content=b"no picture")).status_code == 422
    assert (await ana.put(f"/playlists/{playlist_id}/cover", content=b"x" * 6_000_000)).status_code == 413
    assert (await ana.delete(f"/playlists/{playlist_id}/cover")).status_code == 204
    assert (await bob.get(f"/playlists/{playlist_id}")).json()["cover_key"] is None


async def test_deleting_takes_everything_along(people: People, infra: Infra) -> None:
    ana, admin = await people.make("ana"), await people.make("admin", role="admin")
    playlist_id = await make_playlist(ana, *await make_tracks(infra, 2))
    other = await make_playlist(ana)
    assert (await ana.delete(f"/playlists/{playlist_id}")).status_code == 204
    assert (await admin.delete(f"/playlists/{other}")).status_code == 204
    assert (await ana.get(f"/playlists/{playlist_id}")).status_code == 404
    rows = await infra.db.fetch("SELECT FROM playlist_entries WHERE playlist_id = $1", [playlist_id])
    assert rows == []
    assert await entries_of(ana, await make_playlist(ana)) == []
