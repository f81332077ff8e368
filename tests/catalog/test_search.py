"""Search: prefixes, accents, typos, order, people, and that it keeps up with edits."""

from typing import Any

import httpx
import pytest

from app.catalog.bulk import upsert_tracks
from app.catalog.search import search
from app.catalog.search_rebuild import rebuild_search, refresh_search
from app.catalog.tables import TrackRow
from app.core.infra import Infra
from app.core.job_runner import drain
from app.core.jobs import emit
from app.users.events import AccountDeleted, PersonChanged
from app.users.models import Block, Follow, User
from tests.catalog.factories import Body, add_album, add_artist, add_track, letters, spotify_id, unique
from tests.people import People, Person, queries

NAMES = [
    ("The Beatles", ["Abbey Road", "Sgt. Pepper's Lonely Hearts Club Band"]),
    ("Björk", ["Homogenic"]),
    ("Земфира", ["Прости меня моя любовь"]),
    ("Алёна Свиридова", ["Розовый фламинго"]),
    ("João Gilberto", ["Chega de Saudade", "Amoroso"]),
    ("Tom Jobim", ["Garota de Ipanema"]),
    ("AC/DC", ["Back in Black"]),
    ("R.E.M.", ["Automatic for the People"]),
    ("RADWIMPS", ["Your Name"]),
    ("BLACKPINK", ["Born Pink"]),
    ("Ed Sheeran", ["÷"]),
    ("Metallica", ["Master of Puppets"]),
    ("Sigur Rós", ["Ágætis byrjun"]),
    ("Йорш", ["Счастье"]),
]


@pytest.fixture(scope="module", autouse=True)
async def catalogue(curator: Person) -> None:
    for name, titles in NAMES:
        artist = await add_artist(curator, name)
        for title in titles:
            await add_album(curator, title, artist=artist, year=1999)


async def find(client: httpx.AsyncClient, q: str, **options: Any) -> Body:
    answer = await client.get("/search", params={"q": q, **options})
    assert answer.status_code == 200, answer.text
    body: Body = answer.json()
    return body


async def titles(client: httpx.AsyncClient, q: str, **options: Any) -> list[str]:
    return [hit["title"] for hit in (await find(client, q, **options))["items"]]


@pytest.mark.parametrize(
    ("q", "first"),
    [
        ("Abbey Road", "Abbey Road"),
        ("abb", "Abbey Road"),
        ("road abbey", "Abbey Road"),
        ("abbey road beatles", "Abbey Road"),
        ("beatles", "The Beatles"),
        ("BJORK", "Björk"),
        ("björk", "Björk"),
        ("joao gil", "João Gilberto"),
        ("garota de ipanema", "Garota de Ipanema"),
        ("земфира", "Земфира"),
        ("ЗЕМ", "Земфира"),
        ("алена", "Алёна Свиридова"),
        ("алёна", "Алёна Свиридова"),
        ("йор", "Йорш"),
        ("sgt peppers", "Sgt. Pepper's Lonely Hearts Club Band"),
        ("sgt. pepper’s", "Sgt. Pepper's Lonely Hearts Club Band"),
        ("ac/dc", "AC/DC"),
        ("rem", "R.E.M."),
        ("r.e.m.", "R.E.M."),
        ("÷", "÷"),
        ("agaetis", "Ágætis byrjun"),
    ],
)
async def test_what_is_meant_comes_first(client: httpx.AsyncClient, q: str, first: str) -> None:
    found = await find(client, q)
    assert found["items"][0]["title"] == first
    assert found["corrected"] is None


@pytest.mark.parametrize(
    ("q", "first", "corrected"),
    [
        ("abey road", "Abbey Road", "abbey road"),
        ("beatels", "The Beatles", "beatles"),
        ("metalica", "Metallica", "metallica"),
        ("mettalica", "Metallica", "metallica"),
        ("metallcia", "Metallica", "metallica"),
        ("mtealica", "Metallica", "metallica"),
        ("homgenic", "Homogenic", "homogenic"),
        ("gartoa ipanema", "Garota de Ipanema", "garota ipanema"),
        ("joão gliberto", "João Gilberto", "joao gilberto"),
        ("chega de sauade", "Chega de Saudade", "chega de saudade"),
        ("земфиа", "Земфира", "земфира"),
        ("фломинго", "Розовый фламинго", "фламинго"),
        ("acdc", "AC/DC", "ac dc"),
        ("rad wimps", "RADWIMPS", "radwimps"),
        ("bornpink", "Born Pink", "born pink"),
        ("beatles qqqqqqqqq", "The Beatles", "beatles"),
    ],
)
async def test_typos_are_forgiven(client: httpx.AsyncClient, q: str, first: str, corrected: str) -> None:
    found = await find(client, q)
    assert found["items"][0]["title"] == first
    assert found["corrected"] == corrected


