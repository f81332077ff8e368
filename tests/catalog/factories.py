"""A catalogue as curators write it, over HTTP."""

from typing import Any

from httpx import Response

from app.core.ids import uuid7
from tests.people import Person

Body = dict[str, Any]


def unique(name: str) -> str:
    """A name with a word of its own, so that tests do not find what others have made."""
    return f"{name} {letters()}"


def letters() -> str:
    """A random word of letters: numbers have no typos."""
    return "".join(chr(ord("a") + int(digit, 16)) for digit in uuid7().hex[-14:])


def created(answer: Response) -> Body:
    """The body of an answer that must be 201."""
    assert answer.status_code == 201, answer.text
    body: Body = answer.json()
    return body


async def add_artist(curator: Person, name: str | None = None, **fields: Any) -> Body:
    """A new artist."""
    return created(await curator.post("/artists", json={"name": name or unique("Artist"), **fields}))


async def add_album(curator: Person, title: str | None = None, *, artist: Body | None = None, **fields: Any) -> Body:
    """A new album, of a new artist if none is given."""
    artist = artist or await add_artist(curator)
    album = {"title": title or unique("Album"), "artist_id": artist["id"], **fields}
    return created(await curator.post("/albums", json=album))


async def add_track(curator: Person, title: str | None = None, *, artist: Body | None = None, **fields: Any) -> Body:
    """A new track, of a new artist if none is given."""
    artist = artist or await add_artist(curator)
    return created(
        await curator.post("/tracks", json={"title": title or unique("Track"), "artist_id": artist["id"], **fields})
    )


def spotify_id() -> str:
    """An id as Spotify's are."""
    return uuid7().hex[-22:]
