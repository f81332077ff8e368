"""Who works on playlists: invitations that reach people, roles, and what happens when they part or leave."""

from typing import Any

from app.core.infra import Infra
from app.core.job_runner import drain
from app.users.exports import _exporters
from app.users.service import delete_account
from tests.people import People, Person, queries
from tests.playlists.factories import codes, collaborate, entries_of, make_playlist, make_tracks


async def roles(person: Person, playlist_id: str) -> dict[str, tuple[str, str]]:
    answer = await person.get(f"/playlists/{playlist_id}/members")
    assert answer.status_code == 200, answer.text
    return {item["user"]["id"]: (item["role"], item["state"]) for item in answer.json()["items"]}


async def told(person: Person) -> list[dict[str, Any]]:
    items = (await person.get("/notifications")).json()["items"]
    return [item["playlist_invite"] for item in items if item["kind"] == "playlist_invite"]


async def test_an_invitation_reaches_and_is_accepted(people: People, infra: Infra) -> None:
    ana, bob, eve = [await people.make(name) for name in ("ana", "bob", "eve")]
    (track,) = await make_tracks(infra, 1)
    playlist_id = await make_playlist(ana, track)
    path = f"/playlists/{playlist_id}"
    invited = await ana.post(f"{path}/members", json={"username": bob.username})
    assert (invited.status_code, invited.json()["state"], invited.json()["role"]) == (201, "invited", "editor")
    await drain(infra)
    assert [(invite["state"], invite["playlist"]["id"]) for invite in await told(bob)] == [("invited", playlist_id)]
    async with queries(infra) as ran:
        waiting = (await bob.get("/playlists/invites")).json()["items"]
    assert ran == [1]
    assert (waiting[0]["playlist"]["id"], waiting[0]["invited_by"]["username"]) == (playlist_id, ana.username)
    read = (await bob.get(path)).json()
    assert (read["role"], read["invited_as"]) == (None, "editor"), "who is invited may look before they answer"
    assert codes(
        await bob.post(f"{path}/entries", json={"track_ids": [str(track)]}),
        await bob.get(f"{path}/activities"),
        await eve.get(path),
        await eve.post(f"{path}/accept"),
    ) == [(403, "not_collaborator"), (403, "not_collaborator"), (404, "not_found"), (404, "not_found")]
    assert (await bob.post(f"{path}/accept")).json()["role"] == "editor"
    assert [invite["state"] for invite in await told(bob)] == ["accepted"]
    assert codes(await bob.post(f"{path}/accept")) == [(409, "already_collaborator")]
    assert (await bob.post(f"{path}/entries", json={"track_ids": [str(track)]})).status_code == 201
    assert [item["id"] for item in (await bob.get("/playlists/mine")).json()["items"]] == [playlist_id]
    assert await roles(bob, playlist_id) == {str(ana.id): ("owner", "accepted"), str(bob.id): ("editor", "accepted")}
    assert (await bob.get(f"{path}/activities")).json()["items"][1]["action"] == "join"


async def test_what_goes_wrong_with_invitations(people: People, infra: Infra) -> None:
    ana, bob, eve = [await people.make(name) for name in ("ana", "bob", "eve")]
    playlist_id = await make_playlist(ana, visibility="public")
    path = f"/playlists/{playlist_id}"
    body = {"username": bob.username}
    await eve.put(f"/users/{ana.username}/block")
    assert (await ana.post(f"{path}/members", json=body)).status_code == 201
    assert codes(
        await ana.post(f"{path}/members", json=body),
        await ana.post(f"{path}/members", json={"username": ana.username}),
        await ana.post(f"{path}/members", json={"username": eve.username}),
        await ana.post(f"{path}/members", json={"username": "nobody_at_all"}),
        await ana.post(f"{path}/members", json=body | {"role": "owner"}),
        await bob.post(f"{path}/members", json={"username": ana.username}),
        await ana.post(f"{path}/decline"),
    ) == [
        (409, "already_invited"),
        (409, "already_collaborator"),
        (404, "not_found"),
        (404, "not_found"),
        (422, "invalid"),
        (403, "not_owner"),
        (404, "not_invited"),
    ]
    await drain(infra)
    assert (await bob.post(f"{path}/decline")).status_code == 204
    assert codes(await bob.post(f"{path}/decline")) == [(404, "not_invited")]
    assert await told(bob) == [], "what one was told of goes with the invitation"
    assert (await bob.get("/notifications/unread-count")).json()["unread_count"] == 0
    assert (await ana.post(f"{path}/members", json=body)).status_code == 201
    assert (await ana.delete(f"{path}/members/{bob.id}")).status_code == 204
    assert (await bob.get("/playlists/invites")).json()["items"] == []