@pytest.mark.parametrize("q", ["qqqqqqqqq", "'", "&|!:*", "   ", "\\", "%_", "''''", "(abbey", "a:*B"])
async def test_signs_do_no_harm(client: httpx.AsyncClient, q: str) -> None:
    assert (await client.get("/search", params={"q": q})).status_code in {200, 422}


async def test_nothing_found(client: httpx.AsyncClient) -> None:
    assert await find(client, "qqqqqqqqq") == {"items": [], "corrected": None}
    assert await find(client, "1492834759") == {"items": [], "corrected": None}


async def test_input_is_checked(client: httpx.AsyncClient) -> None:
    for params in ({}, {"q": ""}, {"q": "a" * 201}, {"q": "a", "kind": "song"}, {"q": "a", "limit": 51}, {"q": "a\0"}):
        assert (await client.get("/search", params=params)).status_code == 422, params


async def test_hits_have_what_draws_them(
    curator: Person, people: People, client: httpx.AsyncClient, infra: Infra
) -> None:
    word = letters()
    artist = await add_artist(curator, f"{word} one")
    album = await add_album(curator, f"{word} two", artist=artist, year=1971)
    track = await add_track(curator, f"{word} three", artist=artist, album_id=album["id"])
    person = await people.make(word[:8], avatar_key="avatars/a.webp")
    await changed(infra, person)
    (of_person,) = (await find(client, person.username))["items"]
    assert of_person == {
        "kind": "person",
        "id": str(person.id),
        "title": word[:8].title(),
        "subtitle": person.username,
        "image_key": "avatars/a.webp",
        "year": None,
    }
    hits = {hit["kind"]: hit for hit in (await find(client, word))["items"]}
    drawn = {kind: (hit["id"], hit["subtitle"], hit["year"]) for kind, hit in hits.items()}
    assert drawn == {
        "artist": (artist["id"], None, None),
        "album": (album["id"], artist["name"], 1971),
        "track": (track["id"], artist["name"], 1971),
    }
    assert (hits["artist"]["id"], hits["artist"]["subtitle"], hits["artist"]["year"]) == (artist["id"], None, None)
    assert (hits["album"]["id"], hits["album"]["subtitle"], hits["album"]["year"]) == (
        album["id"],
        artist["name"],
        1971,
    )
    assert (hits["track"]["id"], hits["track"]["subtitle"], hits["track"]["year"]) == (
        track["id"],
        artist["name"],
        1971,
    )


async def test_one_kind(curator: Person, client: httpx.AsyncClient) -> None:
    word = letters()
    artist = await add_artist(curator, word)
    await add_album(curator, word, artist=artist)
    await add_track(curator, word, artist=artist)
    for kind in ("artist", "album", "track"):
        assert [hit["kind"] for hit in (await find(client, word, kind=kind))["items"]] == [kind]
    assert (await find(client, word, kind="person"))["items"] == []
    assert len((await find(client, word, limit=2))["items"]) == 2


async def test_the_best_come_first(curator: Person, client: httpx.AsyncClient) -> None:
    word, artist = letters(), await add_artist(curator)
    names = [f"{word}ish", f"{word} exactly not", f"Not {word}", word]
    for name in names:
        await add_album(curator, name, artist=artist)
    named = await add_artist(curator, unique(word))
    await add_track(curator, "Something", artist=named)
    found = await titles(client, word)
    assert found[0] == word
    assert found[-1] == "Something"
    assert found.index(f"{word} exactly not") < found.index(f"{word}ish")


async def test_of_equals_the_more_popular_comes_first(curator: Person, client: httpx.AsyncClient) -> None:
    title, artist = unique("Equal"), await add_artist(curator)
    made = [await add_track(curator, title, artist=artist, popularity=popularity) for popularity in (10, 90, 50)]
    hits = (await find(client, title))["items"]
    assert [hit["id"] for hit in hits] == [made[1]["id"], made[2]["id"], made[0]["id"]]


async def test_it_keeps_up_with_edits(curator: Person, client: httpx.AsyncClient) -> None:
    old, new, title = letters(), letters(), unique("Work")
    artist = await add_artist(curator, old)
    album = await add_album(curator, title, artist=artist)
    track = await add_track(curator, title, artist=artist)
    await curator.patch(f"/artists/{artist['id']}", json={"name": new})
    assert await titles(client, old) == []
    assert (await titles(client, new))[0] == new
    assert {hit["id"] for hit in (await find(client, f"{title} {new}"))["items"]} == {album["id"], track["id"]}
    renamed = unique("Renamed")
    await curator.patch(f"/albums/{album['id']}", json={"title": renamed})
    assert await titles(client, renamed) == [renamed]
    await curator.delete(f"/albums/{album['id']}")
    await curator.delete(f"/tracks/{track['id']}")
    assert await titles(client, new) == [new]


async def test_a_search_takes_few_statements(client: httpx.AsyncClient, infra: Infra) -> None:
    for q, most in (("beatles", 2), ("abey road", 4), ("qqqqqqqqq", 2)):
        async with queries(infra) as ran:
            await search(infra.db.reader, None, q=q)
        assert ran[0] <= most, q


