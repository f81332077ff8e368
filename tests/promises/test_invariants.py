"""Whatever people do at once, what is counted stays what can be counted."""

import asyncio

import pytest
from fastapi import FastAPI

from app.core.ids import MIN_UUID
from app.core.infra import Infra
from app.feed.service import trim
from tests.conftest import serving
from tests.people import People
from tests.promises.crowd import Crowd
from tests.promises.invariants import INVARIANTS, broken
from tests.promises.together import acts_at


async def hold(app: FastAPI, *, people: int, seed: int, times: int, acts: str = "alone") -> None:
    """Lets a crowd live, then looks at everything. Nobody may see a fault, and no job may fail."""
    infra: Infra = app.state.infra
    async with People(app) as made, serving(app, infra.settings) as address:
        crowd = Crowd(app, made)
        if acts != "alone":
            crowd.acts = [*acts_at(address), *(crowd.acts if acts == "all" else [])]
        await crowd.gather(people)
        await crowd.live(seed, times)
        await everybody_is_gone(infra)
    async with infra.db.write() as db:
        await trim(db, MIN_UUID)
    assert crowd.faults == []
    assert await broken(infra.db.reader) == {}
    assert {name for name, status in crowd.statuses if status < 300} == {act.__name__ for act, _ in crowd.acts}


async def everybody_is_gone(infra: Infra) -> None:
    """Those who sat somewhere are noted to have gone."""
    async with asyncio.timeout(5):
        while await infra.db.fetch("SELECT FROM presences", []):
            await asyncio.sleep(0.05)


async def test_a_crowd_breaks_nothing(fresh: FastAPI) -> None:
    await hold(fresh, people=8, seed=1, times=80)


async def test_a_crowd_in_rooms_and_groups_breaks_nothing(fresh: FastAPI) -> None:
    await hold(fresh, people=6, seed=1, times=140, acts="together")


@pytest.mark.slow
@pytest.mark.parametrize("acts", ["alone", "together", "all"])
@pytest.mark.parametrize("seed", range(4))
async def test_a_persistent_crowd_breaks_nothing(fresh: FastAPI, seed: int, acts: str) -> None:
    await hold(fresh, people=8, seed=seed, times=400, acts=acts)


BREAKS = {
    "albums count their likes": "UPDATE albums SET like_count = like_count + 1",
    "inboxes count what is unread": "UPDATE inboxes SET unread_count = unread_count + 1",
    "reviews count their likes and comments": "UPDATE reviews SET comment_count = 99",
    "feeds leave nothing out": "DELETE FROM feed_entries",
    "albums count their published reviews": "UPDATE albums SET rating_counts[3] = rating_counts[3] + 1",
    "people count who follows whom": "UPDATE users SET follower_count = follower_count - 1",
}


async def test_what_is_broken_is_found(fresh: FastAPI) -> None:
    """The statements are no decoration: what they hold is seen when it does not hold."""
    infra: Infra = fresh.state.infra
    async with People(fresh) as made:
        crowd = Crowd(fresh, made)
        await crowd.gather(4)
        await crowd.live(2, 30)
    for name, sql in BREAKS.items():
        await infra.db.fetch(sql, [])
        assert name in await broken(infra.db.reader), name
    assert BREAKS.keys() <= INVARIANTS.keys()