async def test_invitations_are_seen_by_those_who_belong(people: People, client: Any) -> None:
    ana, bob, eve = [await people.make(name) for name in ("ana", "bob", "eve")]
    playlist_id = await make_playlist(ana, visibility="public")
    await ana.post(f"/playlists/{playlist_id}/members", json={"username": bob.username})
    assert set(await roles(ana, playlist_id)) == {str(ana.id), str(bob.id)}
    assert set(await roles(bob, playlist_id)) == {str(ana.id), str(bob.id)}
    assert set(await roles(eve, playlist_id)) == {str(ana.id)}


async def test_viewers_look_and_editors_work(people: People, infra: Infra) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    (track,) = await make_tracks(infra, 1)
    playlist_id = await make_playlist(ana, track)
    path = f"/playlists/{playlist_id}"
    await collaborate(ana, playlist_id, bob, role="viewer")
    assert len(await entries_of(bob, playlist_id)) == 1
    assert codes(await bob.post(f"{path}/entries", json={"track_ids": [str(track)]})) == [(403, "not_collaborator")]
    changed = await ana.patch(f"{path}/members/{bob.id}", json={"role": "editor"})
    assert changed.json()["role"] == "editor"
    assert (await bob.post(f"{path}/entries", json={"track_ids": [str(track)]})).status_code == 201
    assert codes(
        await bob.patch(f"{path}/members/{ana.id}", json={"role": "viewer"}),
        await ana.patch(f"{path}/members/{ana.id}", json={"role": "viewer"}),
        await ana.delete(f"{path}/members/{ana.id}"),
        await bob.delete(f"{path}/members/{ana.id}"),
    ) == [(403, "not_owner"), (409, "owner_stays"), (409, "owner_stays"), (403, "not_owner")]
    assert (await bob.delete(f"{path}/members/{bob.id}")).status_code == 204
    assert (await bob.get(path)).status_code == 404


async def test_a_playlist_is_given_away(people: People) -> None:
    ana, bob, eve = [await people.make(name) for name in ("ana", "bob", "eve")]
    playlist_id = await make_playlist(ana, visibility="public")
    path = f"/playlists/{playlist_id}"
    assert (await ana.put(f"{path}/owner", json={"user_id": str(bob.id)})).status_code == 404
    await collaborate(ana, playlist_id, bob)
    given = await ana.put(f"{path}/owner", json={"user_id": str(bob.id)})
    assert (given.json()["role"], given.json()["owner"]["id"]) == ("editor", str(bob.id))
    assert codes(await ana.put(f"{path}/owner", json={"user_id": str(ana.id)})) == [(403, "not_owner")]
    listed = (await eve.get(f"/users/{bob.username}/playlists")).json()["items"]
    assert [item["id"] for item in listed] == [playlist_id]


async def test_who_blocks_somebody_no_longer_works_with_them(people: People, infra: Infra) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    hers, his = await make_playlist(ana), await make_playlist(bob)
    await collaborate(ana, hers, bob)
    await bob.post(f"/playlists/{his}/members", json={"username": ana.username})
    await ana.put(f"/users/{bob.username}/block")
    await drain(infra)
    assert set(await roles(ana, hers)) == {str(ana.id)}
    assert (await bob.get(f"/playlists/{hers}")).status_code == 404
    assert (await ana.get(f"/playlists/{his}")).status_code == 404


async def done(person: Person, playlist_id: str) -> list[tuple[str, str | None, str | None, str | None]]:
    """What was done: the action, by whom, to whom, and its title."""
    items = (await person.get(f"/playlists/{playlist_id}/activities")).json()["items"]
    names = [{key: (item[key] or {}).get("username") for key in ("actor", "person")} for item in items]
    return [
        (item["action"], name["actor"], name["person"], item["title"]) for item, name in zip(items, names, strict=True)
    ]


