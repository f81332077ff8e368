"""Merges of artists to whom people upload: a person's albums of one name become one, and nothing of them is lost."""

import asyncio
import random
from itertools import pairwise
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from sqlalchemy import func, select, update

from app.catalog.models import Album, Artist, Track
from app.compat.subsonic.models import SubsonicRating
from app.core.infra import Infra
from app.core.job_runner import drain
from tests.catalog.factories import unique
from tests.library.factories import hear, listened
from tests.people import People, Person
from tests.playlists.factories import entries_of, make_playlist
from tests.promises.invariants import broken
from tests.reviews.factories import write_review
from tests.uploads.factories import track_of, upload

Body = dict[str, Any]


async def merge(curator: Person, duplicate_id: str, into: str) -> Body:
    answer = await curator.post(f"/artists/{duplicate_id}/merge", json={"into": into})
    assert answer.status_code == 200, answer.text
    body: Body = answer.json()
    return body


async def titles(person: Person, album_id: str) -> list[tuple[int, str]]:
    album = (await person.get(f"/albums/{album_id}")).json()
    return [(track["position"], track["title"]) for track in album["tracks"]]


async def test_nothing_is_lost_when_albums_of_one_name_are_joined(fresh: FastAPI) -> None:
    infra: Infra = fresh.state.infra
    async with People(fresh) as people:
        ana, ben, cleo = [await people.make(name) for name in ("ana", "ben", "cleo")]
        curator = await people.make("curator", role="curator")
        public: Body = {"visibility": "public", "album": "Demo"}
        of_kept = await track_of(fresh, ana, artist="The Band", title="Song", **public)
        of_gone = [await track_of(fresh, ana, artist="Band", title=title, **public) for title in ("Song", "Other")]
        secret = await track_of(fresh, ana, artist="Band", title="Secret", visibility="private", album="Demo")
        kept, gone = of_kept["album"]["id"], of_gone[0]["album"]["id"]
        tracks = [of_kept, *of_gone, secret]

        for person, path in ((ben, f"albums/{gone}"), (ben, f"albums/{kept}"), (cleo, f"albums/{gone}")):
            assert (await person.put(f"/{path}/like")).status_code == 200
        for track in of_gone:
            assert (await ben.put(f"/tracks/{track['id']}/like")).status_code == 200
            assert (await ben.post(f"/tracks/{track['id']}/comments", json={"text": "Yes!"})).status_code == 201
            await hear(infra, ben, UUID(track["id"]), 100 * len(track["title"]))
        reviews = [await write_review(ben, UUID(kept)), await write_review(cleo, UUID(gone), rating=9)]
        playlist_id = await make_playlist(ana, *(UUID(track["id"]) for track in tracks))
        entries = await entries_of(ana, playlist_id)
        async with infra.db.write() as db:
            db.add(SubsonicRating(user_id=ben.id, album_id=UUID(gone), rating=4))
            shown = update(Album).where(Album.id == UUID(gone))
            await db.execute(shown.values(cover_key="covers/ab/cdef", label="Home", genres=["folk"]))
        before = await listened(infra, ben)

        merged = await merge(curator, of_gone[0]["artist"]["id"], of_kept["artist"]["id"])
        await drain(infra)

        assert merged["album_count"] == 1
        assert await titles(ana, kept) == [(1, "Song"), (2, "Song"), (3, "Other"), (4, "Secret")]
        assert await titles(ben, kept) == [(1, "Song"), (2, "Song"), (3, "Other")]
        album = (await ben.get(f"/albums/{kept}")).json()
        assert (album["like_count"], album["liked"], album["label"], album["genres"]) == (2, True, "Home", ["folk"])
        assert album["artist"]["id"] == of_kept["artist"]["id"]
        assert await infra.db.reader.one(select(Album.cover_key).where(Album.id == UUID(kept))) == "covers/ab/cdef"
        for review in reviews:
            assert (await ben.get(f"/reviews/{review['id']}")).json()["album"]["id"] == kept
        assert await infra.db.reader.all(select(SubsonicRating.album_id).filter_by(user_id=ben.id)) == [UUID(kept)]
        for track in of_gone:
            now = (await ben.get(f"/tracks/{track['id']}")).json()
            assert (now["like_count"], now["liked"], now["play_count"], now["comment_count"]) == (1, True, 1, 1)
        assert await listened(infra, ben) == before
        still = await entries_of(ana, playlist_id)
        assert [(it["id"], it["track"]["id"]) for it in still] == [(it["id"], it["track"]["id"]) for it in entries]
        for track in tracks:
            assert (await ana.get(f"/tracks/{track['id']}/stream")).status_code == 200
        assert (await ben.get(f"/tracks/{secret['id']}")).status_code == 404
        answer = await ben.get(f"/albums/{gone}")
        assert (answer.status_code, answer.json()["kept_id"]) == (308, kept)
        assert len((await ana.get("/uploads?state=ready")).json()["items"]) == 4
        assert await broken(infra.db.reader) == {}

        again = await track_of(fresh, ana, artist="Band", title="New", **public)
        assert (again["album"]["id"], again["artist"]["id"]) == (kept, of_kept["artist"]["id"])


