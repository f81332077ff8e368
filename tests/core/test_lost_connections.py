"""A database that was away: the connections of before are not given out again."""

from fastapi import FastAPI

from app.core.errors import Unavailable
from app.core.infra import Infra

END_ALL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"


async def test_raw_statements_survive_a_restart(fresh: FastAPI) -> None:
    infra: Infra = fresh.state.infra
    for _ in range(2):
        async with infra.db.write() as db:
            await db.records("SELECT 1", [])
        async with infra.db.write() as db:
            await db.records("SELECT pg_sleep(0)", [])
        try:
            await infra.db.fetch(f"{END_ALL} AND pid <> pg_backend_pid()", [])
        except Unavailable:
            raise AssertionError("the one that ends them stays") from None
        failures = 0
        for _ in range(infra.settings.database_pool_size + 1):
            try:
                async with infra.db.write() as db:
                    assert (await db.records("SELECT 1 AS one", []))[0]["one"] == 1
            except Unavailable:
                failures += 1
        assert failures <= 1
