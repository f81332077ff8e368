"""Notifications as they come: in order, resumed, ended for a reason, and cheap while nothing happens."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Message

from app.core.config import Settings
from app.core.infra import Infra
from app.core.revocations import revoke
from app.core.streams import SLOW_SECONDS
from app.notifications.stream import open_stream
from tests import clock
from tests.conftest import running, serving
from tests.feed.factories import put
from tests.notifications.factories import inbox, stream, tell
from tests.people import People, Person, queries


async def test_a_stream_says_hello_then_tells_what_comes(infra: Infra, people: People, live: str) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    await tell(infra, ana.id, bruno.id, "before")
    async with stream(live, ana) as events:
        hello = await anext(events)
        assert (hello.name, hello.id, hello.data) == ("hello", "1", {"unread_count": 1})
        await tell(infra, ana.id, bruno.id, "now")
        event = await anext(events)
        (item, _) = await inbox(infra, ana)
        assert (event.name, event.id, event.data) == ("notification", "2", {**item, "unread_count": 2})


async def test_what_came_meanwhile_is_told_to_who_names_the_last_event(infra: Infra, people: People, live: str) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    for i in range(250):
        await tell(infra, ana.id, bruno.id, str(i))
    for query in ({"after": 3}, {"last_event_id": 3}, {"after": 3, "last_event_id": 200}):
        async with stream(live, ana, **query) as events:
            numbers = [int((await anext(events)).id or 0) for _ in range(247)]
            assert numbers == list(range(4, 251))
    async with stream(live, ana, after=250) as events:
        # nothing was missed, so there is only the count to tell
        event = await anext(events)
        assert (event.name, event.id, event.data) == ("unread", None, {"unread_count": 250})


async def test_a_number_that_was_never_given_begins_anew(infra: Infra, people: People, live: str) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    async with stream(live, ana, after=77) as events:
        assert await anext(events) == await first_event(live, ana)
        await tell(infra, ana.id, bruno.id)
        assert (await anext(events)).id == "1"


@pytest.mark.parametrize("number", ["x", "-1", "1.5", str(2**63)])
async def test_a_last_event_id_that_is_no_number_is_refused(people: People, number: str) -> None:
    ana = await people.make("ana")
    answer = await ana.get("/notifications/stream", headers={"Last-Event-ID": number})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


async def test_the_answer_is_for_event_sources(people: People, live: str) -> None:
    ana = await people.make("ana")
    url, headers = f"{live}/api/v1/notifications/stream", {"Authorization": f"Bearer {ana.token}"}
    async with httpx.AsyncClient() as client, client.stream("GET", url, headers=headers) as answer:
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        assert await anext(answer.aiter_lines()) == "retry: 1000"


async def test_another_device_hears_what_was_read_or_deleted(infra: Infra, people: People, live: str) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    for i in range(3):
        await tell(infra, ana.id, bruno.id, str(i))
    newest, *_ = await inbox(infra, ana)
    async with stream(live, ana) as events:
        assert (await anext(events)).data == {"unread_count": 3}
        await put(ana, f"/notifications/{newest['id']}/read")
        event = await anext(events)
        assert (event.name, event.id, event.data) == ("unread", None, {"unread_count": 2})
        await ana.delete(f"/notifications/{(await inbox(infra, ana, unread=True))[0]['id']}")
        assert (await anext(events)).data == {"unread_count": 1}
        await ana.post("/notifications/read-all")
        assert (await anext(events)).data == {"unread_count": 0}


async def test_a_block_is_seen_in_the_stream(infra: Infra, people: People, live: str) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    await tell(infra, ana.id, bruno.id)
    await put(ana, f"/users/{bruno.username}/block")
    async with stream(live, ana, after=0) as events:
        # the job that deletes the notification has not run: the count still has it, the list no longer
        assert (await anext(events)).name == "unread"
        await inbox(infra, ana)
        assert (await anext(events)).data == {"unread_count": 0}


async def test_a_ticket_opens_one_stream(infra: Infra, people: People, live: str) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    ticket = (await ana.post("/auth/tickets")).json()["ticket"]
    async with stream(live, ticket=ticket) as events:
        assert (await anext(events)).name == "hello"
        await tell(infra, ana.id, bruno.id)
        assert (await anext(events)).data["number"] == 1
    async with httpx.AsyncClient() as client:
        for used in (ticket, "nonsense"):
            answer = await client.get(f"{live}/api/v1/notifications/stream", params={"ticket": used})
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


async def test_a_revoked_session_ends_its_streams_within_a_second(infra: Infra, people: People, live: str) -> None:
    ana = await people.make("ana")
    session_id = infra.tokens.verify(ana.token).session_id
    async with stream(live, ana) as events:
        await anext(events)
        async with infra.db.write() as db:
            await revoke(db, [session_id], until=datetime.now(UTC) + timedelta(hours=1))
        begun = clock.now()
        assert [event.name async for event in events] == ["unauthorized"]
        assert clock.now() - begun < 1.2


async def test_a_server_that_stops_tells_its_streams_to_go_elsewhere(
    settings: Settings, infra: Infra, people: People
) -> None:
    ana = await people.make("ana")
    async with running(settings) as other, serving(other, settings) as address, stream(address, ana) as events:
        await anext(events)
        other.state.infra.drain()
        assert [event.name async for event in events] == ["reconnect"]
        async with stream(address, ana) as late:
            assert [event.name async for event in late] == ["reconnect"]


async def test_a_notification_reaches_the_streams_of_other_processes(
    settings: Settings, infra: Infra, people: People
) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    async with running(settings) as other, serving(other, settings) as address, stream(address, ana) as events:
        await anext(events)
        begun = clock.now()
        for i in range(6):
            await tell(infra, ana.id, bruno.id, str(i))
            await anext(events)
        # by Redis: the look at the versions each second would need five seconds
        assert clock.now() - begun < 3


async def test_a_deaf_broker_delays_a_notification_but_does_not_lose_it(
    settings: Settings, infra: Infra, people: People
) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    async with running(settings) as other, serving(other, settings) as address, stream(address, ana) as events:
        await anext(events)
        for i in range(3):
            await infra.redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            begun = clock.now()
            await tell(infra, ana.id, bruno.id, str(i))
            assert (await anext(events)).id == str(i + 1)
            assert clock.now() - begun < 2


async def test_fifty_idle_streams_cost_what_one_costs(infra: Infra, people: People, live: str) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    async with stream(live, ana), queries(infra) as one:
        await asyncio.sleep(2.2)
    async with asyncio.TaskGroup() as group:
        done = asyncio.Event()
        readers = [asyncio.Event() for _ in range(50)]
        for reader, person in zip(readers, [ana] * 25 + [bruno] * 25, strict=True):
            group.create_task(keep_open(live, person, reader, done))
        await asyncio.gather(*(reader.wait() for reader in readers))
        assert infra.hub.size == 50
        async with queries(infra) as fifty:
            await asyncio.sleep(2.2)
        done.set()
    assert fifty[0] <= one[0] + 2
    await asyncio.sleep(0.1)
    assert infra.hub.size == 0


async def test_every_stream_of_a_person_gets_everything(infra: Infra, people: People, live: str) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")

    async def receive() -> list[int]:
        numbers: list[int] = []
        async with stream(live, ana, after=0) as events:
            while len(numbers) < 40:
                event = await anext(events)
                numbers += [event.data["number"]] if event.name == "notification" else []
        return numbers

    readers = [asyncio.create_task(receive()) for _ in range(5)]
    for i in range(40):
        await tell(infra, ana.id, bruno.id, str(i))
    assert await asyncio.gather(*readers) == [list(range(1, 41))] * 5


async def test_a_reader_who_does_not_read_is_left(infra: Infra, people: People) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    sent: list[bytes] = []

    async def send(message: Message) -> None:
        sent.append(message.get("body", b""))
        if b"event" in sent[-1]:
            await asyncio.Event().wait()

    await tell(infra, ana.id, bruno.id)
    response = open_stream(infra, infra.tokens.verify(ana.token), 0)
    begun, wall = clock.now(), time.monotonic()
    await response({"type": "http"}, asyncio.Event().wait, send)
    assert time.monotonic() - wall >= SLOW_SECONDS
    assert clock.now() - begun < SLOW_SECONDS + 2
    assert infra.hub.size == 0


async def test_the_documentation_shows_a_stream(app: FastAPI) -> None:
    operation = app.openapi()["paths"]["/api/v1/notifications/stream"]["get"]
    (media_type,) = operation["responses"]["200"]["content"]
    assert media_type == "text/event-stream"
    assert "event: notification" in operation["responses"]["200"]["content"][media_type]["example"]
    assert {"Last-Event-ID", "last_event_id", "ticket"} <= {it["name"] for it in operation["parameters"]}


async def first_event(address: str, person: Person) -> object:
    async with stream(address, person) as events:
        return await anext(events)


async def keep_open(address: str, person: Person, ready: asyncio.Event, done: asyncio.Event) -> None:
    async with stream(address, person) as events:
        await anext(events)
        ready.set()
        await done.wait()
