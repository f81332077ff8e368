"""Playlists come out of files and go into files, over HTTP."""

import time
from pathlib import PurePath
from typing import Any
from uuid import UUID

import pytest

from app.core.auth import Principal
from app.core.ids import uuid7
from app.core.infra import Infra
from app.playlists.files import MOST_BYTES, Entry, PlaylistFile
from app.playlists.files_formats import FORMATS, FormatName, read_file
from app.playlists.service import all_entries
from tests.catalog.factories import Body, add_album, add_artist, add_track, unique
from tests.people import People, Person, queries

FORMAT_NAMES: list[FormatName] = ["m3u8", "xspf", "jspf", "csv"]


@pytest.fixture(scope="session")
async def curator(people: People) -> Person:
    return await people.make("curator", role="curator")


@pytest.fixture(scope="session")
async def ana(people: People) -> Person:
    return await people.make("ana")


async def send(person: Person, text: str | bytes, path: str = "", **options: Any) -> Body:
    """Imports a file; the answer."""
    body = text.encode() if isinstance(text, str) else text
    answer = await person.post(f"/playlists/import{path}", content=body, **options)
    assert answer.status_code == 201, answer.text
    found: Body = answer.json()
    return found


async def saved(infra: Infra, person: Person, playlist_id: str) -> list[Any]:
    return await all_entries(infra.db.reader, Principal(person.id, uuid7()), UUID(playlist_id))


async def fetch(person: Any, playlist_id: str, name: str = "m3u8") -> Any:
    answer = await person.get(f"/playlists/{playlist_id}/export", params={"format": name})
    assert answer.status_code == 200, answer.text
    return answer


async def test_an_import_keeps_the_order_and_holds_places(infra: Infra, curator: Person, ana: Person) -> None:
    artist = await add_artist(curator)
    one, two = await add_track(curator, "One", artist=artist), await add_track(curator, "Two", artist=artist)
    rows = [f"Two,{artist['name']}", "Lost,Nobody at all", f"One,{artist['name']}", f"Two,{artist['name']}"]
    made = await send(ana, "\n".join(["title,artist", *rows]), "?name=Mine&visibility=public")
    assert (made["format"], made["matched_count"], made["unmatched_count"]) == ("csv", 3, 1)
    assert made["unmatched"] == [{"position": 1, "title": "Lost", "artist": "Nobody at all"}]
    playlist = made["playlist"]
    assert (playlist["name"], playlist["visibility"], playlist["track_count"]) == ("Mine", "public", 4)
    assert playlist["role"] == "owner"
    found = await saved(infra, ana, playlist["id"])
    assert [entry.track_id and str(entry.track_id) for entry in found] == [two["id"], None, one["id"], two["id"]]
    assert (found[1].title, found[1].artist) == ("Lost", "Nobody at all")


@pytest.mark.parametrize("name", FORMAT_NAMES)
async def test_what_goes_out_comes_in_again(infra: Infra, curator: Person, ana: Person, name: FormatName) -> None:
    album = await add_album(curator)
    track = await add_track(curator, album_id=album["id"], duration_ms=200_123, musicbrainz_id=str(uuid7()))
    lost = Entry("=Lost", "No - body", "Album", 1234, "XXABC0000001", None, uuid7(), location="/music/#1.mp3")
    only_id = Entry(musicbrainz_id=uuid7())
    described = Entry(track["title"], musicbrainz_id=UUID(track["musicbrainz_id"]))
    file = FORMATS["jspf"].write(PlaylistFile("Out & in", [lost, described, only_id], "Two\nlines"))
    first = await send(ana, file)
    assert first["playlist"]["name"] == "Out & in"
    assert first["playlist"]["description"] == "Two\nlines"
    sent = await fetch(ana, first["playlist"]["id"], name)
    second = await send(ana, sent.content, headers={"content-type": sent.headers["content-type"]})
    assert second["format"] == name
    before, after = [await saved(infra, ana, made["playlist"]["id"]) for made in (first, second)]
    ignored = {"id", "added_at"}
    assert [it.model_dump(exclude=ignored) for it in after] == [it.model_dump(exclude=ignored) for it in before]
    assert [entry.track_id for entry in after] == [None, UUID(track["id"]), None]
    assert second["playlist"]["duration_ms"] == first["playlist"]["duration_ms"] == 201_357


async def test_a_form_carries_the_file_and_its_name(ana: Person) -> None:
    files = {"file": ("Late shift.m3u", b"#EXTM3U\n/music/A - B.mp3\n", "audio/x-mpegurl")}
    answer = await ana.post("/playlists/import", files=files)
    assert answer.status_code == 201, answer.text
    assert answer.json()["playlist"]["name"] == "Late shift"
    assert answer.json()["unmatched"] == [{"position": 0, "title": "B", "artist": "A"}]
    wrong = await ana.post("/playlists/import", files={"other": ("x.csv", b"title\nx")})
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["pointer"] == "/body/file"
    broken = {"content-type": "multipart/form-data; boundary=x"}
    wrong = await ana.post("/playlists/import", content=b"--x\r\n\xc3(: y\r\n", headers=broken)
    assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (422, "form")