async def changed(infra: Infra, *people: Person) -> None:
    async with infra.db.write() as db:
        for person in people:
            await emit(db, PersonChanged(user_id=person.id))
    await drain(infra)


async def test_people_are_found_as_far_as_they_let(people: People, client: httpx.AsyncClient, infra: Infra) -> None:
    name = letters()[:10]
    ana, fan = await people.make(name), await people.make("fan")
    open_one, shy = await people.make(name), await people.make(name, profile_visibility="followers")
    hidden = await people.make(name, profile_visibility="me")
    await changed(infra, ana, open_one, shy, hidden)

    async def seen(who: httpx.AsyncClient) -> set[str]:
        return {hit["id"] for hit in (await find(who, name, kind="person"))["items"]}

    assert await seen(client) == {str(ana.id), str(open_one.id)}
    assert await seen(hidden) == {str(ana.id), str(open_one.id), str(hidden.id)}
    async with infra.db.write() as db:
        db.add(Follow(follower_id=fan.id, followed_id=shy.id))
        db.add(Block(blocker_id=open_one.id, blocked_id=fan.id))
    assert await seen(fan) == {str(ana.id), str(shy.id)}
    assert await seen(open_one) == {str(ana.id), str(open_one.id)}


async def test_people_are_found_by_new_names_and_not_when_they_left(
    people: People, client: httpx.AsyncClient, infra: Infra
) -> None:
    name, ana = letters(), await people.make("ana")
    async with infra.db.write() as db:
        user = await db.get_one(User, ana.id)
        user.display_name = f"Ñandú {name}"
    await changed(infra, ana)
    assert await titles(client, f"nandu {name}") == [f"Ñandú {name}"]
    async with infra.db.write() as db:
        user = await db.get_one(User, ana.id)
        user.deleted_at = user.created_at
    assert await titles(client, name) == []
    async with infra.db.write() as db:
        await emit(db, AccountDeleted(user_id=ana.id, keep_content=True))
    await drain(infra)
    assert await titles(client, name) == []


async def test_a_rebuilt_index_finds_the_same(fresh: Any) -> None:
    infra: Infra = fresh.state.infra
    async with People(fresh) as people, infra.db.write() as db:
        await people.make("ana")
        rows = [TrackRow(title=f"Common {i}", artist="Somebody", spotify_track_id=spotify_id()) for i in range(300)]
        await upsert_tracks(db, [*rows, TrackRow(title="Águas de Março", artist="Elis", spotify_track_id=spotify_id())])
    asked = ["common", "c", "com 7", "aguas", "agaus de marco", "elis", "ana", "somebody common 12"]
    await changed_everybody(infra)
    before = [(await search(infra.db.reader, None, q=q, limit=50)).model_dump() for q in asked]
    await rebuild_search(infra.settings.database_url)
    assert [(await search(infra.db.reader, None, q=q, limit=50)).model_dump() for q in asked] == before
    await refresh_search(infra.settings.database_url)
    assert all(hits["items"] for hits in before)


async def changed_everybody(infra: Infra) -> None:
    async with infra.db.write() as db:
        for row in await infra.db.reader.records("SELECT id FROM users", []):
            await emit(db, PersonChanged(user_id=row["id"]))
    await drain(infra)


async def test_common_beginnings_find_the_famous(fresh: Any) -> None:
    """With thousands of matches the way leads over the famous; the exact name is found all the same."""
    infra: Infra = fresh.state.infra
    rows = [
        TrackRow(title=f"An {letters()}", artist="Many", spotify_track_id=spotify_id(), popularity=i % 90)
        for i in range(1500)
    ]
    last = TrackRow(title="A", artist="Few", spotify_track_id=spotify_id(), popularity=1)
    famous = TrackRow(title="About You", artist="Few", spotify_track_id=spotify_id(), popularity=99)
    async with infra.db.write() as db:
        await upsert_tracks(db, [*rows, last, famous])
    await rebuild_search(infra.settings.database_url)
    hits = (await search(infra.db.reader, None, q="a", limit=10)).items
    assert len(hits) == 10
    assert hits[0].title == "A"
    assert "About You" in [hit.title for hit in hits[:3]]
    assert (await search(infra.db.reader, None, q="a few")).items[0].title == "A"


async def test_night_brings_fame(curator: Person, people: People, client: httpx.AsyncClient, infra: Infra) -> None:
    title, artist = unique("Liked"), await add_artist(curator)
    first, second = await add_album(curator, title, artist=artist), await add_album(curator, title, artist=artist)
    worse = (await find(client, title))["items"][1]["id"]
    for _ in range(2):
        await (await people.make("fan")).put(f"/albums/{worse}/like")
    await refresh_search(infra.settings.database_url)
    assert next(hit["id"] for hit in (await find(client, title))["items"]) == worse
    assert worse in {first["id"], second["id"]}
