"""The list of notifications, what is read of it, and the exact count."""

import asyncio
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func, select

from app.core.infra import Infra
from app.core.jobs import drain
from app.notifications.handlers import export_notifications, export_preferences, forget_person
from app.notifications.models import Inbox, Notification, NotificationPreference
from app.users.events import AccountDeleted
from tests.feed.factories import put
from tests.notifications.factories import check_counters, inbox, tell, told
from tests.people import People, Person, queries
from tests.reviews.factories import make_album, write_comment, write_review


async def unread(person: Person) -> int:
    return (await person.get("/notifications/unread-count")).json()["unread_count"]


async def test_a_new_person_has_none(people: People) -> None:
    ana = await people.make("ana")
    assert (await ana.get("/notifications")).json() == {"items": [], "next_cursor": None}
    assert await unread(ana) == 0
    assert (await ana.post("/notifications/read-all")).json() == {"unread_count": 0}


@pytest.mark.parametrize("path", ["", "/unread-count", "/preferences", "/stream"])
async def test_notifications_need_a_login(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(f"/notifications{path}")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


async def test_pages_and_the_unread_alone(infra: Infra, people: People) -> None:
    ana, actors = await people.make("ana"), [await people.make() for _ in range(5)]
    for actor in actors:
        await tell(infra, ana.id, actor.id)
    first = (await ana.get("/notifications?limit=3")).json()
    rest = (await ana.get("/notifications", params={"limit": 3, "cursor": first["next_cursor"]})).json()
    assert [it["number"] for it in [*first["items"], *rest["items"]]] == [5, 4, 3, 2, 1]
    assert rest["next_cursor"] is None
    answer = await ana.put(f"/notifications/{first['items'][1]['id']}/read")
    assert answer.json() == {"unread_count": 4}
    assert [it["number"] for it in await inbox(infra, ana, unread=True)] == [5, 3, 2, 1]
    assert [bool(it["read_at"]) for it in await inbox(infra, ana)] == [False, True, False, False, False]


async def test_a_page_is_one_statement_whatever_it_shows(infra: Infra, people: People) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    review = await write_review(ana, await make_album(infra))
    await put(bruno, f"/reviews/{review['id']}/like")
    await put(bruno, f"/users/{ana.username}/follow")
    for _ in range(5):
        await write_comment(bruno, review)
    assert len(await inbox(infra, ana)) == 7
    for path in ("", "?unread=true", "/unread-count", "/preferences"):
        async with queries(infra) as ran:
            assert (await ana.get(f"/notifications{path}")).status_code == 200
        assert ran == [1], path


async def test_reading_twice_counts_once(infra: Infra, people: People) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    await tell(infra, ana.id, bruno.id)
    (item,) = await inbox(infra, ana)
    for _ in range(2):
        answer = await ana.put(f"/notifications/{item['id']}/read")
        assert (answer.status_code, answer.json()) == (200, {"unread_count": 0})
    await check_counters(infra, ana.id)


async def test_nobody_reads_or_deletes_what_is_not_theirs(infra: Infra, people: People) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    await tell(infra, ana.id, bruno.id)
    (item,) = await inbox(infra, ana)
    for notification_id in (item["id"], uuid4()):
        for answer in (
            await bruno.put(f"/notifications/{notification_id}/read"),
            await bruno.delete(f"/notifications/{notification_id}"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert await unread(ana) == 1


async def test_one_is_deleted_and_counted_off(infra: Infra, people: People) -> None:
    ana, actors = await people.make("ana"), [await people.make() for _ in range(3)]
    for actor in actors:
        await tell(infra, ana.id, actor.id)
    newest, _, oldest = await inbox(infra, ana)
    await ana.put(f"/notifications/{oldest['id']}/read")
    for item, left in ((newest, 1), (oldest, 1)):
        assert (await ana.delete(f"/notifications/{item['id']}")).status_code == 204
        assert await unread(ana) == left
    assert (await ana.delete(f"/notifications/{newest['id']}")).status_code == 404
    await tell(infra, ana.id, actors[0].id, "new")
    assert [it["number"] for it in await inbox(infra, ana)] == [4, 2]


async def test_counts_are_exact_when_all_happens_at_once(infra: Infra, people: People) -> None:
    ana, actors = await people.make("ana"), [await people.make() for _ in range(20)]
    for actor in actors:
        await tell(infra, ana.id, actor.id, "before")
    before = await inbox(infra, ana)
    await asyncio.gather(
        *(tell(infra, ana.id, actor.id, "meanwhile") for actor in actors),
        *(ana.put(f"/notifications/{it['id']}/read") for it in before),
        *(ana.put(f"/notifications/{it['id']}/read") for it in before[:5]),
        *(ana.delete(f"/notifications/{it['id']}") for it in before[5:10]),
        ana.post("/notifications/read-all"),
        ana.post("/notifications/read-all"),
    )
    items = await inbox(infra, ana)
    assert [it["number"] for it in items] == [
        *range(40, 20, -1),
        *(it["number"] for it in before if it not in before[5:10]),
    ]
    assert await unread(ana) == len(await inbox(infra, ana, unread=True)) <= 20
    assert (await ana.post("/notifications/read-all")).json() == {"unread_count": 0}
    assert await inbox(infra, ana, unread=True) == []


async def test_what_is_deleted_takes_its_notifications_along(infra: Infra, people: People) -> None:
    ana, bruno, carla = [await people.make(name) for name in ("ana", "bruno", "carla")]
    review = await write_review(ana, await make_album(infra))
    comment = await write_comment(bruno, review)
    reply = await write_comment(carla, review, f"@{ana.username}", comment)
    await put(carla, f"/comments/{comment['id']}/like")
    assert told(await inbox(infra, ana)) == [("comment", "bruno"), ("comment", "carla")]
    assert told(await inbox(infra, bruno)) == [("reply", "carla"), ("like", "carla")]
    await carla.delete(f"/comments/{reply['id']}")
    assert told(await inbox(infra, ana)) == [("comment", "bruno")]
    assert told(await inbox(infra, bruno)) == [("like", "carla")]
    assert await unread(ana) == await unread(bruno) == 1
    await ana.delete(f"/reviews/{review['id']}")
    assert await inbox(infra, ana) == await inbox(infra, bruno) == []
    assert await unread(ana) == await unread(bruno) == 0


async def test_a_block_or_a_mute_takes_back_what_was_told(infra: Infra, people: People) -> None:
    ana, bruno, carla, dora = [await people.make(name) for name in ("ana", "bruno", "carla", "dora")]
    for one, other in ((ana, bruno), (bruno, ana), (ana, carla), (carla, ana), (ana, dora)):
        await tell(infra, one.id, other.id)
    await put(ana, f"/users/{bruno.username}/block")
    await put(ana, f"/users/{carla.username}/mute")
    # at once in the list, and in the count as soon as the job has run
    assert told((await ana.get("/notifications")).json()["items"]) == [("follow", "dora")]
    assert (await bruno.get("/notifications")).json()["items"] == []
    assert told(await inbox(infra, ana)) == [("follow", "dora")]
    assert await unread(ana) == 1
    assert await inbox(infra, bruno) == []
    # the muted do not learn of it
    assert told(await inbox(infra, carla)) == [("follow", "ana")]


async def test_a_review_that_one_may_no_longer_read_is_not_named(infra: Infra, people: People) -> None:
    ana, bruno, carla = [await people.make(name) for name in ("ana", "bruno", "carla")]
    review = await write_review(ana, await make_album(infra))
    comment = await write_comment(bruno, review)
    await write_comment(carla, review, "Yes", comment)
    await drain(infra)
    await ana.patch("/users/me", json={"profile_visibility": "me"})
    (item,) = await inbox(infra, bruno)
    assert (item["kind"], item["review"], item["comment"]) == ("reply", None, None)
    assert (await inbox(infra, ana))[0]["review"]["id"] == review["id"]


async def test_a_deleted_account_is_forgotten(infra: Infra, people: People) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    for i in range(5):
        await tell(infra, ana.id, bruno.id, str(i))
        await tell(infra, bruno.id, ana.id, str(i))
    await bruno.put("/notifications/preferences", json={"kinds": {"like": False}})
    async with infra.db.write() as db:
        await forget_person(db, AccountDeleted(user_id=bruno.id, keep_content=True))
    assert await inbox(infra, ana) == []
    assert await unread(ana) == 0
    for table in (Inbox, Notification, NotificationPreference):
        assert await infra.db.reader.one(select(func.count()).where(table.user_id == bruno.id)) == 0


async def test_preferences_name_every_kind_and_keep_what_is_not_named(people: People) -> None:
    ana = await people.make("ana")
    kinds = (await ana.get("/notifications/preferences")).json()["items"]
    assert {"kind": "like", "title": "Likes of your reviews and comments", "enabled": True} in kinds
    assert [it["kind"] for it in kinds][:5] == ["like", "comment", "reply", "follow", "mention"]
    await ana.put("/notifications/preferences", json={"kinds": {"like": False, "mention": False}})
    answer = await ana.put("/notifications/preferences", json={"kinds": {"mention": True}})
    assert {it["kind"] for it in answer.json()["items"] if not it["enabled"]} == {"like"}
    assert (await ana.get("/notifications/preferences")).json() == answer.json()
    assert (await ana.put("/notifications/preferences", json={"kinds": {}})).json() == answer.json()


@pytest.mark.parametrize(
    ("kinds", "pointer"),
    [
        ({"nonsense": False}, "/body/kinds/nonsense"),
        ({"a/b~\0": True}, "/body/kinds/a~1b~0\0/[key]"),
        ({"like": "no"}, "/body/kinds/like"),
        (None, "/body/kinds"),
    ],
)
async def test_a_preference_that_makes_no_sense_is_refused(people: People, kinds: object, pointer: str) -> None:
    ana = await people.make("ana")
    answer = await ana.put("/notifications/preferences", json={"kinds": kinds})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_an_export_has_notifications_and_preferences(infra: Infra, people: People) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    await tell(infra, ana.id, bruno.id)
    await ana.put("/notifications/preferences", json={"kinds": {"like": False}})
    (row,) = [row async for row in export_notifications(infra.db.reader, ana.id)]
    assert (row["kind"], row["actor_id"], row["number"]) == ("follow", bruno.id, 1)
    assert [row async for row in export_preferences(infra.db.reader, ana.id)] == [{"kind": "like", "enabled": False}]