async def test_what_was_done_names_people_as_long_as_they_are_there(people: People, infra: Infra) -> None:
    ana, bob, eve = [await people.make(name) for name in ("ana", "bob", "eve")]
    playlist_id = await make_playlist(ana, name="Ours")
    for person in (bob, eve):
        await collaborate(ana, playlist_id, person)
    await ana.patch(f"/playlists/{playlist_id}/members/{eve.id}", json={"role": "viewer"})
    await ana.delete(f"/playlists/{playlist_id}/members/{eve.id}")
    hers = [(action, ana.username, eve.username, eve.username) for action in ("leave", "role")]
    joined = [("join", person.username, person.username, person.username) for person in (eve, bob)]
    made = ("create", ana.username, None, "Ours")
    assert await done(ana, playlist_id) == [*hers, *joined, made]
    await eve.patch("/users/me", json={"username": (renamed := f"x{eve.username[4:]}")})
    assert (await done(ana, playlist_id))[0] == ("leave", ana.username, renamed, renamed), "as they are called now"
    await eve.put(f"/users/{ana.username}/block")
    assert await done(ana, playlist_id) == [
        ("leave", ana.username, None, None),
        ("role", ana.username, None, None),
        ("join", None, None, None),
        joined[1],
        made,
    ]
    async with infra.db.write() as db:
        await delete_account(db, bob.id, keep_content=True)
    await drain(infra)
    assert (await done(ana, playlist_id))[4] == ("join", None, None, None)
    kept = await infra.db.fetch(
        "SELECT a::text AS row FROM playlist_activities a WHERE playlist_id = $1", [playlist_id]
    )
    assert len(kept) == 6
    assert not any(bob.username in row["row"] or str(bob.id) in row["row"] for row in kept)


async def test_playlists_of_who_leaves_pass_to_an_editor(people: People, infra: Infra) -> None:
    ana, bob, eve = [await people.make(name) for name in ("ana", "bob", "eve")]
    tracks = await make_tracks(infra, 2)
    shared, lonely, his = await make_playlist(ana, tracks[0]), await make_playlist(ana), await make_playlist(bob)
    await collaborate(ana, shared, eve, role="viewer")
    await collaborate(ana, shared, bob)
    await collaborate(bob, his, ana)
    await ana.post(f"/playlists/{his}/entries", json={"track_ids": [str(tracks[1])]})
    async with infra.db.write() as db:
        await delete_account(db, ana.id, keep_content=True)
    await drain(infra)
    assert (await bob.get(f"/playlists/{shared}")).json()["role"] == "owner"
    assert await roles(bob, shared) == {str(eve.id): ("viewer", "accepted"), str(bob.id): ("owner", "accepted")}
    assert [entry["added_by"] for entry in await entries_of(bob, his)] == [None]
    assert set(await roles(bob, his)) == {str(bob.id)}
    rows = await infra.db.fetch("SELECT FROM playlists WHERE id = $1", [lonely])
    assert rows == [], "what nobody else could see goes"
    done = (await bob.get(f"/playlists/{his}/activities")).json()["items"]
    assert all(item["actor"] is None or item["actor"]["id"] != str(ana.id) for item in done)


async def test_public_playlists_of_who_leaves_stay_if_wanted(people: People, infra: Infra) -> None:
    for keeps in (True, False):
        ana, bob = await people.make("ana"), await people.make("bob")
        playlist_id = await make_playlist(ana, *await make_tracks(infra, 1), visibility="public")
        other = await make_playlist(bob, visibility="public")
        await ana.put(f"/playlists/{other}/like")
        async with infra.db.write() as db:
            await delete_account(db, ana.id, keep_content=keeps)
        await drain(infra)
        read = await bob.get(f"/playlists/{playlist_id}")
        assert read.status_code == (200 if keeps else 404)
        if keeps:
            assert (read.json()["owner"], len(await entries_of(bob, playlist_id))) == (None, 1)
        assert (await bob.get(f"/playlists/{other}")).json()["like_count"] == int(keeps)


async def test_the_export_has_what_one_made(people: People, infra: Infra) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    playlist_id = await make_playlist(ana, *await make_tracks(infra, 2), name="Exported")
    await collaborate(ana, playlist_id, bob)
    await bob.put(f"/playlists/{playlist_id}/like")

    async def rows(name: str, person: Person) -> list[dict[str, Any]]:
        return [row async for row in _exporters[name](infra.db.reader, person.id)]

    assert [row["name"] for row in await rows("playlists", ana)] == ["Exported"]
    assert len(await rows("playlist_entries", ana)) == 2
    assert await rows("playlists", bob) == []
    assert [row["role"] for row in await rows("playlist_memberships", bob)] == ["editor"]
    assert [row["action"] for row in await rows("playlist_activities", bob)] == ["join"]
    assert [str(row["playlist_id"]) for row in await rows("likes", bob)] == [playlist_id]