async def test_what_is_listed_stays_listed_and_what_followers_know_leads_on(app: FastAPI, people: People) -> None:
    ana, ben, curator = await people.make("ana"), await people.make("ben"), await people.make("c", role="curator")
    assert (await ben.put(f"/users/{ana.username}/follow")).status_code in (200, 204)
    name, visibilities = unique("Band"), {"Demo": ("public", "followers"), "Live": ("followers", "followers")}
    made = {
        (artist, album): await track_of(app, ana, artist=artist, album=album, visibility=visibility)
        for album, both in visibilities.items()
        for artist, visibility in zip((name, f"The {name}"), both, strict=True)
    }
    await track_of(app, ana, artist=f"The {name}", visibility="public")
    gone, kept = (made[artist, "Demo"]["album"]["id"] for artist in (name, f"The {name}"))
    artist_id = made[f"The {name}", "Demo"]["artist"]["id"]
    assert (await curator.get(f"/albums/{kept}")).status_code == 404
    merged = await merge(curator, made[name, "Demo"]["artist"]["id"], artist_id)
    assert merged["album_count"] == 1
    assert (await curator.get(f"/albums/{gone}")).json()["kept_id"] == kept
    tracks = (await curator.get(f"/albums/{kept}")).json()["tracks"]
    assert [track["id"] for track in tracks] == [made[name, "Demo"]["id"]]
    listed = (await curator.get(f"/artists/{artist_id}/albums")).json()["items"]
    assert [item["id"] for item in listed] == [kept]

    gone, kept = (made[artist, "Live"]["album"]["id"] for artist in (name, f"The {name}"))
    answer = await ben.get(f"/albums/{gone}")
    assert (answer.status_code, answer.json()["kept_id"]) == (308, kept)
    assert (await curator.get(f"/albums/{gone}")).status_code == 404


async def test_others_albums_of_that_name_stay_theirs(app: FastAPI, people: People) -> None:
    ana, ben, curator = await people.make("ana"), await people.make("ben"), await people.make("c", role="curator")
    name = unique("Band")
    public: Body = {"album": "Demo", "visibility": "public"}
    hers = await track_of(app, ana, artist=name, **public)
    his = await track_of(app, ben, artist=name, **public)
    merged = await merge(curator, his["artist"]["id"], hers["artist"]["id"])
    assert merged["album_count"] == 2
    assert await titles(ben, his["album"]["id"]) == [(1, his["title"])]
    # both have one there now, and both have one under a second spelling
    others = [await track_of(app, person, artist=f"The {name}", **public) for person in (ana, ben)]
    merged = await merge(curator, others[1]["artist"]["id"], others[0]["artist"]["id"])
    merged = await merge(curator, others[0]["artist"]["id"], hers["artist"]["id"])
    assert merged["album_count"] == 2
    for person, before, after in ((ana, others[0], hers), (ben, others[1], his)):
        assert (await person.get(f"/albums/{before['album']['id']}")).json()["kept_id"] == after["album"]["id"]
        assert len(await titles(person, after["album"]["id"])) == 2


