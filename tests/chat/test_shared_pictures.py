"""Messages that show a picture: stored first, shown once, by its author, where it was stored for."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.core.infra import Infra
from app.core.job_runner import drain
from tests.people import People, Person
from tests.pictures.factories import picture

Json = dict[str, Any]


@pytest.fixture
async def ana(people: People) -> Person:
    return await people.make("ana")


@pytest.fixture
async def ben(people: People) -> Person:
    return await people.make("ben")


@pytest.fixture
async def channel(ana: Person, ben: Person) -> str:
    found: str = (await ana.put(f"/direct/{ben.username}")).json()["id"]
    return found


async def stored(person: Person, channel: str) -> str:
    answer = await person.post(f"/chat/{channel}/pictures", content=picture())
    assert answer.status_code == 201, answer.text
    key: str = answer.json()["key"]
    return key


async def say(person: Person, channel: str, **said: Any) -> httpx.Response:
    return await person.post(f"/chat/{channel}/messages", json=said)


async def last(person: Person, channel: str) -> Json:
    message: Json = (await person.get(f"/chat/{channel}/messages")).json()["items"][0]
    return message


async def test_a_message_shows_a_picture(client: httpx.AsyncClient, ana: Person, ben: Person, channel: str) -> None:
    key = await stored(ana, channel)
    said = await say(ana, channel, text="Look!", image_key=key)
    assert (said.status_code, said.json()["image_key"], said.json()["text"]) == (201, key, "Look!")
    assert (await last(ben, channel))["image_key"] == key
    assert (await client.get(f"/media/{key}")).status_code == 200


async def test_a_picture_says_enough(ana: Person, ben: Person, channel: str) -> None:
    said = await say(ana, channel, image_key=await stored(ana, channel))
    assert (said.status_code, said.json()["text"], said.json()["deleted"]) == (201, "", False)
    answer = await say(ben, channel, text="Nice", reply_to_id=said.json()["id"])
    assert answer.json()["reply_to"]["text"] == ""
    assert (await last(ana, channel))["text"] == "Nice"


@pytest.mark.parametrize("said", [{}, {"text": ""}, {"text": "  "}, {"client_id": "c"}])
async def test_nothing_is_no_message(ana: Person, channel: str, said: Json) -> None:
    assert (await say(ana, channel, **said)).status_code == 422


@pytest.mark.parametrize("key", ["covers/x.webp", "chat/../x.webp", "chat/", "x", "chat/x.webp?size=1"])
async def test_keys_that_are_none(ana: Person, channel: str, key: str) -> None:
    refused = await say(ana, channel, text="x", image_key=key)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/body/image_key")


async def test_each_is_shown_once_by_its_author_where_it_belongs(
    people: People, ana: Person, ben: Person, channel: str
) -> None:
    carl = await people.make("carl")
    elsewhere = (await ana.put(f"/direct/{carl.username}")).json()["id"]
    key = await stored(ana, channel)
    for person, place in ((ben, channel), (ana, elsewhere)):
        refused = await say(person, place, text="x", image_key=key)
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "unknown_id")
    assert (await say(ana, channel, image_key=key)).status_code == 201
    assert (await say(ana, channel, image_key=key)).status_code == 422


async def test_of_many_at_once_one_shows_it(ana: Person, channel: str) -> None:
    key = await stored(ana, channel)
    answers = await asyncio.gather(*(say(ana, channel, text=f"{n}", image_key=key) for n in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201, *[422] * 7]


async def test_what_is_sent_again_is_the_same_message(ana: Person, channel: str) -> None:
    said = {"image_key": await stored(ana, channel), "client_id": "c-1"}
    first, again = await say(ana, channel, **said), await say(ana, channel, **said)
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])


async def test_it_goes_with_its_message(
    infra: Infra, client: httpx.AsyncClient, ana: Person, ben: Person, channel: str
) -> None:
    key = await stored(ana, channel)
    said = (await say(ana, channel, text="Oops", image_key=key)).json()
    assert (await ana.delete(f"/chat/{channel}/messages/{said['id']}")).status_code == 204
    await drain(infra)
    message = await last(ben, channel)
    assert (message["deleted"], message["image_key"], message["text"]) == (True, None, None)
    assert (await client.get(f"/media/{key}")).status_code == 404
    assert UUID(said["id"])
