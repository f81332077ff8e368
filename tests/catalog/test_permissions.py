"""Who may write into the catalogue."""

import httpx
import pytest

from app.core.config import Settings
from app.core.ids import uuid7
from tests.catalog.factories import Body, add_album, add_artist, add_track
from tests.conftest import running
from tests.people import People, Person

EDITS: list[tuple[str, str, Body | None]] = [
    ("POST", "/artists", {"name": "A"}),
    ("PATCH", "/artists/{artist}", {"genres": []}),
    ("DELETE", "/artists/{artist}", None),
    ("PUT", "/artists/{artist}/picture", None),
    ("DELETE", "/artists/{artist}/picture", None),
    ("POST", "/albums", {"title": "A", "artist_id": "{artist}"}),
    ("PATCH", "/albums/{album}", {"genres": []}),
    ("DELETE", "/albums/{album}", None),
    ("PUT", "/albums/{album}/tracks", {"tracks": []}),
    ("PUT", "/albums/{album}/cover", None),
    ("DELETE", "/albums/{album}/cover", None),
    ("POST", "/tracks", {"title": "A", "artist_id": "{artist}"}),
    ("PATCH", "/tracks/{track}", {"genres": []}),
    ("DELETE", "/tracks/{track}", None),
]
MERGES: list[tuple[str, str, Body | None]] = [
    ("POST", f"/{kind}s/{{{kind}}}/merge", {"into": str(uuid7())}) for kind in ("artist", "album", "track")
]


@pytest.fixture(scope="module")
async def ids(curator: Person) -> dict[str, str]:
    artist = await add_artist(curator)
    album, track = await add_album(curator, artist=artist), await add_track(curator, artist=artist)
    return {"artist": artist["id"], "album": album["id"], "track": track["id"]}


async def attempt(who: httpx.AsyncClient, edit: tuple[str, str, Body | None], ids: dict[str, str]) -> int:
    method, path, body = edit
    filled = body and {name: ids["artist"] if value == "{artist}" else value for name, value in body.items()}
    return (await who.request(method, path.format(**ids), json=filled)).status_code


@pytest.mark.parametrize("edit", [*EDITS, *MERGES], ids=lambda edit: f"{edit[0]} {edit[1]}")
async def test_others_only_read(
    client: httpx.AsyncClient, people: People, ids: dict[str, str], edit: tuple[str, str, Body | None]
) -> None:
    assert await attempt(client, edit, ids) == 401
    assert await attempt(await people.make("stranger"), edit, ids) == 403


@pytest.mark.parametrize("role", ["curator", "admin"])
async def test_curators_and_admins_write(people: People, role: str) -> None:
    editor = await people.make("editor", role=role)  # type: ignore[arg-type]
    artist = await add_artist(editor)
    ids = {
        "artist": artist["id"],
        "album": (await add_album(editor, artist=artist))["id"],
        "track": (await add_track(editor, artist=artist))["id"],
    }
    statuses = [await attempt(editor, edit, ids) for edit in [*EDITS, *MERGES]]
    assert not {401, 403} & set(statuses)


async def test_the_setting_lets_everybody_write_but_not_merge(settings: Settings, ids: dict[str, str]) -> None:
    async with (
        running(settings.model_copy(update={"catalog_writes": "users"})) as open_app,
        People(open_app) as people,
    ):
        somebody = await people.make("somebody")
        statuses = [await attempt(somebody, edit, ids) for edit in EDITS if edit[0] != "DELETE"]
        assert not {401, 403} & set(statuses)
        assert [await attempt(somebody, edit, ids) for edit in MERGES] == [403] * 3
