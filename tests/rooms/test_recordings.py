"""Rooms play recordings: the same signed address for everybody, and only what its owner lets be played."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import update

from app.catalog.media import check_media_url
from app.catalog.models import Track
from app.core.infra import Infra
from tests.people import People, Person
from tests.rooms.factories import open_room
from tests.rooms.playing import add, make_tracks, press, show

Json = dict[str, Any]


@pytest.fixture
async def ana(people: People) -> Person:
    return await people.make("ana")


@pytest.fixture
async def ben(people: People) -> Person:
    return await people.make("ben")


@pytest.fixture
async def room(ana: Person, ben: Person) -> Json:
    made = await open_room(ana)
    assert (await ben.post(f"/rooms/{made['id']}/join")).status_code == 200
    return made


async def uploaded(infra: Infra, owner: Person, visibility: str = "public") -> UUID:
    """A track as if the owner had uploaded its recording."""
    (track,) = await make_tracks(infra, 60_000, audio_type="audio/mpeg", owner_id=owner.id, visibility=visibility)
    return track


def opens(infra: Infra, url: str | None, track: UUID, visibility: str = "public") -> bool:
    """Whether the address is signed for the track as it is."""
    asked = httpx.URL(url or "")
    assert asked.path == f"/api/v1/media/audio/{track}"
    signed = {"expires": int(asked.params["expires"]), "signature": asked.params["signature"]}
    return check_media_url(infra.settings.secret, track, visibility, **signed)


async def test_everybody_hears_the_same(infra: Infra, ana: Person, ben: Person, room: Json) -> None:
    first, second = await uploaded(infra, ana), await uploaded(infra, ben)
    await add(ana, room, first)
    (waiting,) = await add(ben, room, second)
    assert opens(infra, waiting["track"]["media_url"], second)
    pressed = await press(ana, room, "play")
    assert opens(infra, pressed["item"]["track"]["media_url"], first)
    for person in (ana, ben):
        assert (await show(person, room))["item"] == pressed["item"]
        (item,) = (await person.get(f"/rooms/{room['id']}/queue")).json()
        assert item["track"]["media_url"] == waiting["track"]["media_url"]


async def test_what_has_no_recording_has_no_address(infra: Infra, ana: Person, room: Json) -> None:
    (item,) = await add(ana, room, *await make_tracks(infra, 60_000))
    assert item["track"]["media_url"] is None
    assert (await press(ana, room, "play"))["item"]["track"]["media_url"] is None


async def test_one_plays_what_one_may_hear(infra: Infra, ana: Person, ben: Person, room: Json) -> None:
    private, followers = await uploaded(infra, ana, "private"), await uploaded(infra, ana, "followers")
    path = f"/rooms/{room['id']}/queue"
    for track in (private, followers):
        assert (await ben.post(path, json={"track_id": str(track)})).status_code == 404
    await ben.put(f"/users/{ana.username}/follow")
    refused = await ben.post(path, json={"track_id": str(followers)})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_yours_to_share")
    for track, visibility in ((private, "private"), (followers, "followers")):
        (item,) = await add(ana, room, track)
        assert opens(infra, item["track"]["media_url"], track, visibility)


async def test_one_does_not_play_what_is_of_somebody_who_blocks_one(
    infra: Infra, ana: Person, ben: Person, people: People
) -> None:
    owner = await people.make("owner")
    track, room = await uploaded(infra, owner), await open_room(ana)
    await owner.put(f"/users/{ana.username}/block")
    assert (await ana.post(f"/rooms/{room['id']}/queue", json={"track_id": str(track)})).status_code == 404


async def test_what_becomes_private_is_heard_no_longer(infra: Infra, ana: Person, ben: Person, room: Json) -> None:
    track = await uploaded(infra, ben)
    await add(ana, room, track, await uploaded(infra, ben))
    before = (await press(ana, room, "play"))["item"]["track"]["media_url"]
    async with infra.db.write() as db:
        await db.execute(update(Track).where(Track.owner_id == ben.id).values(visibility="private"))
    assert not opens(infra, before, track, "private")
    assert (await show(ana, room))["item"]["track"]["media_url"] is None
