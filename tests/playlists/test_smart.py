"""Smart playlists: what rules choose, and how bad ones are refused."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.catalog.models import Album, Artist, Track
from app.core.infra import Infra
from app.core.text import name_key
from app.library.recording import Heard, record
from app.playlists.smart import MOST_COUNTED
from tests.people import People, Person, queries
from tests.playlists.factories import codes, entries_of, make_playlist, titles_of
from tests.reviews.factories import write_review

Rule = dict[str, Any]


class Shelf:
    """Six tracks that only these tests know, by a genre of their own."""

    def __init__(self, genre: str, tracks: dict[str, UUID], albums: dict[str, UUID]) -> None:
        self.genre, self.tracks, self.albums = genre, tracks, albums

    @property
    def here(self) -> Rule:
        return {"field": "genre", "op": "is", "value": self.genre.upper()}

    def rules(self, *conditions: Rule, **fields: Any) -> Rule:
        """Rules that choose among these alone."""
        rest = {"order": "title", "descending": False} | fields
        match = rest.pop("match", "all")
        group = [{"match": match, "conditions": list(conditions)}] if conditions else []
        return {"match": "all", "conditions": [self.here, *group], **rest}


ALBUMS = {"Old": (1955, "Café Trio"), "Mid": (1975, "Bela Duo"), "New": (2005, "Zed")}
TRACKS = {
    "a": ("Old", 0.9, 0.9, 100_000),
    "b": ("Old", 0.9, 0.1, 200_000),
    "c": ("Mid", 0.1, 0.1, 300_000),
    "d": ("Mid", 0.1, 0.9, 400_000),
    "e": ("New", None, None, None),
    "f": ("New", 0.8, 0.7, 500_000),
}


@pytest.fixture
async def shelf(infra: Infra) -> Shelf:
    genre, tracks, albums = f"genre {uuid4().hex[:8]}", {}, {}
    async with infra.db.write() as db:
        for title, (year, name) in ALBUMS.items():
            artist = Artist(name=name, name_key=name_key(name))
            db.add(artist)
            await db.flush()
            album = Album(title=title, title_key=title.lower(), artist_id=artist.id, year=year)
            db.add(album)
            await db.flush()
            albums[title] = album.id
            for number, (letter, (on, valence, energy, length)) in enumerate(TRACKS.items()):
                if on == title:
                    said = {"title": letter, "title_key": letter, "duration_ms": length, "genres": [genre]}
                    features = {"valence": valence, "energy": energy, "position": number}
                    track = Track(artist_id=artist.id, album_id=album.id, **said, **features)
                    db.add(track)
                    await db.flush()
                    tracks[letter] = track.id
    return Shelf(genre, tracks, albums)


async def chosen(person: Person, rules: Rule) -> str:
    answer = await person.post("/playlists/preview", json={"rules": rules})
    assert answer.status_code == 200, answer.text
    assert answer.json()["track_count"] == len(answer.json()["items"])
    return "".join(track["title"] for track in answer.json()["items"])


@pytest.mark.parametrize(
    ("field", "op", "said"),
    [
        ("year", "at_most", (1955, "ab")),
        ("year", "at_least", (1956, "cdef")),
        ("year", "is", (1975, "cd")),
        ("artist", "is", ("cafe trio", "ab")),
        ("artist", "is_not", ("CAFÉ TRIO", "cdef")),
        ("artist", "contains", ("ela", "cd")),
        ("album", "is", ("new", "ef")),
        ("title", "is", ("C", "c")),
        ("mood", "is", ("happy", "af")),
        ("mood", "is", ("calm", "b")),
        ("mood", "is", ("sad", "c")),
        ("mood", "is", ("tense", "d")),
        ("mood", "is_not", ("happy", "bcde")),
        ("duration", "at_least", (300, "cdf")),
        ("added", "within_days", (1, "abcdef")),
        ("added", "not_within_days", (1, "")),
        ("genre", "is", ("nothing like it", "")),
        ("genre", "is_not", ("nothing like it", "abcdef")),
        ("listens", "is", (0, "abcdef")),
        ("last_heard", "not_within_days", (5, "abcdef")),
        ("liked", "is", (False, "abcdef")),
        ("mean_rating", "at_least", (1, "")),
        ("rating", "at_least", (1, "")),
        ("popularity", "at_least", (1, "")),
        ("tempo", "at_most", (300, "")),
    ],
)
async def test_each_condition(people: People, shelf: Shelf, field: str, op: str, said: tuple[Any, str]) -> None:
    ana, (value, expected) = await people.make("ana"), said
    assert await chosen(ana, shelf.rules({"field": field, "op": op, "value": value})) == expected


async def test_conditions_about_the_owner(people: People, infra: Infra, shelf: Shelf) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    now = datetime.now(UTC)
    heard = [("a", 1), ("a", 2), ("a", 3), ("c", 40)]
    moments = [(shelf.tracks[name], now - timedelta(days=days)) for name, days in heard]
    listens = [Heard(user_id=ana.id, track_id=track, listened_at=moment) for track, moment in moments]
    async with infra.db.write() as db:
        await record(db, listens, source="lastfm")
    await ana.put(f"/tracks/{shelf.tracks['d']}/like")
    await write_review(ana, shelf.albums["New"], rating=9)
    await write_review(bob, shelf.albums["New"], rating=3)
    for field, op, value, expected in (
        ("listens", "at_least", 2, "a"),
        ("listens", "is", 1, "c"),
        ("last_heard", "within_days", 7, "a"),
        ("last_heard", "not_within_days", 7, "bcdef"),
        ("liked", "is", True, "d"),
        ("rating", "at_least", 8, "ef"),
        ("mean_rating", "is", 6, "ef"),
    ):
        assert await chosen(ana, shelf.rules({"field": field, "op": op, "value": value})) == expected, field
    assert await chosen(bob, shelf.rules({"field": "listens", "op": "at_least", "value": 1})) == ""
    rules = shelf.rules({"field": "listens", "op": "at_least", "value": 1})
    playlist_id = await make_playlist(ana, rules=rules, visibility="public")
    assert await titles_of(bob, playlist_id) == ["a", "c"], "the rules speak of the owner, whoever reads"
    copy = (await bob.post(f"/playlists/{playlist_id}/copy", json={})).json()
    assert (copy["kind"], await titles_of(bob, copy["id"])) == ("smart", []), "those of the copy of who copied it"
    frozen = (await bob.post(f"/playlists/{playlist_id}/copy", json={"frozen": True})).json()
    assert (frozen["kind"], await titles_of(bob, frozen["id"])) == ("manual", ["a", "c"])


async def test_groups_orders_and_limits(people: People, shelf: Shelf) -> None:
    ana = await people.make("ana")
    old, sad = {"field": "year", "op": "at_most", "value": 1955}, {"field": "mood", "op": "is", "value": "sad"}
    assert await chosen(ana, shelf.rules(old, sad, match="any")) == "abc"
    assert await chosen(ana, shelf.rules(old, sad)) == ""
    nested = {"match": "any", "conditions": [sad, {"match": "all", "conditions": [old, old]}]}
    assert await chosen(ana, {"conditions": [shelf.here, nested], "order": "title", "descending": True}) == "cba"
    assert set((await chosen(ana, shelf.rules(order="year", descending=True)))[:2]) == set("ef")
    assert await chosen(ana, shelf.rules(limit=2)) == "ab"


async def test_a_smart_playlist_is_read_in_pages_and_filled_by_its_rules_alone(
    people: People, infra: Infra, shelf: Shelf
) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    playlist_id = await make_playlist(ana, rules=shelf.rules(), visibility="public")
    path = f"/playlists/{playlist_id}"
    made = (await ana.get(path)).json()
    assert (made["kind"], made["track_count"], made["duration_ms"]) == ("smart", 6, 1_500_000)
    first = (await bob.get(f"{path}/entries", params={"limit": 4})).json()
    rest = (await bob.get(f"{path}/entries", params={"limit": 4, "cursor": first["next_cursor"]})).json()
    assert "".join(entry["title"] for entry in first["items"] + rest["items"]) == "abcdef"
    assert rest["next_cursor"] is None
    async with queries(infra) as ran:
        await bob.get(f"{path}/entries")
    assert ran[0] <= 3
    entry_id = first["items"][0]["id"]
    assert (
        codes(
            await ana.post(f"{path}/entries", json={"track_ids": [entry_id]}),
            await ana.post(f"{path}/move", json={"start": 0, "to": 1}),
            await ana.delete(f"{path}/entries/{entry_id}"),
        )
        == [(409, "playlist_is_smart")] * 3
    )
    changed = await ana.patch(path, json={"rules": shelf.rules({"field": "year", "op": "is", "value": 1975})})
    assert (changed.json()["track_count"], await titles_of(bob, playlist_id)) == (2, ["c", "d"])
    manual = await make_playlist(ana)
    assert codes(await ana.patch(f"/playlists/{manual}", json={"rules": shelf.rules()})) == [
        (409, "playlist_is_not_smart")
    ]


@pytest.mark.parametrize(
    ("conditions", "pointer"),
    [
        ([{"field": "colour", "op": "is", "value": "red"}], "/body/rules/conditions/0/field"),
        ([{"field": "year", "op": "contains", "value": 1}], "/body/rules/conditions/0/op"),
        ([{"field": "year", "op": "is", "value": "1959"}], "/body/rules/conditions/0/value"),
        ([{"field": "year", "op": "is", "value": True}], "/body/rules/conditions/0/value"),
        ([{"field": "year", "op": "is", "value": 1e300}], "/body/rules/conditions/0/value"),
        ([{"field": "title", "op": "is", "value": ""}], "/body/rules/conditions/0/value"),
        ([{"field": "title", "op": "is", "value": "a\x00"}], "/body/rules/conditions/0/value"),
        ([{"field": "mood", "op": "is", "value": "blue"}], "/body/rules/conditions/0/value"),
        ([{"field": "added", "op": "within_days", "value": 0}], "/body/rules/conditions/0/value"),
        ([{"field": "liked", "op": "is", "value": 1}], "/body/rules/conditions/0/value"),
        ([{"field": "year"}], "/body/rules/conditions/0"),
        ([{"match": "all", "conditions": []}], "/body/rules/conditions/0"),
        ([{"field": "year", "op": "is", "value": 1, "match": "all", "conditions": [{}]}], "/body/rules/conditions/0"),
        ([{"match": "any", "conditions": [{"field": "x"}]}], "/body/rules/conditions/0/conditions/0"),
        ([{"field": "year", "op": "is", "value": 1}] * 31, "/body/rules/conditions"),
    ],
)
async def test_bad_rules_are_refused_at_the_place(people: People, conditions: list[Rule], pointer: str) -> None:
    ana = await people.make("ana")
    for path, body in (("/preview", {}), ("", {"name": "Smart"})):
        answer = await ana.post(f"/playlists{path}", json=body | {"rules": {"conditions": conditions}})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_rules_are_neither_too_deep_nor_too_many(people: People) -> None:
    ana = await people.make("ana")
    one: Rule = {"field": "year", "op": "is", "value": 1}
    deep = one
    for _ in range(4):
        deep = {"match": "all", "conditions": [deep]}
    answer = await ana.post("/playlists/preview", json={"rules": {"conditions": [deep]}})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "too_deep")
    many = {"match": "all", "conditions": [one] * 20}
    answer = await ana.post("/playlists/preview", json={"rules": {"conditions": [many, many]}})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "too_many")
    abyss = one
    for _ in range(300):
        abyss = {"match": "all", "conditions": [abyss]}
    assert (await ana.post("/playlists/preview", json={"rules": {"conditions": [abyss]}})).status_code == 422


async def test_recordings_that_are_not_public_are_only_their_owners(people: People, infra: Infra, shelf: Shelf) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    async with infra.db.write() as db:
        sql = "UPDATE tracks SET owner_id = $1, visibility = 'private' WHERE id = $2"
        await db.records(sql, [ana.id, shelf.tracks["b"]])
    playlist_id = await make_playlist(ana, rules=shelf.rules(), visibility="public")
    assert "".join(await titles_of(ana, playlist_id)) == "abcdef"
    assert "".join(await titles_of(bob, playlist_id)) == "acdef"
    assert await chosen(bob, shelf.rules()) == "acdef"
    assert len(await entries_of(bob, playlist_id)) == (await bob.get(f"/playlists/{playlist_id}")).json()["track_count"]


async def test_followers_find_what_their_friends_recorded_for_them(people: People, infra: Infra, shelf: Shelf) -> None:
    ana, bob, eve, cal = [await people.make(name) for name in ("ana", "bob", "eve", "cal")]
    async with infra.db.write() as db:
        sql = "UPDATE tracks SET owner_id = $1, visibility = $2 WHERE id = $3"
        await db.records(sql, [ana.id, "followers", shelf.tracks["b"]])
        await db.records(sql, [ana.id, "public", shelf.tracks["c"]])
    playlist_id = await make_playlist(bob, rules=shelf.rules(), visibility="public")
    await bob.put(f"/users/{ana.username}/follow")
    await cal.put(f"/users/{ana.username}/block")
    heard = {"ana": "abcdef", "bob": "abcdef", "eve": "acdef", "cal": "adef"}
    for person, titles in zip((ana, bob, eve, cal), heard.values(), strict=True):
        assert await chosen(person, shelf.rules()) == "".join(await titles_of(person, playlist_id)) == titles
        assert (await person.get(f"/playlists/{playlist_id}")).json()["track_count"] == len(titles)
        tracks = [await person.get(f"/tracks/{shelf.tracks[letter]}") for letter in "bc"]
        assert [answer.status_code == 200 for answer in tracks] == [letter in titles for letter in "bc"]


async def test_ones_own_shelves_count_what_is_there_now(people: People, infra: Infra, shelf: Shelf) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    manual, empty = await make_playlist(ana, shelf.tracks["a"]), await make_playlist(ana, rules=shelf.rules(limit=1))
    rules = [shelf.rules(), shelf.rules({"field": "title", "op": "is", "value": "c"}), shelf.rules(limit=2)]
    every, one, two = [await make_playlist(ana, rules=some, visibility="public") for some in rules]
    for playlist_id in (every, one):
        await bob.put(f"/playlists/{playlist_id}/like")
    async with infra.db.write() as db:
        hide = "UPDATE tracks SET owner_id = $1, visibility = 'private' WHERE id = $2"
        await db.records(hide, [ana.id, shelf.tracks["c"]])
        await db.records("UPDATE tracks SET duration_ms = 50 WHERE id = $1", [shelf.tracks["a"]])
        await db.records("UPDATE tracks SET genres = '{}' WHERE id = $1", [shelf.tracks["f"]])
    for person, path, lists, expected in (
        (ana, "/playlists/mine", [two, one, every, empty, manual], [2, 1, 5, 1, 1]),
        (bob, "/playlists/liked", [one, every], [0, 4]),
    ):
        async with queries(infra) as ran:
            items = (await person.get(path)).json()["items"]
        assert ran == [3]
        assert [(item["id"], item["track_count"]) for item in items] == list(zip(lists, expected, strict=True))
        for item in items:
            if item["kind"] == "smart":
                read = (await person.get(f"/playlists/{item['id']}")).json()
                assert all(read[name] == item[name] for name in ("track_count", "duration_ms"))


async def test_a_condition_may_say_that_it_is_no_group(people: People) -> None:
    ana = await people.make("ana")
    condition = {"field": "year", "op": "is", "value": 1960, "conditions": []}
    answer = await ana.post("/playlists/preview", json={"rules": {"conditions": [condition]}})
    assert answer.status_code == 200, answer.text


async def test_of_very_many_smart_ones_the_first_are_counted(people: People, infra: Infra, shelf: Shelf) -> None:
    ana = await people.make("ana")
    for _ in range(MOST_COUNTED + 1):
        await make_playlist(ana, rules=shelf.rules())
    async with infra.db.write() as db:
        await db.records("UPDATE tracks SET genres = '{}' WHERE id = $1", [shelf.tracks["f"]])
    items = (await ana.get("/playlists/mine", params={"limit": 100})).json()["items"]
    assert [item["track_count"] for item in items] == [5] * MOST_COUNTED + [6]
