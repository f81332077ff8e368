"""Addresses of databases as hosts write them."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.core.config import Settings
from app.core.database_url import driver_dsn, postgres_url
from app.core.db import Database
from app.core.infra import Infra
from app.core.migrations import current_revision

SPELLINGS = [
    "sslmode=prefer",
    "ssl=prefer",
    "ssl=false",
    "application_name=soundscore",
    "channel_binding=prefer&connect_timeout=5&keepalives_idle=30",
    "options=-c%20search_path%3Dpublic",
    "pgbouncer=true&connection_limit=1",
    "sslmode=prefer&channel_binding=prefer&application_name=sound%20score&target_session_attrs=any",
]


@pytest.mark.parametrize("options", SPELLINGS)
async def test_each_spelling_connects_in_every_way(infra: Infra, options: str) -> None:
    plain = infra.settings.database_url
    url = plain + ("&" if "?" in plain else "?") + options
    settings = Settings(database_url=url, data_dir=infra.settings.data_dir, _env_file=None)
    database = Database(settings)
    await database.open()
    try:
        assert (await database.fetch("SELECT 1 AS one", []))[0]["one"] == 1
        async with database.engine.connect() as connection:
            assert await connection.scalar(text("SELECT 2")) == 2
        assert await current_revision(settings.database_url)
    finally:
        await database.close()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("postgres://a:b@h/d", "postgresql://a:b@h/d"),
        ("postgresql+psycopg2://a:b%40c@h:1/d?sslmode=require", "postgresql://a:b%40c@h:1/d?sslmode=require"),
        ("postgres://h/d?ssl=true&channel_binding=require", "postgresql://h/d?sslmode=require"),
        ("postgres://h/d?connect_timeout=10", "postgresql://h/d"),
        ("postgresql:///d?host=/run/pg&port=5433", "postgresql:///d?host=%2Frun%2Fpg&port=5433"),
    ],
)
def test_what_the_driver_gets(given: str, kept: str) -> None:
    assert driver_dsn(postgres_url(given)) == kept


@pytest.mark.parametrize("url", ["mysql://h/d", "h/d", "", "sqlite:///x"])
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="postgres://"):
        postgres_url(url)


async def test_errors_do_not_tell_values(infra: Infra) -> None:
    async with infra.db.engine.connect() as connection:
        with pytest.raises(DBAPIError) as caught:
            await connection.execute(text("SELECT 1 / (CAST(:divisor AS bigint) - 424242)"), {"divisor": 424242})
    assert "division by zero" in str(caught.value)
    assert "424242}" not in str(caught.value)
    assert "parameters hidden" in str(caught.value)
