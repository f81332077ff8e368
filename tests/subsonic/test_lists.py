"""Lists of albums and songs, in the orders and parts that clients ask for."""

from typing import Any

import pytest
from fastapi import FastAPI

from app.catalog.models import Album, Track
from app.core.infra import Infra
from tests.people import People, Person, queries
from tests.subsonic.factories import Player, make_album, make_player, make_song, unique

Made = list[tuple[Album, Track]]


@pytest.fixture
async def ana(people: People) -> Person:
    return await people.make("ana")


@pytest.fixture
async def player(app: FastAPI, ana: Person) -> Player:
    return await make_player(app, ana)


@pytest.fixture
async def made(infra: Infra, ana: Person) -> Made:
    """Three albums of a year that nothing else is from, the names in the order c, a, b."""
    albums = [
        await make_album(infra, artist=unique(name[::-1]), title=unique(name), year=1200 + place, genres=["lute"])
        for place, name in enumerate(("cx", "ay", "bz"))
    ]
    return [(album, await make_song(infra, album, owner=ana.id, visibility="private")) for album in albums]


async def listed(player: Player, kind: str, **more: Any) -> list[str]:
    albums = (await player.ask("getAlbumList2", type=kind, size=500, **more))["albumList2"]["album"]
    return [album["id"] for album in albums]


def only(made: Made, found: list[str]) -> list[int]:
    """Which of the three, in the order in which they stand."""
    places = {str(album.id): place for place, (album, _) in enumerate(made)}
    return [places[album_id] for album_id in found if album_id in places]


@pytest.mark.parametrize(
    ("order", "asked"),
    [
        ([2, 1, 0], {"kind": "newest"}),
        ([1, 2, 0], {"kind": "alphabeticalByName"}),
        ([0, 1, 2], {"kind": "alphabeticalByArtist"}),
        ([0, 1, 2], {"kind": "byYear", "fromYear": 1200, "toYear": 1202}),
        ([2, 1, 0], {"kind": "byYear", "fromYear": 1202, "toYear": 1200}),
        ([1], {"kind": "byYear", "fromYear": 1201, "toYear": 1201}),
        ([1, 2, 0], {"kind": "byGenre", "genre": "Lute"}),
        ([], {"kind": "starred"}),
        ([], {"kind": "highest"}),
        ([], {"kind": "frequent"}),
        ([], {"kind": "recent"}),
    ],
)
async def test_orders(player: Player, made: Made, infra: Infra, order: list[int], asked: dict[str, Any]) -> None:
    await player.ask("ping")
    async with queries(infra) as ran:
        found = await listed(player, **asked)
    assert ran == [1]
    assert only(made, found) == order


async def test_by_chance(player: Player, made: Made) -> None:
    orders = {tuple(only(made, await listed(player, "random"))) for _ in range(30)}
    assert all(sorted(order) == [0, 1, 2] for order in orders)
    assert len(orders) > 1


async def test_parts_of_a_list(player: Player, made: Made) -> None:
    whole = await listed(player, "alphabeticalByName")
    parts = []
    for offset in range(0, len(whole) + 2, 2):
        answer = await player.ask("getAlbumList", type="alphabeticalByName", size=2, offset=offset)
        parts += [album["id"] for album in answer["albumList"]["album"]]
    assert parts == whole
    assert all(isinstance(album["isDir"], bool) for album in answer["albumList"]["album"])


@pytest.mark.parametrize(
    ("parameters", "number"),
    [
        ({}, 10),
        ({"type": "byYearDown"}, 0),
        ({"type": "bySize"}, 0),
        ({"type": "byYear"}, 10),
        ({"type": "byGenre"}, 10),
        ({"type": "newest", "size": "many"}, 0),
        ({"type": "newest", "offset": "1.5"}, 0),
    ],
)
async def test_lists_that_nobody_knows(player: Player, parameters: dict[str, str], number: int) -> None:
    assert await player.fails("getAlbumList2", **parameters) == number


async def test_sizes_are_held_to_what_is_possible(player: Player, made: Made) -> None:
    for size, offset in ((-1, 0), (10**12, 0), (10, -5), (10, 10**15)):
        await player.ask("getAlbumList2", type="newest", size=size, offset=offset)


async def test_what_is_liked_and_heard(player: Player, made: Made) -> None:
    await player.ask("star", albumId=[str(made[2][0].id), str(made[0][0].id)])
    await player.ask("setRating", id=str(made[1][0].id), rating=5)
    await player.ask("setRating", id=str(made[0][0].id), rating=2)
    for place, when in ((0, 1_700_000_000_000), (1, 1_700_000_300_000), (0, 1_700_000_600_000)):
        await player.ask("scrobble", id=str(made[place][1].id), time=when)
    assert sorted(only(made, await listed(player, "starred"))) == [0, 2]
    assert only(made, await listed(player, "highest")) == [1, 0]
    assert only(made, await listed(player, "frequent")) == [0, 1]
    assert only(made, await listed(player, "recent")) == [0, 1]