async def test_the_name_is_given_or_the_files_or_a_plain_one(ana: Person) -> None:
    long = {"playlist": {"title": "x" * 300, "annotation": "y" * 3000}}
    made = (await ana.post("/playlists/import", json=long)).json()
    assert made["playlist"]["name"] == "x" * 100
    assert made["playlist"]["description"] == "y" * 1000
    assert made["playlist"]["visibility"] == "private"
    assert (await send(ana, "title\nx"))["playlist"]["name"] == "Imported playlist"
    assert (await send(ana, '{"playlist": {}}', "?name=Mine"))["playlist"]["name"] == "Mine"


@pytest.mark.parametrize(
    ("text", "path", "code", "detail"),
    [
        ("title,artist\nx\n", "", "bad_playlist_file", "Line 2: 1 cells in place of 2."),
        ("", "", "bad_playlist_file", "The file is empty"),
        ("title\nx", "?format=xspf", "bad_playlist_file", "Line 1: No well-formed XML"),
        ("title\nx", "?format=pls", "invalid", "/query/format"),
        ("title\nx", "?name=", "invalid", "/query/name"),
        ("title\nx", "?visibility=secret", "invalid", "/query/visibility"),
    ],
)
async def test_a_bad_file_makes_no_playlist(ana: Person, text: str, path: str, code: str, detail: str) -> None:
    answer = await ana.post(f"/playlists/import{path}", content=text)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["detail"].startswith(detail)


async def test_a_large_file_is_refused(ana: Person) -> None:
    for content in (b"#" * (MOST_BYTES + 1), b"#" * (MOST_BYTES + 50_000), b"title\n" + b"x\n" * 10_001):
        answer = await ana.post("/playlists/import", content=content)
        assert answer.status_code == 413, answer.text


async def test_an_import_sent_twice_is_one_playlist(ana: Person) -> None:
    headers = {"Idempotency-Key": str(uuid7()), "content-type": "application/json"}
    body = b'{"playlist": {"title": "Once"}}'
    first, second = [await ana.post("/playlists/import", content=body, headers=headers) for _ in range(2)]
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()


async def test_ten_thousand_entries_take_few_statements(infra: Infra, curator: Person, ana: Person) -> None:
    artist = await add_artist(curator)
    track = await add_track(curator, "Known", artist=artist)
    rows = [f"Known,{artist['name']}" if number % 2 else f"Lost {number},Nobody" for number in range(10_000)]
    text = "\n".join(["title,artist", *rows])
    async with queries(infra) as ran:
        started = time.perf_counter()
        made = await send(ana, text)
        seconds = time.perf_counter() - started
    assert (made["matched_count"], made["unmatched_count"], len(made["unmatched"])) == (5000, 5000, 100)
    assert ran[0] <= 20
    assert seconds < 15  # about one on a machine that is not busy
    async with queries(infra) as ran:
        sent = await fetch(ana, made["playlist"]["id"], "jspf")
    assert ran[0] <= 2
    entries = read_file(sent.content)[1].entries
    assert [entry.track_id for entry in entries] == [None, UUID(track["id"])] * 5000


async def test_a_download_says_what_it_is(ana: Person) -> None:
    made = await send(ana, '{"playlist": {"title": "Später/\\"langsam\\" 🎷"}}')
    for name in FORMAT_NAMES:
        headers = (await fetch(ana, made["playlist"]["id"], name)).headers
        assert headers["content-type"].startswith(FORMATS[name].media_type)
        assert headers["content-disposition"] == (
            f'attachment; filename="spater-langsam.{name}"; '
            f"filename*=UTF-8''Sp%C3%A4ter%2F%22langsam%22%20%F0%9F%8E%B7.{name}"
        )
        assert PurePath(f"x.{name}").suffix in FORMATS[name].endings


async def test_only_who_may_see_a_playlist_downloads_it(people: People, client: Any, ana: Person) -> None:
    other = await people.make("other")
    hidden = (await send(ana, "title\nx"))["playlist"]["id"]
    shown = (await send(ana, "title\nx", "?visibility=public"))["playlist"]["id"]
    for reader in (client, other):
        assert (await reader.get(f"/playlists/{hidden}/export")).status_code == 404
        assert (await reader.get(f"/playlists/{shown}/export")).status_code == 200
    assert (await ana.get(f"/playlists/{uuid7()}/export")).status_code == 404
    assert (await ana.get(f"/playlists/{shown}/export?format=pls")).status_code == 422


