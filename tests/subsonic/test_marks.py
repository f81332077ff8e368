"""Stars, ratings, scrobbles, the play queue: what clients write."""

import time
from datetime import UTC, datetime
from itertools import chain
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.catalog.models import Album, Artist, Track
from app.compat.subsonic.models import PlayQueue, SubsonicRating, SubsonicStar
from app.core.infra import Infra
from app.core.job_runner import drain
from app.library.models import Listen
from app.users.service import delete_account
from tests.catalog.factories import add_artist
from tests.people import People, Person, queries
from tests.subsonic.factories import Player, make_album, make_player, make_song


@pytest.fixture
async def ana(people: People) -> Person:
    return await people.make("ana")


@pytest.fixture
async def player(app: FastAPI, ana: Person) -> Player:
    return await make_player(app, ana)


@pytest.fixture
async def album(infra: Infra) -> Album:
    return await make_album(infra)


@pytest.fixture
async def song(infra: Infra, ana: Person, album: Album) -> Track:
    return await make_song(infra, album, owner=ana.id)


async def likes(infra: Infra, entity: type[Album] | type[Track], thing_id: UUID) -> int | None:
    return await infra.db.reader.one(select(entity.like_count).where(entity.id == thing_id))


async def starred(player: Player) -> dict[str, list[str]]:
    told = (await player.ask("getStarred2"))["starred2"]
    return {kind: [thing["id"] for thing in things] for kind, things in told.items()}


async def test_stars_are_likes(player: Player, infra: Infra, ana: Person, album: Album, song: Track) -> None:
    await player.ask("star", id=str(song.id), albumId=str(album.id), artistId=str(album.artist_id))
    await player.ask("star", id=str(song.id))
    assert await likes(infra, Track, song.id) == 1
    assert await likes(infra, Album, album.id) == 1
    async with queries(infra) as ran:
        marked = await starred(player)
    assert ran == [3]
    assert marked == {"artist": [str(album.artist_id)], "album": [str(album.id)], "song": [str(song.id)]}
    liked = (await ana.get(f"/users/{ana.username}/liked-tracks")).json()["items"]
    assert [track["id"] for track in liked] == [str(song.id)]
    assert "starred" in (await player.ask("getSong", id=str(song.id)))["song"]
    assert "starred" in (await player.ask("getAlbum", id=str(album.id)))["album"]
    assert "starred" in (await player.ask("getArtist", id=str(album.artist_id)))["artist"]
    folders = (await player.ask("getStarred"))["starred"]
    assert folders["album"][0]["isDir"] is True
    await player.ask("unstar", id=str(song.id), albumId=str(album.id), artistId=str(album.artist_id))
    await player.ask("unstar", id=str(song.id))
    assert await starred(player) == {"artist": [], "album": [], "song": []}
    assert (await likes(infra, Track, song.id), await likes(infra, Album, album.id)) == (0, 0)


async def test_an_id_may_be_of_anything(player: Player, album: Album, song: Track) -> None:
    things = [str(song.id), str(album.id), str(album.artist_id)]
    await player.ask("star", id=things)
    assert sorted(chain(*(await starred(player)).values())) == sorted(things)


async def test_many_stars_cost_as_much_as_one(player: Player, infra: Infra, ana: Person, album: Album) -> None:
    songs = [await make_song(infra, album, owner=ana.id) for _ in range(20)]
    await player.ask("ping")
    counts = []
    for part in (songs[:1], songs[1:]):
        async with queries(infra) as ran:
            await player.ask("star", id=[str(song.id) for song in part])
        counts += ran
    assert counts[0] == counts[1] <= 6


async def test_stars_for_what_is_not_there(player: Player, people: People, infra: Infra, song: Track) -> None:
    other = await people.make("other")
    private = await make_song(infra, None, owner=other.id, visibility="private")
    assert await player.fails("star") == 10
    assert await player.fails("star", id=str(uuid4())) == 70
    assert await player.fails("star", id=str(private.id)) == 70
    assert await player.fails("star", id=[str(song.id), str(private.id)]) == 70
    assert await player.fails("setRating", id=str(private.id), rating=3) == 70
    assert await starred(player) == {"artist": [], "album": [], "song": []}


async def test_a_like_of_what_was_merged_is_one_of_what_stays(player: Player, infra: Infra, ana: Person) -> None:
    kept = await make_song(infra, None, owner=ana.id)
    gone = await make_song(infra, None, owner=ana.id, merged_into_id=kept.id)
    await player.ask("star", id=str(gone.id))
    assert (await starred(player))["song"] == [str(kept.id)]


