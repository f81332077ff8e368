"""A page of the feed costs the same whatever the history, and feeds end somewhere."""

import json
from typing import Any

from sqlalchemy import select

from app.core.infra import Infra
from app.core.jobs import drain
from app.core.query import PageQuery
from app.feed.handlers import trim_feeds
from app.feed.models import FeedEntry
from app.feed.queries import EVERYONE, FOLLOWING
from app.feed.service import KEPT, TRIM_BATCH
from tests.feed.factories import crowd, follow_all, past_reviews
from tests.people import People
from tests.reviews.factories import make_album


async def test_ten_or_five_hundred_followed_touch_as_many_rows(infra: Infra, people: People) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    albums = [await make_album(infra) for _ in range(8)]
    few, many = await crowd(infra, 10), await crowd(infra, 500)
    await follow_all(infra, ana.id, few)
    await follow_all(infra, bruno.id, many)
    await past_reviews(infra, few, albums, readers=[ana.id])
    await past_reviews(infra, many, albums, readers=[bruno.id])
    await infra.db.fetch("ANALYZE", [])
    with_few, with_many = await touched(infra, FOLLOWING, ana.id), await touched(infra, FOLLOWING, bruno.id)
    assert with_many <= 1.2 * with_few
    # a page has 21 rows of some ten tables, and for each a look at small ones; one walk through the rest is 4,000
    assert with_many < 3_000
    assert await touched(infra, EVERYONE, (await people.make()).id) < 3_000


async def touched(infra: Infra, query: PageQuery[Any], viewer: Any) -> float:
    """How many rows all nodes of the plan handed on or threw away."""
    arguments = query._arguments({"viewer": viewer, "after_0": query._start[0]})
    sql = f"EXPLAIN (ANALYZE, FORMAT JSON) {query.sql} LIMIT 21"
    ((plan,),) = await infra.db.fetch(sql, arguments)
    return rows((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])


def rows(node: dict[str, Any]) -> float:
    here = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Join Filter", 0)
    return here * node["Actual Loops"] + sum(rows(child) for child in node.get("Plans", []))


async def test_feeds_keep_their_newest_entries(infra: Infra, people: People) -> None:
    ana, actors = await people.make("ana"), await crowd(infra, TRIM_BATCH + 20)
    albums = [await make_album(infra) for _ in range(KEPT // len(actors) + 1)]
    activities = await past_reviews(infra, actors, albums, readers=[ana.id])
    assert len(activities) > KEPT
    bruno = await people.make("bruno")  # in the second batch of readers at least
    for activity in activities[:3]:
        async with infra.db.write() as db:
            db.add(FeedEntry(reader_id=bruno.id, activity_id=activity))
    await trim_feeds(infra)
    await drain(infra)
    for person, kept in ((ana, activities[-KEPT:]), (bruno, activities[:3])):
        entries = await infra.db.reader.all(select(FeedEntry.activity_id).filter_by(reader_id=person.id))
        assert sorted(entries) == kept