async def test_a_chain_leads_to_its_end_and_goes_with_its_last_recording(app: FastAPI, people: People) -> None:
    ana, curator = await people.make("ana"), await people.make("c", role="curator")
    name = unique("Band")
    made = [
        await upload(app, ana, artist=f"{name} {number}", album="Demo", visibility="public")
        for number in ("a", "b", "c")
    ]
    albums = [done["track"]["album"]["id"] for done in made]
    artists = [done["track"]["artist"]["id"] for done in made]
    await merge(curator, artists[0], artists[1])
    await merge(curator, artists[1], artists[2])
    for album_id in albums[:2]:
        assert (await curator.get(f"/albums/{album_id}")).json()["kept_id"] == albums[2]
    assert len(await titles(ana, albums[2])) == 3
    for done in made:
        assert (await ana.delete(f"/uploads/{done['id']}")).status_code == 204
    for album_id in albums:
        assert (await ana.get(f"/albums/{album_id}")).status_code == 404
    infra: Infra = app.state.infra
    assert await infra.db.reader.all(select(Album.id).where(Album.id.in_([UUID(it) for it in albums]))) == []


async def test_merges_and_uploads_at_once(fresh: FastAPI) -> None:
    """Whoever comes first: every recording is on an album and of an artist that stay, and joined albums are one."""
    infra: Infra = fresh.state.infra
    dice = random.Random(5)
    names = ["Band", "The Band", "Band, The"]
    async with People(fresh) as people:
        owners = [await people.make("ana"), await people.make("ben")]
        curators = [await people.make("curator", role="curator") for _ in range(2)]
        demo: Body = {"album": "Demo", "visibility": "public"}
        # what stays where it is keeps each of the artists there
        stay = [(owner, await upload(fresh, owner, artist=name, **demo)) for owner in owners for name in names]
        move = [(owner, await upload(fresh, owner, artist="Band", **demo)) for owner in owners]
        made = stay + move
        artists = sorted({done["track"]["artist"]["id"] for _, done in made})
        assert len(artists) == 6
        changes = [
            owner.patch(
                f"/uploads/{done['id']}",
                json={"artist": dice.choice(names), "album": dice.choice(["Demo", "Live"]), "title": "Three"},
            )
            for owner, done in move * 8
        ]
        merges = [
            curators[number % 2].post(f"/artists/{one}/merge", json={"into": other})
            for number, (one, other) in enumerate([*pairwise(artists), (artists[1], artists[0])])
        ]
        answers = await asyncio.gather(*dice.sample([*changes, *merges], len(changes) + len(merges)))
        assert {answer.status_code for answer in answers} <= {200, 404, 409, 422}
        assert [answer.status_code for answer in answers].count(200) > len(changes), "some merge was done"
        assert {answer.status_code for answer in answers if answer.request.method == "PATCH"} == {200}
        await drain(infra)
        stray = (
            select(Track.id)
            .join(Artist, Artist.id == Track.artist_id)
            .join(Album, Album.id == Track.album_id)
            .where(Artist.merged_into_id.is_not(None) | Album.merged_into_id.is_not(None))
        )
        assert await infra.db.reader.all(stray) == []
        assert await infra.db.reader.one(
            select(func.count()).select_from(Track).where(Track.album_id.is_not(None))
        ) == len(made)
        assert await broken(infra.db.reader) == {}
        for owner, done in made:
            assert (await owner.get(f"/tracks/{done['track']['id']}/stream")).status_code == 200


async def test_two_merges_at_once_join_three_albums_into_one(app: FastAPI, people: People) -> None:
    ana, curator = await people.make("ana"), await people.make("c", role="curator")
    name = unique("Band")
    tracks = [
        await track_of(app, ana, artist=f"{name} {letter}", album="Demo", title=letter, visibility="public")
        for letter in "abc"
    ]
    one, two, kept = [track["artist"]["id"] for track in tracks]
    await asyncio.gather(merge(curator, one, kept), merge(curator, two, kept))
    found = await titles(ana, tracks[2]["album"]["id"])
    assert [position for position, _ in found] == [1, 2, 3]
    assert (found[0][1], {title for _, title in found}) == ("c", set("abc"))
