"""The list of conversations, and what is unread in them."""

from app.core.infra import Infra
from tests.chat.pairs import Pair, begin
from tests.people import People, Person, queries


async def unread(person: Person) -> tuple[int, int]:
    counted = (await person.get("/direct/unread-count")).json()
    return counted["unread_count"], counted["conversation_count"]


async def test_the_newest_message_is_shown(pair: Pair, infra: Infra) -> None:
    opened = (await pair.bruno.put(f"/direct/{pair.ana.username}")).json()
    assert (opened["last_message"], opened["partner_read_sequence"]) == (None, 0)
    for text in ("one", "two"):
        said = (await pair.ana.post(pair.rest, json={"text": text})).json()
    async with queries(infra) as ran:
        (item,) = (await pair.bruno.get("/direct")).json()["items"]
    assert ran == [1]
    shared = dict.fromkeys(("track_id", "review_id", "image_key"))
    last = {name: said[name] for name in ("id", "sequence", "created_at")}
    assert item["last_message"] == {**last, **shared, "text": "two", "author_id": str(pair.ana.id)}
    await pair.ana.delete(f"{pair.rest}/{said['id']}")
    (item,) = (await pair.bruno.get("/direct")).json()["items"]
    assert (item["last_message"]["id"], item["last_message"]["text"]) == (said["id"], None)


async def test_each_has_their_own_newest_message(pair: Pair, people: People) -> None:
    carla = await people.make("carla")
    other = (await carla.put(f"/direct/{pair.bruno.username}")).json()["id"]
    await pair.ana.post(pair.rest, json={"text": "of ana"})
    await carla.post(f"/chat/{other}/messages", json={"text": "of carla"})
    items = (await pair.bruno.get("/direct")).json()["items"]
    assert [item["last_message"]["text"] for item in items] == ["of carla", "of ana"]


async def test_how_far_the_other_has_read(pair: Pair) -> None:
    for text in ("one", "two"):
        await pair.ana.post(pair.rest, json={"text": text})
    await pair.bruno.put(f"/chat/{pair.id}/read", json={"sequence": 1})
    (of_ana,) = (await pair.ana.get("/direct")).json()["items"]
    (of_bruno,) = (await pair.bruno.get("/direct")).json()["items"]
    assert (of_ana["partner_read_sequence"], of_bruno["partner_read_sequence"]) == (1, 2)


async def test_what_is_unread_everywhere(people: People, infra: Infra) -> None:
    first = await begin(people)
    bruno, carla = first.bruno, await people.make("carla")
    assert await unread(bruno) == (0, 0)
    second = (await carla.put(f"/direct/{bruno.username}")).json()["id"]
    for text in ("one", "two"):
        await first.ana.post(first.rest, json={"text": text})
    await carla.post(f"/chat/{second}/messages", json={"text": "three"})
    async with queries(infra) as ran:
        assert await unread(bruno) == (3, 2)
    assert ran == [1]
    await bruno.put(f"/chat/{first.id}/read", json={"sequence": 2})
    assert await unread(bruno) == (1, 1)
    await bruno.put(f"/chat/{second}/mute", json={"muted": True})
    assert await unread(bruno) == (0, 0)
    await bruno.put(f"/chat/{second}/mute", json={"muted": False})
    await bruno.put(f"/users/{carla.username}/block")
    assert await unread(bruno) == (0, 0)
