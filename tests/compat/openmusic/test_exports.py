"""Exports: what the exercise asks of them; the rest is theirs to prove."""

from typing import Any

import pytest

from app.core.infra import Infra
from tests.compat.openmusic.conftest import Speaker
from tests.compat.openmusic.test_playlists import add_playlist, collaborate

WANTED = {"targetEmail": "example@dicoding.com"}


@pytest.mark.parametrize(
    "payload",
    [{}, {"targetEmail": 1}, {"targetEmail": "nobody"}, {"target_email": "a@example.com"}, WANTED | {"more": 1}, []],
)
async def test_bad_exports_are_refused(john: Speaker, payload: Any) -> None:
    await john.say("POST", f"/export/playlists/{await add_playlist(john)}", 400, json=payload)


async def test_only_the_owner_exports(anybody: Speaker, john: Speaker, jane: Speaker, infra: Infra) -> None:
    playlist_id = await add_playlist(john)
    export = f"/export/playlists/{playlist_id}"
    await anybody.say("POST", export, 401, json=WANTED)
    await jane.say("POST", export, 403, json=WANTED)
    await collaborate(john, playlist_id, jane)
    await jane.say("POST", export, 403, json=WANTED)
    await john.say("POST", export, 201, json=WANTED)
    rows = await infra.db.fetch("SELECT user_id::text FROM playlist_exports WHERE playlist_id = $1", [playlist_id])
    assert [row["user_id"] for row in rows] == [john.user_id]


@pytest.mark.parametrize("playlist_id", ["xxx", "01890000-0000-7000-8000-00000000dead"])
async def test_a_playlist_that_is_not_there(john: Speaker, playlist_id: str) -> None:
    await john.say("POST", f"/export/playlists/{playlist_id}", 404, json=WANTED)
