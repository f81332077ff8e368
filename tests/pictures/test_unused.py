"""Pictures that nothing shows are removed; those that something shows stay."""

import os
import time
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update

from app.core.infra import Infra
from app.core.job_runner import drain
from app.integrations.storage import storage
from app.pictures.service import Kind, store_picture
from app.pictures.unused import remove_unused
from app.users.models import User
from app.users.pictures import AVATAR
from app.users.service import delete_account
from tests.people import People, queries
from tests.pictures.factories import picture


def make_older(infra: Infra, key: str, days: int = 2) -> None:
    stem = (infra.settings.data_dir / "media" / key).with_suffix("")
    for path in stem.parent.glob(f"{stem.name}*"):
        os.utime(path, (time.time() - days * 86400,) * 2)


def files_of(infra: Infra, key: str) -> list[Path]:
    stem = (infra.settings.data_dir / "media" / key).with_suffix("")
    return sorted(stem.parent.glob(f"{stem.name}*"))


async def test_by_night(infra: Infra, people: People, client: httpx.AsyncClient) -> None:
    ana = await people.make("ana")
    shown = (await ana.put("/users/me/avatar", content=picture(size=(400, 400)))).json()["key"]
    fresh, old = [(await store_picture(infra, AVATAR, picture(size=(400, 400)))).key for _ in range(2)]
    assert len(files_of(infra, old)) == 3
    for key in (shown, old):
        make_older(infra, key)
    async with queries(infra) as ran:
        await remove_unused(infra)
    assert ran[0] <= 10, "a statement for each folder"
    assert [len(files_of(infra, key)) for key in (shown, fresh, old)] == [3, 3, 0]


async def test_folders_of_which_nothing_is_known_are_left_alone(infra: Infra) -> None:
    key = (await store_picture(infra, Kind("strangers"), picture())).key
    await infra.part(storage).put("uploads/not-a-picture.mp3", b"a", content_type="audio/mpeg")
    for old in (key, "uploads/not-a-picture.mp3"):
        make_older(infra, old)
    await remove_unused(infra)
    assert len(files_of(infra, key)) == 1
    assert len(files_of(infra, "uploads/not-a-picture.mp3")) == 1


@pytest.mark.parametrize("field", ["avatar", "banner"])
async def test_replaced_and_removed(people: People, client: httpx.AsyncClient, infra: Infra, field: str) -> None:
    ana, ben = await people.make("ana"), await people.make("ben")
    path = f"/users/me/{field}"
    first = (await ana.put(path, content=picture(size=(400, 400)))).json()["key"]
    async with infra.db.write() as db:  # nobody takes away what somebody else shows
        await db.execute(update(User).where(User.id == ben.id).values({f"{field}_key": first}))
    second = (await ana.put(path, content=picture())).json()["key"]
    await drain(infra)
    assert (await client.get(f"/media/{first}")).status_code == 200
    assert (await ben.delete(path)).status_code == 204
    assert (await ben.delete(path)).status_code == 204
    await drain(infra)
    assert files_of(infra, first) == []
    assert (await client.get(f"/media/{second}")).status_code == 200


async def test_whoever_leaves_takes_their_pictures_along(people: People, infra: Infra) -> None:
    ana = await people.make("ana")
    keys = [(await ana.put(f"/users/me/{field}", content=picture())).json()["key"] for field in ("avatar", "banner")]
    async with infra.db.write() as db:
        await delete_account(db, ana.id, keep_content=True)
    await drain(infra)
    assert [files_of(infra, key) for key in keys] == [[], []]
