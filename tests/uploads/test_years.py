"""The year of a recording, with an album and without."""

from typing import Any

from fastapi import FastAPI

from tests.people import People, Person
from tests.uploads.factories import track_of, upload, wav


async def chosen(person: Person, year: int) -> list[str]:
    """What a smart playlist of that year would have."""
    conditions = [{"field": "year", "op": "is", "value": year}]
    rules = {"match": "all", "conditions": conditions, "order": "year"}
    answer = await person.post("/playlists/preview", json={"rules": rules})
    assert answer.status_code == 200, answer.text
    return [track["title"] for track in answer.json()["items"]]


async def year_of(person: Person, track: dict[str, Any]) -> int | None:
    year: int | None = (await person.get(f"/tracks/{track['id']}")).json()["year"]
    return year


async def test_a_year_is_kept_without_an_album(app: FastAPI, people: People) -> None:
    ana = await people.make("ana")
    said = await track_of(app, ana, title="Said", year=1904)
    tagged = await track_of(app, ana, data=wav(tags={b"INAM": "Tagged", b"ICRD": "1905-05-01"}))
    none = await track_of(app, ana, title="None")
    assert [await year_of(ana, track) for track in (said, tagged, none)] == [1904, 1905, None]
    assert [await chosen(ana, year) for year in (1904, 1905)] == [["Said"], ["Tagged"]]


async def test_a_year_goes_along_to_a_new_album_and_the_album_s_comes_first(app: FastAPI, people: People) -> None:
    ana = await people.make("ana")
    done = await upload(app, ana, title="Moves", year=1904)
    path = f"/uploads/{done['id']}"
    with_album = (await ana.patch(path, json={"album": "New one"})).json()["track"]
    assert with_album["album"]["year"] == 1904
    second = await upload(app, ana, title="Second", album="New one", artist=with_album["artist"]["name"], year=1910)
    assert second["track"]["album"]["id"] == with_album["album"]["id"]
    assert await year_of(ana, second["track"]) == 1904
    for change, year in (({"album": None}, 1904), ({"year": 1906}, 1906), ({"year": None}, None)):
        assert (await ana.patch(path, json=change)).status_code == 200
        assert await year_of(ana, done["track"]) == year
    assert await chosen(ana, 1906) == []
