"""Making, changing, closing and listing rooms."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from app.core.ids import uuid7
from app.core.infra import Infra
from tests.catalog.factories import add_artist, add_track
from tests.people import People, Person, queries
from tests.rooms.factories import get_in, open_room, with_members


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def play(infra: Infra, room: dict[str, Any], track_id: str, *, playing: bool = True) -> None:
    await infra.db.fetch(
        "INSERT INTO playbacks (room_id, track_id, item_id, playing) VALUES ($1, $2, $3, $4)",
        [room["id"], track_id, uuid7(), playing],
    )


async def be_there(infra: Infra, room: dict[str, Any], *people: Person) -> None:
    """As presence writes it down."""
    process = uuid7()
    await infra.db.fetch("INSERT INTO heartbeats (process_id) VALUES ($1)", [process])
    for person in people:
        for _ in range(2):  # two tabs are one person
            await infra.db.fetch(
                "INSERT INTO presences (connection_id, process_id, channel_id, user_id) VALUES ($1, $2, $3, $4)",
                [uuid7(), process, room["id"], person.id],
            )


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"name": "ab"}, "/body/name"),
        ({"name": "x" * 51}, "/body/name"),
        ({"name": "two\nlines"}, "/body/name"),
        ({"password": "short", "is_private": True}, "/body/password"),
        ({"password": "long enough"}, "/body/password"),
        ({"capacity": 0}, "/body/capacity"),
        ({"capacity": 1001}, "/body/capacity"),
        ({"queue_mode": "random"}, "/body/queue_mode"),
        ({"skip_quorum": 0}, "/body/skip_quorum"),
        ({"skip_quorum": 1.1}, "/body/skip_quorum"),
        ({"owner_id": str(uuid7())}, "/body/owner_id"),
    ],
)
async def test_what_a_room_cannot_be(people: People, fields: dict[str, Any], pointer: str) -> None:
    ana = await people.make("ana")
    answer = await ana.post("/rooms", json={"name": f"Room {ana.id}"[:50], **fields})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_a_name_is_taken_whatever_its_case(people: People) -> None:
    ana = await people.make("ana")
    room = await open_room(ana, name=f"Café {ana.id.hex[-12:]}!")
    answer = await ana.post("/rooms", json={"name": f"CAFE  {ana.id.hex[-12:]}"})
    assert problem(answer) == (409, "room_name_taken")
    assert answer.json()["existing_id"] == room["id"]
    found = await ana.get("/rooms/by-name", params={"name": f"cafe {ana.id.hex[-12:]}"})
    assert found.json()["id"] == room["id"]
    assert problem(await ana.get("/rooms/by-name", params={"name": uuid7().hex})) == (404, "not_found")
    other = await open_room(ana)
    assert problem(await ana.patch(f"/rooms/{other['id']}", json={"name": room["name"]})) == (409, "room_name_taken")
    assert (await ana.patch(f"/rooms/{room['id']}", json={"name": room["name"].upper()})).status_code == 200


async def test_ten_who_want_one_name(people: People) -> None:
    crowd = [await people.make("crowd") for _ in range(10)]
    name = uuid7().hex
    answers = await asyncio.gather(*(person.post("/rooms", json={"name": name}) for person in crowd))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9


async def test_a_room_is_changed(people: People) -> None:
    room, [owner, member] = await with_members(people, "member")
    address = f"/rooms/{room['id']}"
    wish = {"description": "Late", "queue_mode": "fair", "auto_dj": True, "genres": ["Soul", "soul"], "skip_quorum": 1}
    changed = (await owner.patch(address, json=wish)).json()
    assert {name: changed[name] for name in wish} == wish | {"genres": ["soul"]}
    assert changed["name"] == room["name"]
    assert problem(await member.patch(address, json=wish)) == (403, "not_allowed")
    assert problem(await (await people.make("x")).patch(address, json=wish)) == (403, "not_a_member")
    assert problem(await owner.patch(address, json={"capacity": 1})) == (409, "capacity_too_small")
    assert problem(await owner.patch(f"/rooms/{uuid7()}", json=wish)) == (404, "not_found")
    assert (await owner.patch(address, json={})).status_code == 200


async def test_a_room_becomes_private_and_public_again(people: People) -> None:
    room, [owner] = await with_members(people)
    address = f"/rooms/{room['id']}"
    assert problem(await owner.patch(address, json={"password": "blue in green"})) == (422, "invalid")
    private = await owner.patch(address, json={"password": "blue in green", "is_private": True})
    assert (private.json()["is_private"], private.json()["has_password"]) == (True, True)
    unlocked = await owner.patch(address, json={"password": None})
    assert (unlocked.json()["is_private"], unlocked.json()["has_password"]) == (True, False)
    await owner.patch(address, json={"password": "blue in green"})
    public = await owner.patch(address, json={"is_private": False})
    assert (public.json()["is_private"], public.json()["has_password"]) == (False, False)


async def test_a_password_is_kept_as_a_hash(people: People, infra: Infra) -> None:
    room = await open_room(await people.make("ana"), is_private=True, password="blue in green")
    rows = await infra.db.fetch("SELECT password_hash FROM rooms WHERE id = $1", [room["id"]])
    assert rows[0]["password_hash"].startswith("$argon2id$")


async def test_only_the_owner_deletes(people: People) -> None:
    room, [owner, dj] = await with_members(people, "dj")
    address = f"/rooms/{room['id']}"
    assert problem(await dj.delete(address)) == (403, "not_owner")
    assert (await owner.delete(address)).status_code == 204
    for person in (owner, dj):
        assert problem(await person.get(address)) == (404, "not_found")
        assert problem(await person.delete(address)) == (404, "not_found")
        assert problem(await person.post(f"{address}/leave")) == (404, "not_found")
        assert problem(await person.get(f"/chat/{room['id']}/messages")) == (404, "not_found")
    again, _ = await with_members(people)
    admin = await people.make("admin", role="admin")
    assert (await admin.delete(f"/rooms/{again['id']}")).status_code == 204


async def test_a_name_is_free_again_after_the_room(people: People) -> None:
    ana = await people.make("ana")
    room = await open_room(ana)
    assert (await ana.delete(f"/rooms/{room['id']}")).status_code == 204
    await open_room(ana, name=room["name"])


async def test_a_room_tells_what_it_hears_and_who_is_there(people: People, infra: Infra) -> None:
    curator = await people.make("curator", role="curator")
    track = await add_track(curator, artist=await add_artist(curator))
    room, inside = await with_members(people, "member")
    silent, _ = await with_members(people)
    await play(infra, room, track["id"])
    await be_there(infra, room, *inside)
    seen = (await inside[0].get(f"/rooms/{room['id']}")).json()
    assert seen["present_count"] == 2
    assert seen["now_playing"]["id"] == track["id"]
    assert seen["now_playing"]["title"] == track["title"]
    assert seen["now_playing"]["playing"] is True
    other = (await inside[0].get(f"/rooms/{silent['id']}")).json()
    assert (other["present_count"], other["now_playing"], other["role"]) == (0, None, None)


async def test_lists(people: People, infra: Infra, client: httpx.AsyncClient) -> None:
    curator = await people.make("curator", role="curator")
    track = await add_track(curator, artist=await add_artist(curator))
    genre = uuid7().hex
    rooms = [(await with_members(people, genres=[genre, "jazz"], capacity=1 + n)) for n in range(4)]
    (full, _), (playing, inside), (locked, [locker]), (hidden, [owner]) = rooms
    await locker.patch(f"/rooms/{locked['id']}", json={"is_private": True, "password": "blue in green"})
    await owner.patch(f"/rooms/{hidden['id']}", json={"is_private": True})
    await play(infra, playing, track["id"])
    await play(infra, full, track["id"], playing=False)
    await be_there(infra, full, *inside)

    async def ids(person: httpx.AsyncClient, **asked: Any) -> list[str]:
        found: list[str] = []
        params: dict[str, Any] = {"genre": genre.upper(), "limit": 1, **asked}
        while True:
            page = (await person.get("/rooms", params=params)).json()
            found += [room["id"] for room in page["items"]]
            if page["next_cursor"] is None:
                return found
            params["cursor"] = page["next_cursor"]

    assert await ids(client, sort="new") == [locked["id"], playing["id"], full["id"]]
    assert await ids(client) == [full["id"], locked["id"], playing["id"]]
    assert await ids(owner, sort="new") == [hidden["id"], locked["id"], playing["id"], full["id"]]
    assert await ids(client, playing=True) == [playing["id"]]
    assert await ids(client, has_place=True, sort="new") == [locked["id"], playing["id"]]
    assert await ids(client, name=full["name"]) == [full["id"]]
    assert await ids(client, genre=f"{genre}x") == []
    await owner.put(f"/users/{locker.username}/block")
    assert await ids(owner, sort="new") == [hidden["id"], playing["id"], full["id"]]


@pytest.mark.parametrize("sort", ["lively", "new"])
async def test_a_list_is_one_statement(people: People, infra: Infra, sort: str) -> None:
    _, [ana] = await with_members(people)
    async with queries(infra) as ran:
        assert (await ana.get("/rooms", params={"sort": sort})).status_code == 200
    assert ran == [1]


async def test_a_room_is_one_statement(people: People, infra: Infra) -> None:
    room, [ana] = await with_members(people)
    for address in (f"/rooms/{room['id']}", "/rooms/mine", f"/rooms/by-name?name={room['name']}"):
        async with queries(infra) as ran:
            assert (await ana.get(address)).status_code == 200
        assert ran == [1], address
    async with queries(infra) as ran:
        assert (await ana.get(f"/rooms/{room['id']}/members")).status_code == 200
    assert ran == [2]


async def test_my_rooms(people: People) -> None:
    (first, [ana]), (second, [bruno]) = await with_members(people), await with_members(people)
    await get_in(ana, second)
    await bruno.post(f"/chat/{second['id']}", json={"text": "Hello"})
    mine = (await ana.get("/rooms/mine")).json()["items"]
    assert [(room["id"], room["role"], room["unread_count"]) for room in mine] == [
        (second["id"], "member", 1),
        (first["id"], "owner", 0),
    ]


async def test_what_a_private_room_plays_is_for_its_people(
    people: People, infra: Infra, client: httpx.AsyncClient
) -> None:
    owner, member, stranger = [await people.make(name) for name in ("owner", "member", "stranger")]
    room = await open_room(owner, is_private=True, password="blue in green")
    await get_in(member, room, password="blue in green")
    track = await add_track(await people.make("curator", role="curator"))
    await play(infra, room, track["id"])
    place, named = f"/rooms/{room['id']}", {"params": {"name": room["name"]}}
    for person in (owner, member):
        assert (await person.get(place)).json()["now_playing"]["id"] == track["id"]
    for person in (stranger, client):
        assert (await person.get(place)).json()["now_playing"] is None
        assert (await person.get("/rooms/by-name", **named)).json()["now_playing"] is None
        items = (await person.get("/rooms", params={"limit": 100})).json()["items"]
        assert [item["now_playing"] for item in items if item["id"] == room["id"]] == [None]


async def test_members_of_a_private_room_are_for_members(people: People, client: httpx.AsyncClient) -> None:
    ana = await people.make("ana")
    room = await open_room(ana, is_private=True, password="blue in green")
    bruno = await people.make("bruno")
    assert problem(await bruno.get(f"/rooms/{room['id']}/members")) == (403, "not_a_member")
    assert problem(await client.get(f"/rooms/{room['id']}/members")) == (403, "not_a_member")
    assert (await bruno.get(f"/rooms/{room['id']}")).json()["member_count"] == 1
    await get_in(bruno, room, password="blue in green")
    members = (await bruno.get(f"/rooms/{room['id']}/members", params={"limit": 1})).json()
    assert [one["role"] for one in members["items"]] == ["owner"]
    rest = await bruno.get(f"/rooms/{room['id']}/members", params={"limit": 1, "cursor": members["next_cursor"]})
    assert [one["role"] for one in rest.json()["items"]] == ["member"]
    assert datetime.fromisoformat(rest.json()["items"][0]["joined_at"]) <= datetime.now(UTC)


async def test_what_a_blocked_person_said_before_an_edit_is_hidden_too(people: People) -> None:
    room, [owner, member] = await with_members(people, "member")
    said = (await owner.post(f"/chat/{room['id']}/messages", json={"text": "Frist"})).json()
    message = f"/chat/{room['id']}/messages/{said['id']}"
    await owner.patch(message, json={"text": "First"})
    assert [it["text"] for it in (await member.get(f"{message}/revisions")).json()["items"]] == ["Frist"]
    await member.put(f"/users/{owner.username}/block")
    assert (await member.get(f"{message}/revisions")).json()["items"] == []