async def test_ratings_are_ones_own(app: FastAPI, player: Player, people: People, album: Album, song: Track) -> None:
    other = await make_player(app, await people.make("other"))
    things = {"getSong": song.id, "getAlbum": album.id, "getArtist": album.artist_id}

    async def rating(who: Player, call: str) -> Any:
        answer = await who.ask(call, id=str(things[call]))
        return answer[call.removeprefix("get").lower()].get("userRating")

    for call, thing in things.items():
        for stars in (3, 5):
            await player.ask("setRating", id=str(thing), rating=stars)
        assert (await rating(player, call), await rating(other, call)) == (5, None)
        await player.ask("setRating", id=str(thing), rating=0)
        assert await rating(player, call) is None
    for bad in ("6", "-1", "x", ""):
        assert await player.fails("setRating", id=str(song.id), rating=bad) == 0
    assert await player.fails("setRating", id=str(song.id)) == 10


async def heard(infra: Infra, person: Person) -> list[Listen]:
    return await infra.db.reader.all(select(Listen).where(Listen.user_id == person.id).order_by(Listen.id))


async def test_a_scrobble_is_a_listen(player: Player, infra: Infra, ana: Person, song: Track) -> None:
    await player.ask("scrobble", id=str(song.id), time=1_700_000_000_123, submission="True", c="DSub")
    await player.ask("scrobble", id=str(song.id), time=1_700_000_000_900)
    (listen,) = await heard(infra, ana)
    assert (listen.track_id, listen.source, listen.client) == (song.id, "subsonic", "DSub")
    assert listen.listened_at == datetime.fromtimestamp(1_700_000_000, UTC)
    before = time.time()
    await player.ask("scrobble", id=str(song.id))
    *_, last = await heard(infra, ana)
    assert abs(last.listened_at.timestamp() - before) < 5


async def test_many_scrobbles_at_once(player: Player, infra: Infra, ana: Person, album: Album) -> None:
    songs = [await make_song(infra, album, owner=ana.id) for _ in range(10)]
    times = [1_700_000_000_000 + 300_000 * place for place in range(10)]
    await player.ask("ping")
    async with queries(infra) as ran:
        await player.ask("scrobble", id=[str(song.id) for song in songs], time=times)
    assert ran[0] <= 8
    assert [listen.track_id for listen in await heard(infra, ana)] == [song.id for song in songs]


@pytest.mark.parametrize(
    ("more", "number"),
    [
        ({"id": []}, 10),
        ({"time": ["1", "2"]}, 0),
        ({"time": "soon"}, 0),
        ({"time": "9" * 30}, 0),
        ({"time": "1000"}, 0),
        ({"time": "95617584000000"}, 0),
        ({"submission": "maybe"}, 0),
        ({"id": "01956ec6-f700-73a5-8c43-4797e00d8400"}, 70),
        ({"id": ["x"] * 600}, 70),
    ],
)
async def test_scrobbles_that_cannot_be(player: Player, song: Track, more: dict[str, Any], number: int) -> None:
    assert await player.fails("scrobble", **{"id": str(song.id), **more}) == number


async def test_who_plays_what(app: FastAPI, player: Player, people: People, ana: Person, song: Track) -> None:
    follower, stranger = await people.make("follower"), await people.make("stranger")
    assert (await follower.put(f"/users/{ana.username}/follow")).is_success
    await player.ask("scrobble", id=str(song.id), submission="false", c="Kitchen")
    for person, wanted in ((ana, 1), (follower, 1), (stranger, 0)):
        playing = (await (await make_player(app, person)).ask("getNowPlaying"))["nowPlaying"]["entry"]
        assert len(playing) == wanted
        if wanted:
            assert (playing[0]["id"], playing[0]["username"]) == (str(song.id), ana.username)
            assert (playing[0]["playerName"], playing[0]["minutesAgo"]) == ("Kitchen", 0)
    now = (await follower.get(f"/users/{ana.username}/now-playing")).json()["playing"]
    assert (now["source"], now["client"], now["track"]["id"]) == ("subsonic", "Kitchen", str(song.id))
    assert (await ana.patch("/users/me", json={"library_visibility": "me"})).is_success
    hidden = await (await make_player(app, follower)).ask("getNowPlaying")
    assert hidden["nowPlaying"]["entry"] == []