async def test_songs_by_chance(player: Player, made: Made, infra: Infra) -> None:
    await player.ask("ping")
    async with queries(infra) as ran:
        answer = await player.ask("getRandomSongs", size=200, fromYear=1201, toYear=1202, genre="lute")
    assert ran == [1]
    found = {song["id"] for song in answer["randomSongs"]["song"]}
    assert found >= {str(made[1][1].id), str(made[2][1].id)}
    assert str(made[0][1].id) not in found
    assert len((await player.ask("getRandomSongs", size=1))["randomSongs"]["song"]) == 1


async def test_songs_of_a_genre_in_parts(player: Player, infra: Infra, ana: Person) -> None:
    genre = unique("genre").lower()
    album = await make_album(infra, genres=[genre])
    songs = [await make_song(infra, album, owner=ana.id, position=place) for place in range(1, 6)]
    found = []
    for offset in (0, 2, 4):
        answer = await player.ask("getSongsByGenre", genre=genre, count=2, offset=offset)
        found += [song["id"] for song in answer["songsByGenre"]["song"]]
    assert found == [str(song.id) for song in songs]


async def test_the_best_of_an_artist(player: Player, infra: Infra, ana: Person) -> None:
    album = await make_album(infra, artist=(name := unique("Best")))
    first, second = [await make_song(infra, album, owner=ana.id) for _ in range(2)]
    await player.ask("star", id=str(second.id))
    answer = await player.ask("getTopSongs", artist=name.upper())
    assert [song["id"] for song in answer["topSongs"]["song"]] == [str(second.id), str(first.id)]


async def test_more_like_it(player: Player, infra: Infra, ana: Person) -> None:
    genre = unique("genre").lower()
    album, other = await make_album(infra, genres=[genre]), await make_album(infra, genres=[genre])
    song, near = await make_song(infra, album, owner=ana.id), await make_song(infra, other, owner=ana.id)
    for thing in (song.id, album.id, album.artist_id):
        for call, name in (("getSimilarSongs", "similarSongs"), ("getSimilarSongs2", "similarSongs2")):
            answer = await player.ask(call, id=str(thing))
            assert {entry["id"] for entry in answer[name]["song"]} == {str(song.id), str(near.id)}


async def test_search(player: Player, infra: Infra, ana: Person) -> None:
    mark = unique("q").replace(" ", "")
    album = await make_album(infra, artist=f"Björk {mark}", title=f"Débuts of {mark}")
    song = await make_song(infra, album, owner=ana.id, title="Vénus, as a Boy")
    await make_song(infra, None, owner=ana.id, title=f"Other {mark}", visibility="private")
    await player.ask("ping")
    async with queries(infra) as ran:
        found = (await player.ask("search3", query=f"bjork {mark[:8]}"))["searchResult3"]
    assert ran == [3]
    assert [entry["id"] for entry in found["artist"]] == [str(album.artist_id)]
    assert [entry["id"] for entry in found["album"]] == [str(album.id)]
    assert [entry["id"] for entry in found["song"]] == [str(song.id)]
    found = (await player.ask("search2", query=f"venus boy {mark}", albumCount=0, artistCount=0))["searchResult2"]
    assert (found["artist"], found["album"]) == ([], [])
    assert [entry["title"] for entry in found["song"]] == ["Vénus, as a Boy"]
    assert (await player.ask("search3", query=f"enus {mark}"))["searchResult3"]["song"] == [], "words begin so"


async def test_own_names_come_before_those_of_albums(player: Player, infra: Infra, ana: Person) -> None:
    mark = unique("q").replace(" ", "")
    album = await make_album(infra, title=f"A {mark}")
    await make_song(infra, album, owner=ana.id, title="Aa")
    named = await make_song(infra, None, owner=ana.id, title=f"Zz {mark}")
    found = (await player.ask("search3", query=mark))["searchResult3"]["song"]
    assert next(entry["id"] for entry in found) == str(named.id)
    assert len(found) == 2


@pytest.mark.parametrize("query", ["", '""', "  "])
async def test_nothing_asks_for_everything(player: Player, made: Made, query: str) -> None:
    found: list[str] = []
    while True:
        answer = await player.ask(
            "search3", query=query, songCount=7, songOffset=len(found), albumCount=0, artistCount=0
        )
        part = [song["id"] for song in answer["searchResult3"]["song"]]
        if not part:
            break
        found += part
    assert len(found) == len(set(found))
    assert {str(song.id) for _, song in made} <= set(found)


@pytest.mark.parametrize("query", ["%", "_", "\\", "100%", "a' OR 1=1", "\x00"])
async def test_signs_mean_themselves(player: Player, query: str) -> None:
    await player.ask("search3", query=query)
