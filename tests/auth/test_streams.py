"""Streams die with their session."""

import asyncio
import time

import httpx
import pytest

from tests.auth.factories import PASSWORD, Signed, sign_in, sign_up


async def farewell(live: str, account: Signed, *, by_ticket: bool) -> tuple[str, float]:
    """Opens the stream of notifications and waits for its end: the last event, and when it came."""
    async with httpx.AsyncClient(base_url=f"{live}/api/v1", timeout=10) as client:
        headers, query = dict(account.bearer), {}
        if by_ticket:
            query = {"ticket": (await client.post("/auth/tickets", headers=headers)).json()["ticket"]}
            headers = {}
        async with client.stream("GET", "/notifications/stream", params=query, headers=headers) as stream:
            assert stream.status_code == 200
            lines = [line async for line in stream.aiter_lines() if line.startswith("event:")]
        return lines[-1], time.monotonic()


@pytest.mark.parametrize("by_ticket", [False, True])
@pytest.mark.parametrize("deed", ["logout", "logout-all", "change-password"])
async def test_a_stream_ends_within_a_second_of_its_session(
    client: httpx.AsyncClient, live: str, deed: str, by_ticket: bool
) -> None:
    account = await sign_up(client)
    other = await sign_in(client, account.username)
    waiting = asyncio.create_task(farewell(live, account, by_ticket=by_ticket))
    await asyncio.sleep(0.5)
    assert not waiting.done()
    body = {"current_password": PASSWORD, "new_password": "a fresh password 7"} if deed == "change-password" else None
    doer = account if deed == "logout" else other
    answer = await client.post(f"/auth/{deed}", json=body, headers=doer.bearer)
    assert answer.is_success
    done = time.monotonic()
    event, ended = await asyncio.wait_for(waiting, 5)
    assert event == "event: unauthorized"
    assert ended - done < 1.0