async def test_the_play_queue(player: Player, infra: Infra, ana: Person, album: Album) -> None:
    assert "playQueue" not in await player.ask("getPlayQueue")
    songs = [str((await make_song(infra, album, owner=ana.id)).id) for _ in range(3)]
    await player.ask("savePlayQueue", id=songs, current=songs[1], position=12_345, c="Phone")
    async with queries(infra) as ran:
        queue = (await player.ask("getPlayQueue"))["playQueue"]
    assert ran == [2]
    assert [song["id"] for song in queue["entry"]] == songs
    assert (queue["current"], queue["position"], queue["changedBy"]) == (songs[1], 12_345, "Phone")
    assert queue["username"] == ana.username
    await player.ask("savePlayQueueByIndex", id=[*songs, songs[0]], currentIndex=3, position=5)
    told = (await player.ask("getPlayQueueByIndex"))["playQueueByIndex"]
    assert (len(told["entry"]), told["currentIndex"], told["position"]) == (4, 3, 5)
    assert (await player.ask("getPlayQueue"))["playQueue"]["current"] == songs[0]
    await player.ask("savePlayQueue")
    assert "playQueue" not in await player.ask("getPlayQueue")


async def test_a_queue_without_what_has_gone(player: Player, infra: Infra, ana: Person, album: Album) -> None:
    songs = [await make_song(infra, album, owner=ana.id) for _ in range(3)]
    ids = [str(song.id) for song in songs]
    await player.ask("savePlayQueue", id=ids, current=ids[2], position=9)
    async with infra.db.write() as db:
        (await db.get_one(Track, songs[0].id)).audio_type = None
    told = (await player.ask("getPlayQueueByIndex"))["playQueueByIndex"]
    assert ([song["id"] for song in told["entry"]], told["currentIndex"], told["position"]) == (ids[1:], 1, 9)
    async with infra.db.write() as db:
        (await db.get_one(Track, songs[2].id)).audio_type = None
    told = (await player.ask("getPlayQueue"))["playQueue"]
    assert ([song["id"] for song in told["entry"]], told.get("current"), told["position"]) == (ids[1:2], None, 0)


async def test_queues_that_cannot_be(player: Player, song: Track, album: Album) -> None:
    assert await player.fails("savePlayQueue", id=str(song.id), current=str(album.id)) == 0
    assert await player.fails("savePlayQueueByIndex", id=str(song.id)) == 10
    assert await player.fails("savePlayQueueByIndex", id=str(song.id), currentIndex=1) == 10


async def test_marks_follow_what_is_merged(player: Player, people: People, infra: Infra) -> None:
    curator = await people.make("curator", role="curator")
    async with infra.db.write() as db:
        artists = [Artist(name=name, name_key=name) for name in ("twin one", "twin two")]
        db.add_all(artists)
        await db.flush()
        tracks = [
            Track(title="twin", title_key="twin", artist_id=artists[0].id, audio_type="audio/mpeg") for _ in range(2)
        ]
        db.add_all(tracks)
    await player.ask("setRating", id=str(tracks[0].id), rating=4)
    await player.ask("savePlayQueue", id=str(tracks[0].id), current=str(tracks[0].id))
    merged = await curator.post(f"/tracks/{tracks[0].id}/merge", json={"into": str(tracks[1].id)})
    assert merged.is_success, merged.text
    await drain(infra)
    assert (await player.ask("getSong", id=str(tracks[1].id)))["song"]["userRating"] == 4
    queue = (await player.ask("getPlayQueue"))["playQueue"]
    assert queue["current"] == str(tracks[1].id)


async def test_who_leaves_takes_it_along(infra: Infra, people: People, app: FastAPI, song: Track) -> None:
    leaver = await people.make("leaver")
    player = await make_player(app, leaver)
    await player.ask("setRating", id=str(song.id), rating=4)
    await player.ask("star", artistId=str(song.artist_id))
    await player.ask("savePlayQueue", id=str(song.id))
    async with infra.db.write() as db:
        await delete_account(db, leaver.id, keep_content=True)
    await drain(infra)
    for table in (PlayQueue, SubsonicRating, SubsonicStar):
        assert await infra.db.reader.all(select(table).where(table.user_id == leaver.id)) == []


async def test_marks_follow_an_artist_into_a_merge(ana: Person, infra: Infra, people: People) -> None:
    curator = await people.make("curator", role="curator")
    duplicate, kept = await add_artist(curator), await add_artist(curator)
    before, after = UUID(duplicate["id"]), UUID(kept["id"])
    async with infra.db.write() as db:
        db.add(SubsonicStar(user_id=ana.id, artist_id=before))
        db.add(SubsonicRating(user_id=ana.id, artist_id=before, rating=4))
    answer = await curator.post(f"/artists/{before}/merge", json={"into": kept["id"]})
    assert answer.status_code == 200, answer.text
    await drain(infra)
    for table in (SubsonicStar, SubsonicRating):
        assert await infra.db.reader.all(select(table.artist_id).filter_by(user_id=ana.id)) == [after]
