"""Lists of playlists and of what is in them walk indexes, however many people and playlists there are."""

import pytest
from fastapi import FastAPI

from app.core.infra import Infra
from app.core.paging import PageRequest
from app.playlists.entry_queries import ENTRIES
from app.playlists.lapses import LAPSED, LAPSED_HERE
from app.playlists.queries import ACTIVITIES, LIKED, MEMBERS, MINE, OF_PERSON, PLAYLIST, playlists_page
from tests.library.test_plans import an_id, plan

FILL = """
CREATE FUNCTION pg_temp.an_id(text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT md5($1)::uuid $$;
INSERT INTO users (id, username, username_key, display_name)
    SELECT pg_temp.an_id('u' || i), 'u' || i, 'u' || i, 'U' FROM generate_series(1, 3000) i;
INSERT INTO artists (id, name, name_key) SELECT pg_temp.an_id('a' || i), 'A', 'a' FROM generate_series(1, 1000) i;
INSERT INTO tracks (id, title, title_key, artist_id)
    SELECT pg_temp.an_id('t' || i), 'T', 't', pg_temp.an_id('a' || 1 + i % 1000) FROM generate_series(1, 5000) i;
INSERT INTO channels (id, kind) SELECT pg_temp.an_id('p' || i), 'playlist' FROM generate_series(1, 6000) i;
INSERT INTO playlists (id, owner_id, name, name_key, visibility, like_count)
    SELECT pg_temp.an_id('p' || i), pg_temp.an_id('u' || 1 + i % 3000), 'P', 'p' || i,
        CASE WHEN i % 3 = 0 THEN 'private' ELSE 'public' END, i % 50 FROM generate_series(1, 6000) i;
INSERT INTO playlist_members (id, playlist_id, user_id, role)
    SELECT pg_temp.an_id('m' || i), pg_temp.an_id('p' || i), pg_temp.an_id('u' || 1 + i % 3000), 'owner'
    FROM generate_series(1, 6000) i;
INSERT INTO playlist_entries (id, playlist_id, rank, track_id, title, artist)
    SELECT pg_temp.an_id('e' || i), pg_temp.an_id('p' || 1 + i % 60), i, pg_temp.an_id('t' || 1 + i % 5000), 'T', 'A'
    FROM generate_series(1, 30000) i;
INSERT INTO playlist_activities (id, playlist_id, action)
    SELECT pg_temp.an_id('x' || i), pg_temp.an_id('p' || 1 + i % 600), 'add' FROM generate_series(1, 12000) i;
INSERT INTO likes (id, user_id, playlist_id)
    SELECT pg_temp.an_id('l' || i), pg_temp.an_id('u' || 1 + i % 3000), pg_temp.an_id('p' || 1 + i % 5000)
    FROM generate_series(1, 9000) i
"""
LARGE = ("playlists", "playlist_entries", "playlist_members", "playlist_activities", "users", "tracks", "likes")


@pytest.fixture
async def filled(fresh: FastAPI) -> Infra:
    infra: Infra = fresh.state.infra
    async with infra.db.write() as db:
        for statement in FILL.split(";\n"):
            await (await db.connection()).exec_driver_sql(statement)
    async with infra.db.autocommit.connect() as connection:
        await connection.exec_driver_sql("ANALYZE")
    return infra


async def test_no_list_reads_a_whole_table(filled: Infra) -> None:
    page, me, this = PageRequest(limit=20), an_id("u7"), an_id("p7")
    here = {"playlist_id": this, "viewer": me}
    statements = {
        "new": playlists_page("new", frozenset()).page_statement(page, viewer=me),
        "popular": playlists_page("popular", frozenset()).page_statement(page, viewer=me),
        "mine": MINE.page_statement(page, viewer=me),
        "of a person": OF_PERSON.page_statement(page, viewer=me, person_id=an_id("u9")),
        "liked": LIKED.page_statement(page, viewer=me),
        "one": PLAYLIST.statement(**here),
        "entries": ENTRIES.page_statement(PageRequest(limit=100), **here),
        "members": MEMBERS.page_statement(page, **here),
        "activities": ACTIVITIES.page_statement(page, **here),
        "who may not hear": LAPSED.statement(channels=[this, an_id("p8")], people=[me, me]),
        "who of those here": LAPSED_HERE.statement(playlist_id=this),
    }
    for name, (sql, arguments) in statements.items():
        found = await plan(filled, sql, arguments)
        whole = [table for table in LARGE if f"Seq Scan on {table}" in found]
        assert not whole, f"{name} reads all of {whole}:\n{found}"