async def test_where_files_lie_is_told_to_members_alone(client: Any, ana: Person) -> None:
    made = await send(ana, "#EXTM3U\n#EXTINF:1,A - B\n/home/ana/secret/b.mp3\n", "?visibility=public")
    for name in FORMAT_NAMES:
        assert b"/home/ana" in (await fetch(ana, made["playlist"]["id"], name)).content
        assert b"secret" not in (await fetch(client, made["playlist"]["id"], name)).content


async def test_players_find_the_recordings(infra: Infra, curator: Person, ana: Person) -> None:
    track = await add_track(curator)
    async with infra.db.write() as db:
        await db.records("UPDATE tracks SET audio_type = 'audio/mpeg' WHERE id = $1", [UUID(track["id"])])
    made = await send(ana, f"track_id\n{track['id']}\n")
    sent = (await fetch(ana, made["playlist"]["id"])).text
    lines = [line for line in sent.splitlines() if not line.startswith("#")]
    assert lines[0].startswith(f"http://soundscore.test/api/v1/media/audio/{track['id']}?expires=")
    again = await send(ana, sent)
    assert again["matched_count"] == 1


async def test_a_file_is_added_to_a_playlist(people: People, ana: Person) -> None:
    made = (await send(ana, "title\na\nb", "?visibility=public"))["playlist"]["id"]
    answer = await ana.post(f"/playlists/{made}/import?at=1", content=b"title\nx\ny")
    assert answer.status_code == 201, answer.text
    assert [entry["position"] for entry in answer.json()["unmatched"]] == [0, 1]
    entries = (await ana.get(f"/playlists/{made}/entries")).json()["items"]
    assert [entry["title"] for entry in entries] == ["a", "x", "y", "b"]
    other = await people.make("other")
    assert (await other.post(f"/playlists/{made}/import", content=b"title\nx")).status_code == 403
    assert (await ana.post(f"/playlists/{made}/import?at=9", content=b"title\nx")).status_code == 422
    rows = b"title\n" + b"x\n" * 9_997
    assert (await ana.post(f"/playlists/{made}/import", content=rows)).status_code == 409


async def test_placeholders_become_tracks_when_the_catalogue_has_them(
    infra: Infra, people: People, curator: Person, ana: Person
) -> None:
    name = unique("Later")
    text = f"title,artist,duration_ms\nSong,{name},100000\nOther,{name},\nSong,{name},101000\n"
    made = (await send(ana, text, "?visibility=public"))["playlist"]
    path = f"/playlists/{made['id']}"
    artist = await add_artist(curator, name)
    track = await add_track(curator, "Song", artist=artist, duration_ms=100_500)
    async with queries(infra) as ran:
        matched = (await ana.post(f"{path}/match")).json()
    assert ran[0] <= 15
    assert (matched["matched"], matched["duration_ms"]) == (2, 201_000)
    assert matched["version"] > made["version"]
    entries = (await ana.get(f"{path}/entries")).json()["items"]
    assert [entry["track"] and entry["track"]["id"] for entry in entries] == [track["id"], None, track["id"]]
    again = (await ana.post(f"{path}/match")).json()
    assert (again["matched"], again["version"]) == (0, matched["version"])
    activity = (await ana.get(f"{path}/activities")).json()["items"][0]
    assert (activity["action"], activity["count"]) == ("match", 2)
    other = await people.make("other")
    assert (await other.post(f"{path}/match")).status_code == 403


async def test_a_smart_playlist_goes_out_as_it_is_now_and_takes_nothing_in(curator: Person, ana: Person) -> None:
    genre = unique("genre")
    track = await add_track(curator, genres=[genre])
    rules = {"match": "all", "conditions": [{"field": "genre", "op": "is", "value": genre}]}
    made = await ana.post("/playlists", json={"name": "Smart", "rules": rules})
    assert made.status_code == 201, made.text
    path = f"/playlists/{made.json()['id']}"
    sent = await fetch(ana, made.json()["id"], "csv")
    assert [entry.track_id for entry in read_file(sent.content)[1].entries] == [UUID(track["id"])]
    assert (await ana.post(f"{path}/import", content=b"title\nx")).status_code == 409
    assert (await ana.post(f"{path}/match")).status_code == 409


async def test_a_copy_does_not_tell_where_somebodys_files_lie(people: People) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    body = b"#EXTM3U\n#EXTINF:1,Somebody - Unheard of\nC:\\Users\\Ana\\Music\\a.mp3\n"
    made = await ana.post("/playlists/import?visibility=public", content=body)
    playlist_id = made.json()["playlist"]["id"]
    paths = []
    for person in (ana, bob):
        copy = (await person.post(f"/playlists/{playlist_id}/copy", json={})).json()["id"]
        told = (await person.get(f"/playlists/{copy}/export?format=jspf")).json()
        paths.append(told["playlist"]["track"][0].get("location"))
    assert paths == [["C:\\Users\\Ana\\Music\\a.mp3"], None]
