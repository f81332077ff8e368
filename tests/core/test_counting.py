"""How statements are counted: what runs by the clock is in nobody's number of queries."""

from sqlalchemy import text

from app.core.infra import Infra
from tests.people import queries


async def test_what_runs_by_the_clock_is_not_counted(infra: Infra) -> None:
    for counted in (False, True):
        async with queries(infra) as ran, infra.db.write(counted=counted) as db:
            await db.execute(text("SELECT 1"))
            await db.records("SELECT 1", [])
        assert ran == [2 * counted]
