"""Tracks are found by the words of others: ids first, then names with the length."""

import time
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert

from app.catalog.matching import TOLERANCE_MS, Description, match_tracks
from app.catalog.models import Artist, Track
from app.core.auth import Principal
from app.core.ids import uuid7
from app.core.infra import Infra
from app.core.text import name_key
from tests.catalog.factories import add_album, add_artist, add_track, spotify_id, unique
from tests.people import People, Person, queries

_numbers = count()


async def match(infra: Infra, described: Description, actor: Principal | None = None) -> str | None:
    (found,) = await match_tracks(infra.db.reader, actor, [described])
    return str(found) if found else None


def isrc() -> str:
    return f"XXMAT{next(_numbers):07}"


async def test_by_any_id(infra: Infra, curator: Person) -> None:
    ids = {"isrc": isrc(), "spotify_id": spotify_id(), "musicbrainz_id": str(uuid7())}
    track = await add_track(curator, **ids)
    for described in (
        Description(track_id=UUID(track["id"])),
        Description(isrc=ids["isrc"]),
        Description(spotify_id=ids["spotify_id"]),
        Description(musicbrainz_id=UUID(ids["musicbrainz_id"])),
        Description("Called otherwise", "By somebody", duration_ms=1, isrc=ids["isrc"]),
    ):
        assert await match(infra, described) == track["id"]


async def test_of_two_ids_the_more_trusted_decides(infra: Infra, curator: Person) -> None:
    one, other = await add_track(curator, isrc=isrc()), await add_track(curator, spotify_id=spotify_id())
    described = Description(isrc=one["isrc"], spotify_id=other["spotify_id"])
    assert await match(infra, described) == one["id"]


async def test_an_unknown_id_leaves_it_to_the_name(infra: Infra, curator: Person) -> None:
    artist = await add_artist(curator)
    track = await add_track(curator, "Sinnerman", artist=artist)
    assert await match(infra, Description("Sinnerman", artist["name"], isrc=isrc())) == track["id"]


async def test_by_name_without_case_accents_and_signs(infra: Infra, curator: Person) -> None:
    artist = await add_artist(curator, unique("Björk"))
    track = await add_track(curator, "It's Oh So Quiet!", artist=artist)
    assert await match(infra, Description("its oh so quiet", artist["name"].replace("ö", "o").upper())) == track["id"]


@pytest.mark.parametrize(
    "title",
    ["Song", "Song (feat. Ana)", "Song ft. Ana & Bo", "Song - Remastered 2011", "Song [Mono]"],
)
async def test_pressings_and_guests_do_not_matter(infra: Infra, curator: Person, title: str) -> None:
    artist = await add_artist(curator)
    track = await add_track(curator, "Song", artist=artist)
    assert await match(infra, Description(title, artist["name"])) == track["id"]
    assert await match(infra, Description(title, f"{artist['name']} feat. Ana")) == track["id"]
    assert await match(infra, Description(title, f"{artist['name']}, Ana")) == track["id"]


@pytest.mark.parametrize("title", ["Song (Live)", "Song - Live at Wembley", "Song (Acoustic)", "Song II", "So", ""])
async def test_other_versions_are_other_tracks(infra: Infra, curator: Person, title: str) -> None:
    artist = await add_artist(curator)
    await add_track(curator, "Song", artist=artist)
    assert await match(infra, Description(title, artist["name"])) is None


async def test_the_title_alone_says_too_little(infra: Infra, curator: Person) -> None:
    track = await add_track(curator)
    assert await match(infra, Description(track["title"])) is None
    assert await match(infra, Description(track["title"], unique("Somebody else"))) is None


async def test_the_length_must_fit(infra: Infra, curator: Person) -> None:
    artist = await add_artist(curator)
    track = await add_track(curator, "Song", artist=artist, duration_ms=200_000)

    async def found(duration_ms: int | None) -> bool:
        return await match(infra, Description("Song", artist["name"], duration_ms=duration_ms)) == track["id"]

    assert [await found(200_000 + TOLERANCE_MS), await found(200_000 - TOLERANCE_MS), await found(None)] == [True] * 3
    assert [await found(200_001 + TOLERANCE_MS), await found(199_999 - TOLERANCE_MS)] == [False] * 2


