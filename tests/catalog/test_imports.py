"""Imports of files: what is read, what is refused, and that a second time changes nothing."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from app.catalog.imports import ImportResult, import_albums, import_tracks
from app.catalog.models import Album, Artist, Track
from app.catalog.tables import UnreadableFile
from app.core.infra import Infra
from tests.catalog.factories import add_album, add_artist, add_track, letters, spotify_id, unique
from tests.people import Person, queries

ALBUMS = "title,artist,year,genres"
TRACKS = "title,artist,genres,spotify_track_id,spotify_artist_id,popularity,valence,energy,tempo"


def counts(result: ImportResult) -> tuple[int, int, int, int]:
    return result.created, result.updated, result.unchanged, len(result.bad)


Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def lines(*rows: str, encoding: str = "utf-8") -> Path:
        path = tmp_path / f"{letters()}.csv"
        path.write_text("\n".join(rows) + "\n", encoding=encoding)
        return path

    return lines


def ignore(done: int, total: int) -> None:
    assert 0 < done <= total


async def test_albums(write: Write, infra: Infra, client: httpx.AsyncClient) -> None:
    artist = unique("Van Morrison")
    path = write(
        ALBUMS,
        f"Astral Weeks,{artist},1968,Jazz; Rock; Folk, World & Country; Acoustic",
        f'"Moondance, Too",{artist},,',
        f"Moondance,{unique('Somebody')},1970,rock",
    )
    assert counts(await import_albums(infra, path, progress=ignore)) == (3, 0, 0, 0)
    found = (await client.get("/search", params={"q": f"{artist}", "kind": "artist"})).json()["items"]
    albums = (await client.get(f"/artists/{found[0]['id']}/albums")).json()["items"]
    rows = {album["title"]: (album["year"], album["genres"]) for album in albums}
    assert rows == {
        "Astral Weeks": (1968, ["jazz", "rock", "folk, world & country", "acoustic"]),
        "Moondance, Too": (None, []),
    }
    assert (await client.get(f"/artists/{found[0]['id']}")).json()["album_count"] == 2
    assert counts(await import_albums(infra, path, progress=ignore)) == (0, 0, 3, 0)


async def test_albums_change_by_what_the_file_says(write: Write, curator: Person, infra: Infra) -> None:
    artist = await add_artist(curator, unique("Sade"))
    album = await add_album(curator, "Diamond Life", artist=artist, label="Epic", year=1983)
    path = write(ALBUMS, f"DIAMOND LIFE,{artist['name'].upper()},1984,", f"Promise,{artist['name']},1985,soul")
    assert counts(await import_albums(infra, path, progress=ignore)) == (1, 1, 0, 0)
    page = (await curator.get(f"/albums/{album['id']}")).json()
    assert (page["title"], page["year"], page["label"]) == ("Diamond Life", 1984, "Epic")


async def test_a_merged_name_leads_to_the_kept_one(write: Write, curator: Person, infra: Infra) -> None:
    kept, duplicate = await add_artist(curator, unique("Kept")), await add_artist(curator, unique("Duplicate"))
    await curator.post(f"/artists/{duplicate['id']}/merge", json={"into": kept["id"]})
    path = write(ALBUMS, f"Some Album,{duplicate['name']},2001,")
    for expected in ((1, 0, 0, 0), (0, 0, 1, 0)):
        assert counts(await import_albums(infra, path, progress=ignore)) == expected
    assert len((await curator.get(f"/artists/{kept['id']}/albums")).json()["items"]) == 1


async def test_tracks(write: Write, infra: Infra, client: httpx.AsyncClient) -> None:
    first, second, artist = spotify_id(), spotify_id(), spotify_id()
    name = unique("Yaeger")
    path = write(
        TRACKS,
        f"Jaguar,{name},pop; swedish pop,{first},{artist},34,0.685,0.642,98.03",
        f"Awkward,{name},,{second},{artist},0,0,2.03e-05,0",
    )
    assert counts(await import_tracks(infra, path, progress=ignore)) == (2, 0, 0, 0)
    assert counts(await import_tracks(infra, path, progress=ignore)) == (0, 0, 2, 0)
    tracks = {
        track.spotify_id: track
        for track in await infra.db.reader.all(select(Track).where(Track.spotify_id.in_([first, second])))
    }
    track = (await client.get(f"/tracks/{tracks[first].id}")).json()
    assert (track["genres"], track["popularity"]) == (["pop", "swedish pop"], 34)
    assert track["features"] == {"valence": 0.685, "energy": 0.642, "tempo": 98.03}
    assert (tracks[second].valence, tracks[second].energy, tracks[second].tempo) == (0, 2.03e-05, 0)
    assert tracks[first].artist_id == tracks[second].artist_id
    changed = write(TRACKS, f"Jaguar (Live),{name},pop; swedish pop,{first},{artist},35,0.685,0.642,98.03")
    assert counts(await import_tracks(infra, changed, progress=ignore)) == (0, 1, 0, 0)
    hits = (await client.get("/search", params={"q": f"jaguar live {name}"})).json()["items"]
    assert [hit["id"] for hit in hits] == [track["id"]]


async def test_artists_of_one_name_are_told_apart(write: Write, curator: Person, infra: Infra) -> None:
    name, ids = unique("Rain"), [spotify_id(), spotify_id()]
    there = await add_artist(curator, name)
    rows = [f"Song {i},{name},,{spotify_id()},{artist},,,," for i, artist in enumerate([*ids, ""])]
    path = write(TRACKS, *rows)
    assert counts(await import_tracks(infra, path, progress=ignore)) == (3, 0, 0, 0)
    artists = await infra.db.reader.all(select(Artist).where(Artist.name == name).order_by(Artist.id))
    assert {artist.spotify_id for artist in artists} == set(ids)
    assert str(artists[0].id) == there["id"]
    assert counts(await import_tracks(infra, path, progress=ignore)) == (0, 0, 3, 0)


async def test_a_known_track_keeps_its_artist(write: Write, curator: Person, infra: Infra) -> None:
    code = spotify_id()
    track = await add_track(curator, "Song", spotify_id=code)
    path = write(TRACKS, f"Song,Somebody Else,,{code},{spotify_id()},10,,,")
    assert counts(await import_tracks(infra, path, progress=ignore)) == (0, 1, 0, 0)
    after = (await curator.get(f"/tracks/{track['id']}")).json()
    assert (after["artist"], after["popularity"]) == (track["artist"], 10)


async def test_bad_rows_are_named_and_left_out(write: Write, infra: Infra) -> None:
    artist, code = unique("Artist"), spotify_id()
    albums = write(
        ALBUMS,
        f"Good,{artist},1999,rock",
        f",{artist},1999,",
        f'"Two\nlines",{artist},1999,',
        f"Bad year,{artist},soon,",
        "",
        f"good!,{artist},2000,",
        f"Few,{artist}",
        f"{'x' * 301},{artist},,",
        f"Old,{artist},99,",
    )
    result = await import_albums(infra, albums, progress=ignore)
    assert counts(result) == (1, 0, 0, 7)
    lines = dict(result.bad)
    assert lines.keys() == {3, 4, 6, 8, 9, 10, 11}
    assert lines[3] == "title is empty"
    assert "title" in lines[4]
    assert lines[6].startswith("year 'soon': ")
    assert lines[8] == "the same album as in line 2"
    assert lines[9] == "2 cells in place of 4"
    tracks = write(
        TRACKS,
        f"Good,{artist},,{code},,5,0.5,0.5,100",
        f"Again,{artist},,{code},,5,0.5,0.5,100",
        f"No id,{artist},,,,5,0.5,0.5,100",
        f"Loud,{artist},,{spotify_id()},,5,0.5,1.5,100",
        f"NaN,{artist},,{spotify_id()},,5,nan,0.5,100",
        f"Popular,{artist},,{spotify_id()},,101,0.5,0.5,100",
        f"More,{artist},,{spotify_id()},,5,0.5,0.5,100,7",
    )
    result = await import_tracks(infra, tracks, progress=ignore)
    assert counts(result) == (1, 0, 0, 6)
    assert [line for line, _ in result.bad] == [3, 4, 5, 6, 7, 8]


async def test_columns_may_come_in_any_order_and_more_of_them(write: Write, infra: Infra) -> None:
    title = unique("Album")
    path = write(
        "Year , mood,ARTIST,title,label,release_date",
        f"1999,good,{unique('A')},{title},Verve,1999-05-06",
        encoding="utf-8-sig",
    )
    assert counts(await import_albums(infra, path, progress=ignore)) == (1, 0, 0, 0)
    (album,) = await infra.db.reader.all(select(Album).where(Album.title == title))
    assert (album.year, album.label, str(album.release_date)) == (1999, "Verve", "1999-05-06")


async def test_files_that_cannot_be_read(write: Write, infra: Infra, tmp_path: Path) -> None:
    latin = tmp_path / "latin.csv"
    latin.write_bytes("title,artist\nÁguas,João\n".encode("latin-1"))
    cases = [
        (write("name,year", "A,1999"), "lacks the column title. Its header is name, year; known are title, artist"),
        (write(""), "lacks the column title"),
        (tmp_path / "none.csv", "No such file"),
        (latin, "A CSV file in UTF-8 is needed"),
        (tmp_path, "directory"),
    ]
    for path, reason in cases:
        with pytest.raises(UnreadableFile, match=reason):
            await import_albums(infra, path, progress=ignore)


async def test_many_rows_take_few_statements(write: Write, infra: Infra) -> None:
    name = letters()
    rows = [
        f"Song {i},{name} {i % 40},{'pop' if i % 3 else ''},{spotify_id()},,{i % 100 or ''},0.5,," for i in range(450)
    ]
    path, seen = write(TRACKS, *rows), []
    async with queries(infra) as ran:
        result = await import_tracks(infra, path, progress=lambda done, total: seen.append((done, total)))
    assert counts(result) == (450, 0, 0, 0)
    assert ran[0] < 30
    assert seen == [(450, 450)]
