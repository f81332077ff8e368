"""Profiles: what is shown, what can be changed, what is refused."""

import asyncio
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select, update

from app.core.infra import Infra
from app.users.events import PersonChanged
from app.users.models import User
from app.users.service import UsernameTaken, create_person, touch
from tests.conftest import Settings, create_database, http_client, running
from tests.people import People, Person, queries
from tests.users.factories import handed_on


async def test_a_profile_has_details_counts_and_mean(people: People, client: httpx.AsyncClient) -> None:
    ana = await people.make("ana", bio="Samba", location="Recife", review_count=3, rating_sum=20)
    answer = await client.get(f"/users/{ana.username.upper()}")
    assert answer.status_code == 200
    body = answer.json()
    assert body.pop("created_at").endswith("Z")
    assert body == {
        "id": str(ana.id),
        "username": ana.username,
        "display_name": "Ana",
        "avatar_key": None,
        "banner_key": None,
        "bio": "Samba",
        "location": "Recife",
        "links": [],
        "role": "user",
        "follower_count": 0,
        "following_count": 0,
        "review_count": 3,
        "mean_rating": 6.67,
        "restricted": False,
        "is_following": False,
        "follows_you": False,
        "is_muted": False,
    }


async def test_nobody_without_reviews_has_a_mean(people: People, client: httpx.AsyncClient) -> None:
    ana = await people.make("ana")
    assert (await client.get(f"/users/{ana.username}")).json()["mean_rating"] is None


async def test_mail_addresses_are_nowhere_in_what_is_public(people: People, client: httpx.AsyncClient) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    await bob.put(f"/users/{ana.username}/follow")
    for path in (f"/users/{ana.username}", f"/users/{ana.username}/followers"):
        for reader in (client, bob):
            text = (await reader.get(path)).text
            assert "mail" not in text
            assert "@" not in text


async def test_a_profile_costs_one_statement(people: People, infra: Infra) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    async with queries(infra) as ran:
        assert (await bob.get(f"/users/{ana.username}")).status_code == 200
    assert ran == [1]
    async with queries(infra) as ran:
        assert (await bob.get("/users/me")).status_code == 200
    assert ran == [1]


@pytest.mark.parametrize("name", ["nobody_of_this_name", "me_", "a" * 50])
async def test_unknown_names_are_404(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.get(f"/users/{name}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("name", ["ab", "a" * 51, "a%00b", "jos%C3%A9", "a b", "abc%0A"])
async def test_impossible_names_are_422(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.get(f"/users/{name}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/path/username"


async def test_etag_answers_304_until_something_changes(people: People) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    path = f"/users/{ana.username}"
    first = await bob.get(path)
    tag = first.headers["etag"]
    assert tag.startswith('"')
    assert first.headers["vary"] == "Authorization"
    for known in (tag, f'"other", W/{tag}', "*"):
        again = await bob.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert (await bob.get(path, headers={"If-None-Match": '"other"'})).status_code == 200

    await bob.put(f"{path}/follow")
    changed = await bob.get(path, headers={"If-None-Match": tag})
    assert (changed.status_code, changed.json()["is_following"]) == (200, True)
    assert changed.headers["etag"] != tag


async def test_own_profile_shows_role_and_privacy(people: People) -> None:
    ana = await people.make("ana", role="curator", profile_visibility="me")
    body = (await ana.get("/users/me")).json()
    assert body["id"] == str(ana.id)
    assert (body["role"], body["profile_visibility"], body["library_visibility"]) == ("curator", "me", "everyone")


async def test_changes_are_kept_and_the_rest_stays(people: People) -> None:
    ana = await people.make("ana", location="Recife")
    changes = {
        "display_name": " Ana Sóuza ",
        "bio": "First line\nsecond",
        "links": [{"label": "Blog", "url": "https://example.org"}],
        "profile_visibility": "followers",
        "library_visibility": "me",
    }
    answer = await ana.patch("/users/me", json=changes)
    assert answer.status_code == 200
    body = answer.json()
    assert body["display_name"] == "Ana Sóuza"
    assert body["bio"] == "First line\nsecond"
    assert body["location"] == "Recife"
    assert body["links"] == [{"label": "Blog", "url": "https://example.org/"}]
    assert (body["profile_visibility"], body["library_visibility"]) == ("followers", "me")
    assert (await ana.get("/users/me")).json() == body

    emptied = (await ana.patch("/users/me", json={"bio": "", "links": [], "location": ""})).json()
    assert (emptied["bio"], emptied["links"], emptied["location"]) == ("", [], "")
    assert (await ana.patch("/users/me", json={})).json() == emptied


LINK = {"label": "Blog", "url": "https://example.org/"}


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"display_name": " "}, "/body/display_name"),
        ({"display_name": None}, "/body/display_name"),
        ({"display_name": "two\nlines"}, "/body/display_name"),
        ({"display_name": "x" * 51}, "/body/display_name"),
        ({"bio": "x" * 501}, "/body/bio"),
        ({"bio": "nul\x00"}, "/body/bio"),
        ({"location": "x" * 101}, "/body/location"),
        ({"links": [LINK] * 6}, "/body/links"),
        ({"links": [LINK | {"label": ""}]}, "/body/links/0/label"),
        ({"links": [LINK | {"url": "javascript:alert(1)"}]}, "/body/links/0/url"),
        ({"links": [LINK | {"url": "ftp://example.org/"}]}, "/body/links/0/url"),
        ({"links": [LINK | {"url": "https://bank.example@evil.example/"}]}, "/body/links/0/url"),
        ({"links": [LINK | {"url": "https://example.org/" + "x" * 500}]}, "/body/links/0/url"),
        ({"profile_visibility": "friends"}, "/body/profile_visibility"),
        ({"library_visibility": None}, "/body/library_visibility"),
        ({"username": "ab"}, "/body/username"),
        ({"username": "a-b-c"}, "/body/username"),
        ({"username": "x" * 51}, "/body/username"),
        ({"avatar_key": "avatars/other.webp"}, "/body/avatar_key"),
        ({"role": "admin"}, "/body/role"),
        ({"follower_count": 9}, "/body/follower_count"),
    ],
)
async def test_faulty_changes_are_refused(people: People, changes: dict[str, object], pointer: str) -> None:
    ana = await people.make("ana")
    before = (await ana.get("/users/me")).json()
    answer = await ana.patch("/users/me", json=changes)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert (await ana.get("/users/me")).json() == before