async def test_of_several_the_nearest_in_album_and_length(infra: Infra, curator: Person) -> None:
    artist = await add_artist(curator)
    album = await add_album(curator, "The one", artist=artist)
    on_album = await add_track(curator, "Song", artist=artist, album_id=album["id"], duration_ms=203_000)
    alone = await add_track(curator, "Song", artist=artist, duration_ms=200_500)
    edition = await add_track(curator, "Song (Remastered)", artist=artist, duration_ms=200_000)
    of = {"artist": artist["name"], "duration_ms": 200_000}
    assert await match(infra, Description("Song", album="the one", **of)) == on_album["id"]
    assert await match(infra, Description("Song", **of)) == alone["id"]
    assert await match(infra, Description("Song (Remastered)", **of)) == edition["id"]


async def test_duplicates_lead_to_the_one_that_stays(infra: Infra, people: People, curator: Person) -> None:
    artist, double = await add_artist(curator), await add_artist(curator)
    kept = await add_track(curator, "Song", artist=artist)
    gone = await add_track(curator, "Song", artist=artist)
    merged = await curator.post(f"/tracks/{gone['id']}/merge", json={"into": kept["id"]})
    assert merged.status_code == 200, merged.text
    assert await match(infra, Description(track_id=UUID(gone["id"]))) == kept["id"]
    assert (await curator.post(f"/artists/{double['id']}/merge", json={"into": artist["id"]})).status_code == 200
    assert await match(infra, Description("Song", double["name"])) == kept["id"]


async def add_upload(infra: Infra, owner: Person, visibility: str, artist: dict[str, Any]) -> UUID:
    """A track that somebody uploaded, straight in the database."""
    values = {"artist_id": UUID(artist["id"]), "owner_id": owner.id, "visibility": visibility, "isrc": isrc()}
    track = Track(id=uuid7(), title="Demo", title_key="demo", **values)
    async with infra.db.write() as db:
        db.add(track)
    return track.id


async def test_nobody_finds_what_they_may_not_hear(infra: Infra, people: People, curator: Person) -> None:
    owner, other = await people.make("owner"), await people.make("other")
    artist = await add_artist(curator)
    hidden = await add_upload(infra, owner, "private", artist)
    mine, theirs = Principal(owner.id, uuid7()), Principal(other.id, uuid7())
    for described in (Description(track_id=hidden), Description("Demo", artist["name"])):
        assert await match(infra, described, mine) == str(hidden)
        assert await match(infra, described, theirs) is None
        assert await match(infra, described) is None


async def test_the_catalogue_comes_before_uploads(infra: Infra, people: People, curator: Person) -> None:
    owner = await people.make("owner")
    artist = await add_artist(curator)
    shared = await add_upload(infra, owner, "public", artist)
    assert await match(infra, Description("Demo", artist["name"])) == str(shared)
    track = await add_track(curator, "Demo", artist=artist)
    assert await match(infra, Description("Demo", artist["name"])) == track["id"]


async def test_ten_thousand_take_two_statements_and_little_time(infra: Infra) -> None:
    artists = [Artist(id=uuid7(), name=(name := unique("A")), name_key=name_key(name)) for _ in range(200)]
    tracks = [
        {
            "id": uuid7(),
            "title": f"Title {number}",
            "title_key": f"title {number}",
            "artist_id": artists[number % 200].id,
            "isrc": isrc() if number % 2 else None,
            "duration_ms": 200_000,
        }
        for number in range(6000)
    ]
    async with infra.db.write() as db:
        db.add_all(artists)
        await db.flush()
        await db.execute(insert(Track), tracks)
    described = [
        Description(isrc=track["isrc"])
        if track["isrc"]
        else Description(f"{track['title']} (feat. X)", artists[number % 200].name, "Y", 201_000)
        for number, track in enumerate(tracks)
    ]
    described += [Description(f"Unknown {number}", f"Nobody {number}, X", isrc=isrc()) for number in range(4000)]
    async with queries(infra) as ran:
        started = time.perf_counter()
        found = await match_tracks(infra.db.reader, None, described)
        seconds = time.perf_counter() - started
    assert ran == [2]
    assert found == [track["id"] for track in tracks] + [None] * 4000
    assert seconds < 10  # well below one on a machine that is not busy


async def test_nothing_costs_nothing(infra: Infra) -> None:
    async with queries(infra) as ran:
        assert await match_tracks(infra.db.reader, None, []) == []
        assert await match_tracks(infra.db.reader, None, [Description("No artist")]) == [None]
    assert ran == [0]
