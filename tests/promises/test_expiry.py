"""A session that is over is over on its sockets too, and with a new token nothing is missing."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.core.config import Settings
from app.core.ids import uuid7
from app.core.tokens import AccessTokens
from tests import clock
from tests.chat.pairs import Pair, begin
from tests.conftest import running, serving
from tests.people import People
from tests.servers import servers_on
from tests.sockets import Seat, sit

LIFE_SECONDS = 2
PASSWORD = "a long enough one"


def short_token(settings: Settings, user_id: UUID) -> tuple[str, float]:
    """A token for a moment, and when that is over."""
    changes = {"access_token_minutes": LIFE_SECONDS / 60}
    token, _ = AccessTokens(settings.model_copy(update=changes)).issue(user_id, uuid7(), "user")
    return token, int(time.time()) + LIFE_SECONDS


@asynccontextmanager
async def processes(settings: Settings, live: str, *, whole: bool) -> AsyncIterator[list[str]]:
    """Three servers of their own, or two applications in this process."""
    if whole:
        async with servers_on(settings, 3, SOCKET_FRAMES_PER_SECOND="100000") as servers:
            yield [server.address for server in servers]
    else:
        async with running(settings) as other, serving(other, settings) as elsewhere:
            yield [live, elsewhere]


async def follow(settings: Settings, addresses: list[str], pair: Pair, over: asyncio.Event) -> tuple[list[int], Any]:
    """Hears the conversation with one short token after the other; what was heard, and how late each end was."""
    heard: list[int] = []
    late: list[float] = []
    while not over.is_set():
        token, until = short_token(settings, pair.ana.id)
        last = heard[-1] if heard else 0
        path = f"{pair.path}?token={token}"
        async with sit(random.choice(addresses), path, last=last) as seat:
            assert seat.welcome["recovered"]
            assert await seat.closed() == 4401
            late.append(time.time() - until)
            heard += seat.sequences
    return heard, late


async def talk(seat: Seat, over: asyncio.Event) -> int:
    """Says something every few milliseconds; how often."""
    number = 0
    while not over.is_set():
        number += 1
        await seat.say(type="send", client_id=str(number), text=f"Number {number}")
        await asyncio.sleep(0.01 if number % 10 else 0.1)
    await seat.get("ack", client_id=str(number))
    return number


async def hold(settings: Settings, addresses: list[str], pair: Pair, *, followers: int, seconds: float) -> list[float]:
    over = asyncio.Event()
    async with sit(addresses[0], pair.path, pair.bruno) as bruno:
        talking = asyncio.create_task(talk(bruno, over))
        following = [asyncio.create_task(follow(settings, addresses, pair, over)) for _ in range(followers)]
        await asyncio.sleep(seconds)
        over.set()
        said = await talking
        results = await asyncio.gather(*following)
        for heard, _ in results:
            assert heard == list(range(1, heard[-1] + 1)), "a new token lost something"
            async with sit(addresses[-1], pair.path, pair.ana, last=heard[-1]) as seat:
                assert heard + seat.sequences == list(range(1, said + 1))
    return [each for _, late in results for each in late]


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.slow)])
async def test_tokens_expire_in_time_and_new_ones_lose_nothing(
    settings: Settings, live: str, people: People, whole: bool
) -> None:
    pair = await begin(people)
    async with processes(settings, live, whole=whole) as addresses:
        late = await hold(settings, addresses, pair, followers=6 if whole else 2, seconds=40 if whole else 1)
    print(f"\n{len(late)} tokens: closed at most {max(late):.2f} s after they expired")
    assert 0 <= min(late) <= max(late) < 1


async def sign_in(client: httpx.AsyncClient, name: str) -> str:
    answer = await client.post("/auth/login/json", json={"username": name, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.slow)])
async def test_signing_out_everywhere_ends_every_socket(
    settings: Settings, live: str, people: People, client: httpx.AsyncClient, whole: bool
) -> None:
    name = f"everywhere_{uuid7().hex[-12:]}"
    person = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
    assert (await client.post("/auth/register", json=person)).status_code in {201, 202}
    bystander = await people.make("bystander")
    answer = await bystander.put(f"/direct/{name}")
    path = f"direct/{answer.json()['id']}"
    seconds: list[float] = []
    async with processes(settings, live, whole=whole) as addresses, sit(addresses[0], path, bystander) as other:
        for _ in range(20 if whole else 1):
            tokens = [await sign_in(client, name) for _ in range(2)]
            async with AsyncExitStack() as stack:
                places = [f"{path}?token={token}" for token in tokens]
                seats = [await stack.enter_async_context(sit(at, place)) for at in addresses for place in places]
                await asyncio.sleep(random.uniform(0, 0.5))
                first = {"Authorization": f"Bearer {tokens[0]}"}
                assert (await client.post("/auth/logout-all", headers=first)).status_code == 204
                asked = clock.now()
                assert await asyncio.gather(*(end_of(seat, asked, seconds) for seat in seats)) == [4401] * len(seats)
            for token in tokens:
                headers = {"Authorization": f"Bearer {token}"}
                while (await client.get("/auth/me", headers=headers)).status_code != 401:
                    assert clock.now() - asked < 1, "this process, too, knows within a second"
                    await asyncio.sleep(0.02)
        await other.say(type="ping", id=1, client_ms=0.0)
        await other.get("pong")
    print(f"\nsigned out everywhere: closed after at most {max(seconds):.2f} s")
    assert max(seconds) < 1


async def end_of(seat: Seat, asked: float, seconds: list[float]) -> int | None:
    code = await seat.closed()
    seconds.append(clock.now() - asked)
    return code