def fresh_name(stem: str) -> str:
    return f"{stem}_{uuid4().hex[:12]}"


async def test_a_username_can_change_and_the_token_stays_good(people: People, client: httpx.AsyncClient) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    name = fresh_name("Novo")
    assert (await ana.patch("/users/me", json={"username": name})).json()["username"] == name
    assert (await ana.get("/users/me")).json()["username"] == name
    assert (await client.get(f"/users/{ana.username}")).status_code == 404
    assert (await client.get(f"/users/{name.lower()}")).json()["id"] == str(ana.id)
    # the old name is free for others
    assert (await bob.patch("/users/me", json={"username": ana.username})).status_code == 200
    # and one may spell one's own name in another way
    assert (await ana.patch("/users/me", json={"username": name.upper()})).json()["username"] == name.upper()


async def test_a_taken_username_is_409_in_any_case(people: People) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    answer = await bob.patch("/users/me", json={"username": ana.username.upper(), "bio": "not kept"})
    assert (answer.status_code, answer.json()["code"]) == (409, "username_taken")
    assert (await bob.get("/users/me")).json()["bio"] == ""
    kept = await bob.patch("/users/me", json={"username": "Deleted_1234abcd"})
    assert (kept.status_code, kept.json()["code"]) == (409, "username_taken")


async def test_of_many_who_want_a_name_one_gets_it(people: People) -> None:
    crowd = [await people.make("one") for _ in range(8)]
    name = fresh_name("wanted")
    answers = await asyncio.gather(*(person.patch("/users/me", json={"username": name}) for person in crowd))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7


async def test_changes_of_names_and_visibility_are_told(people: People, infra: Infra) -> None:
    ana = await people.make("ana")
    for change, told in (
        ({"bio": "silent"}, 0),
        ({"display_name": "Loud"}, 1),
        ({"profile_visibility": "me"}, 1),
        ({"username": fresh_name("loud")}, 1),
    ):
        async with handed_on(infra, PersonChanged) as events:
            await ana.patch("/users/me", json=change)
        assert [event.user_id for event in events] == [ana.id] * told, change


async def test_create_person_emits_and_refuses_taken_names_softly(people: People, infra: Infra) -> None:
    name = fresh_name("Zoe")
    async with handed_on(infra, PersonChanged) as events, infra.db.write() as db:
        zoe = await create_person(db, username=name, display_name="Zoe", role="admin")
    assert (zoe.username, zoe.username_key, zoe.role, zoe.follower_count) == (name, name.lower(), "admin", 0)
    assert [event.user_id for event in events] == [zoe.id]
    async with infra.db.write() as db:
        with pytest.raises(UsernameTaken):
            await create_person(db, username=name.upper(), display_name="Other")
        with pytest.raises(UsernameTaken):
            await create_person(db, username="deleted_00112233", display_name="Other")
        other = await create_person(db, username=fresh_name("other"), display_name="Other")
    assert await infra.db.reader.one(select(User.username).where(User.id == other.id)) == other.username


async def test_touch_writes_only_now_and_then(people: People, infra: Infra) -> None:
    ana = await people.make("ana")
    active = select(User.active_at).where(User.id == ana.id)
    first = await infra.db.reader.one(active)
    async with infra.db.write() as db:
        await touch(db, ana.id)
    assert await infra.db.reader.one(active) == first
    long_ago = update(User).where(User.id == ana.id).values(active_at=first.replace(year=2020))
    async with infra.db.write() as db:
        await db.execute(long_ago)
        async with infra.db.write() as other:
            await touch(other, ana.id)  # does not wait for the lock
    assert (await infra.db.reader.one(active)).year == 2020
    async with infra.db.write() as db:
        await touch(db, ana.id)
    assert await infra.db.reader.one(active) >= first


async def test_profile_changes_are_limited(settings: Settings, worker_number: int) -> None:
    url = await create_database(settings.database_url, f"soundscore_limits_{worker_number}")
    async with (
        running(settings.model_copy(update={"database_url": url, "rate_limits": True})) as app,
        People(app) as some,
    ):
        ana: Person = await some.make("ana")
        statuses = [(await ana.patch("/users/me", json={})).status_code for _ in range(32)]
        assert statuses[:30] == [200] * 30
        assert statuses[-1] == 429


async def test_everything_of_ones_own_needs_a_login(app: object) -> None:
    async with http_client(app) as client:  # type: ignore[arg-type]
        for method, path in (
            ("GET", "/users/me"),
            ("PATCH", "/users/me"),
            ("GET", "/users/me/blocks"),
            ("GET", "/users/me/mutes"),
            ("GET", "/users/me/exports"),
            ("POST", "/users/me/exports"),
            ("DELETE", "/users/me/followers/someone"),
            ("PUT", "/users/someone/follow"),
            ("DELETE", "/users/someone/follow"),
            ("PUT", "/users/someone/block"),
            ("DELETE", "/users/someone/block"),
            ("PUT", "/users/someone/mute"),
            ("DELETE", "/users/someone/mute"),
        ):
            assert (await client.request(method, path)).status_code == 401, (method, path)
