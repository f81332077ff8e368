"""Reads of listens walk the primary key, and touch the table only for what they show."""

import asyncio
from datetime import datetime
from hashlib import md5
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI

from app.core.ids import MIN_UUID
from app.core.infra import Infra
from app.core.paging import PageRequest
from app.library.queries import GENRES_HEARD, TOP, listens_page

FILL = """
CREATE FUNCTION pg_temp.an_id(text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT md5($1)::uuid $$;
INSERT INTO users (id, username, username_key, display_name)
    SELECT pg_temp.an_id('u' || i), 'u' || i, 'u' || i, 'U' FROM generate_series(1, 50) i;
INSERT INTO artists (id, name, name_key) SELECT pg_temp.an_id('a' || i), 'A', 'a' FROM generate_series(1, 100) i;
INSERT INTO albums (id, title, title_key, artist_id)
    SELECT pg_temp.an_id('b' || i), 'B', 'b', pg_temp.an_id('a' || i) FROM generate_series(1, 100) i;
INSERT INTO tracks (id, title, title_key, artist_id, album_id, position)
    SELECT pg_temp.an_id('t' || i), 'T', 't', pg_temp.an_id('a' || 1 + i % 100), pg_temp.an_id('b' || 1 + i % 100), i
    FROM generate_series(1, 2000) i;
INSERT INTO listens (user_id, id, track_id, listened_at, source)
    SELECT pg_temp.an_id('u' || 1 + i % 50), pg_temp.an_id('l' || i), pg_temp.an_id('t' || 1 + i * 7 % 2000), now(),
        'room' FROM generate_series(1, 50000) i
"""
VISIBLE = "SELECT relallvisible > 0 FROM pg_class WHERE relname = 'listens'"


@pytest.fixture
async def filled(fresh: FastAPI) -> Infra:
    infra: Infra = fresh.state.infra
    async with infra.db.write() as db:
        for statement in FILL.split(";\n"):
            await (await db.connection()).exec_driver_sql(statement)
    async with infra.db.autocommit.connect() as connection:
        await connection.exec_driver_sql("ANALYZE")
        # another process's snapshot may hold it up for a moment
        while not (await connection.exec_driver_sql(VISIBLE)).scalar():
            await connection.exec_driver_sql("VACUUM listens")
            await asyncio.sleep(0.1)
    return infra


def an_id(name: str) -> UUID:
    return UUID(md5(name.encode()).hexdigest())


def _literal(value: Any) -> str:
    if isinstance(value, list):
        return f"ARRAY[{', '.join(map(_literal, value))}]::uuid[]"
    return "'infinity'" if isinstance(value, datetime) else f"'{value}'"


async def plan(infra: Infra, sql: str, arguments: list[Any]) -> str:
    """The plan as a busy connection keeps it."""
    async with infra.db.engine.connect() as connection:
        await connection.exec_driver_sql("SET plan_cache_mode = force_generic_plan")
        await connection.exec_driver_sql("SET random_page_cost = 1.1")
        await connection.exec_driver_sql(f"PREPARE it AS {sql}")
        explain = f"EXPLAIN EXECUTE it({', '.join(map(_literal, arguments))})"
        lines = (await connection.exec_driver_sql(explain)).scalars().all()
        await connection.exec_driver_sql("DEALLOCATE it")
    return "\n".join(lines)


async def test_lists_walk_the_primary_key(filled: Infra) -> None:
    for name in (None, "track_id", "album_id", "artist_id"):
        query = listens_page(frozenset([name] if name else []))
        given = {name: an_id("a1")} if name else {}
        statement = query.page_statement(PageRequest(limit=20), user_id=an_id("u1"), viewer=an_id("u2"), **given)
        found = await plan(filled, *statement)
        assert "Index Only Scan Backward using pk_listens" in found, found
        assert "Sort" not in found, found


async def test_what_was_heard_most_is_counted_from_the_index_alone(filled: Infra) -> None:
    for query in TOP.values():
        found = await plan(filled, *query.statement(user_id=an_id("u1"), viewer=an_id("u1"), first_id=MIN_UUID))
        assert "Index Only Scan using pk_listens" in found, found
    found = await plan(filled, *GENRES_HEARD.statement(user_ids=[an_id("u1"), an_id("u2")]))
    assert "Index Only Scan Backward using pk_listens" in found, found


async def test_a_track_s_listens_are_found_by_it(filled: Infra) -> None:
    found = await plan(filled, "SELECT FROM listens WHERE track_id = $1", [an_id("t1")])
    assert "ix_listens_track_id" in found, found


async def test_the_key_holds_the_track_and_is_vacuumed_often(infra: Infra) -> None:
    ((definition,),) = await infra.db.fetch("SELECT pg_get_indexdef('pk_listens'::regclass)", [])
    assert definition.endswith("(user_id, id) INCLUDE (track_id)")
    ((options,),) = await infra.db.fetch("SELECT reloptions FROM pg_class WHERE relname = 'listens'", [])
    assert options == ["autovacuum_vacuum_insert_scale_factor=0.02"]
