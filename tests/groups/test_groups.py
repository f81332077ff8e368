"""Making, seeing, finding, changing and closing groups."""

from io import BytesIO
from typing import Any
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from app.core.infra import Infra
from app.core.job_runner import drain
from app.core.paging import PageRequest
from app.groups.queries import groups_page
from app.groups.service import ClosedChannel, purge_channel
from tests.groups.factories import add_group, codes, join, promote, there
from tests.people import People, queries


async def test_a_group_belongs_to_who_made_it(people: People, client: httpx.AsyncClient) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    group = await add_group(ana, name=" Late Night ", category="genres", description="After midnight.")
    assert (group["name"], group["category"], group["description"]) == ("Late Night", "genres", "After midnight.")
    assert (group["role"], group["member_count"], group["owner_id"]) == ("owner", 1, str(ana.id))
    assert group["owner"]["username"] == ana.username
    assert (group["is_private"], group["cover_key"], group["invite_id"], group["muted_until"]) == (
        False,
        None,
        None,
        None,
    )
    path = f"/groups/{group['id']}"
    assert (await bob.get(path)).json() == group | {"role": None}
    assert (await client.get(path)).json() == group | {"role": None}


async def test_private_groups_are_seen_by_members_and_the_invited_only(
    people: People, client: httpx.AsyncClient
) -> None:
    ana, bob, eve = [await people.make(name) for name in ("ana", "bob", "eve")]
    group = await add_group(ana, is_private=True, name="Secret society of spoons")
    path = f"/groups/{group['id']}"
    for asks in (
        client.get(path),
        bob.get(path),
        bob.get(f"{path}/members"),
        bob.post(f"{path}/join"),
        bob.post(f"{path}/leave"),
        bob.patch(path, json={"name": "Mine"}),
        bob.delete(path),
        bob.get(f"{path}/bans"),
        bob.post(f"{path}/invites", json={"username": eve.username}),
        bob.get(f"/chat/{group['id']}/messages"),
        bob.post(f"/chat/{group['id']}/messages", json={"text": "Hello?"}),
    ):
        assert codes(await asks) == [(404, "not_found")]
    for reader, found in ((client, 0), (bob, 0), (ana, 1)):
        listed = (await reader.get("/groups", params={"q": "spoons"})).json()["items"]
        assert len(listed) == found
    assert (await ana.post(f"{path}/invites", json={"username": bob.username})).status_code == 201
    seen = (await bob.get(path)).json()
    assert (seen["role"], seen["invite_id"] is None) == (None, False)
    assert (await bob.get(f"/chat/{group['id']}/messages")).status_code == 403
    assert (await bob.post(f"{path}/join")).json()["role"] == "member"
    assert (await eve.get(path)).status_code == 404


async def test_groups_are_found(people: People, client: httpx.AsyncClient) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    mark = f"z{uuid4().hex[:10]}"
    names = [f"{mark} Café Society", f"The {mark} collectors", f"{mark} Jazz"]
    groups = [await add_group(ana, name=name, category=kind) for name, kind in zip(names, KINDS, strict=True)]
    await join(groups[1], bob)

    async def found(**asked: Any) -> list[str]:
        answer = await client.get("/groups", params={"q": mark} | asked)
        assert answer.status_code == 200, answer.text
        return [group["name"] for group in answer.json()["items"]]

    assert await found() == names[::-1]
    assert await found(sort="popular") == [names[1], names[2], names[0]]
    assert await found(category="local") == [names[0]]
    assert await found(q=f"{mark[:-2]} CAFE soc") == [names[0]]
    assert await found(q=f"collect {mark}") == [names[1]]
    assert await found(q=f"{mark} blues") == []
    signs = await add_group(ana, name="!?§%~")
    assert signs["id"] in [item["id"] for item in (await client.get("/groups", params={"q": "!?§"})).json()["items"]]
    assert (await client.get("/groups", params={"category": "cooking"})).status_code == 422


KINDS = ("local", "collecting", "genres")


@pytest.mark.parametrize("sort", ["new", "popular"])
async def test_pages_of_groups(people: People, infra: Infra, sort: str) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    mark = f"z{uuid4().hex[:10]}"
    made = [await add_group(ana, name=f"{mark} {number}") for number in range(5)]
    for group in made[:2]:
        await join(group, bob)
    names, cursor = [], None
    while True:
        params = {"q": mark, "sort": sort, "limit": 2} | ({"cursor": cursor} if cursor else {})
        async with queries(infra) as ran:
            page = (await bob.get("/groups", params=params)).json()
        assert ran == [1]
        names += [(group["name"][-1], group["role"]) for group in page["items"]]
        if not (cursor := page["next_cursor"]):
            break
    expected = {"new": "43210", "popular": "10432"}[sort]
    assert names == [(letter, "member" if letter in "01" else None) for letter in expected]


@pytest.mark.parametrize(
    ("sort", "filters", "index"),
    [
        ("new", {}, "pk_groups"),
        ("popular", {}, "ix_groups_popular"),
        ("new", {"category": "local"}, "ix_groups_category_new"),
        ("popular", {"category": "local"}, "ix_groups_category_popular"),
        ("new", {"words": "jazz:*"}, "ix_groups_words"),
    ],
)
async def test_lists_have_their_index(infra: Infra, sort: Any, filters: dict[str, str], index: str) -> None:
    query = groups_page(sort, frozenset(filters))
    sql, arguments = query.page_statement(PageRequest(), viewer=None, **filters)
    async with infra.db.write() as db:
        await db.records("SET LOCAL enable_seqscan = off", [])
        if "words" not in filters:
            await db.records("SET LOCAL enable_sort = off", [])
        plan = await db.records(f"EXPLAIN {sql}", arguments)
    assert index in "\n".join(row[0] for row in plan)


async def test_my_groups_tell_what_is_unread(people: People, infra: Infra) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    lively, quiet = await add_group(ana, name="Lively"), await add_group(ana, name="Quiet")
    await ana.post(f"/chat/{lively['id']}/messages", json={"text": "Before"})
    await join(lively, bob)
    await join(quiet, bob)
    for text in ("One", "Two"):
        await ana.post(f"/chat/{lively['id']}/messages", json={"text": text})
    async with queries(infra) as ran:
        mine = (await bob.get("/groups/mine")).json()["items"]
    assert ran == [1]
    assert [(group["id"], group["unread_count"], group["role"]) for group in mine] == [
        (lively["id"], 2, "member"),
        (quiet["id"], 0, "member"),
    ]
    first = (await bob.get("/groups/mine", params={"limit": 1})).json()
    second = (await bob.get("/groups/mine", params={"limit": 1, "cursor": first["next_cursor"]})).json()
    assert [first["items"][0]["id"], second["items"][0]["id"]] == [lively["id"], quiet["id"]]
    # who comes again has nothing unread
    await bob.post(f"/groups/{lively['id']}/leave")
    await join(lively, bob)
    assert [group["unread_count"] for group in (await bob.get("/groups/mine")).json()["items"]] == [0, 0]


async def test_admins_change_groups(people: People) -> None:
    ana, bob, eve = [await people.make(name) for name in ("ana", "bob", "eve")]
    group = await add_group(ana)
    path = f"/groups/{group['id']}"
    await join(group, bob)
    assert codes(await bob.patch(path, json={"name": "Mine"})) == [(403, "rank_too_low")]
    assert codes(await eve.patch(path, json={"name": "Mine"})) == [(403, "not_member")]
    await promote(ana, group, bob, "admin")
    changed = (await bob.patch(path, json={"name": "Dawn", "category": "local"})).json()
    assert (changed["name"], changed["category"], changed["description"]) == ("Dawn", "local", "")
    for body in ({"name": ""}, {"name": "x" * 101}, {"category": "cooking"}, {"name": "a\x00"}, {"owner_id": "x"}):
        assert (await bob.patch(path, json=body)).status_code == 422
    assert (await ana.patch(path, json={"is_private": True})).json()["is_private"] is True
    assert (await eve.get(path)).status_code == 404


async def test_the_owner_or_a_site_admin_closes_a_group(people: People, infra: Infra) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    group = await add_group(ana)
    await join(group, bob)
    await promote(ana, group, bob, "admin")
    assert codes(await bob.delete(f"/groups/{group['id']}")) == [(403, "rank_too_low")]
    assert (await ana.delete(f"/groups/{group['id']}")).status_code == 204
    assert (await bob.get(f"/groups/{group['id']}")).status_code == 404
    assert (await bob.get(f"/chat/{group['id']}/messages")).status_code == 404
    assert codes(await ana.delete(f"/groups/{group['id']}")) == [(404, "not_found")]
    assert await infra.db.fetch("SELECT FROM channels WHERE id = $1", [group["id"]])
    await purge_channel.function(infra, ClosedChannel(channel_id=group["id"]))
    assert not await infra.db.fetch("SELECT FROM channels WHERE id = $1", [group["id"]])
    admin = await people.make("admin", role="admin")
    hidden = await add_group(ana, is_private=True)
    assert (await admin.get(f"/groups/{hidden['id']}")).status_code == 404
    assert (await admin.delete(f"/groups/{hidden['id']}")).status_code == 204
    assert (await ana.get(f"/groups/{hidden['id']}")).status_code == 404


async def test_covers(people: People, infra: Infra) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    group = await add_group(ana)
    await join(group, bob)
    out = BytesIO()
    Image.new("RGB", (8, 8), "#" + uuid4().hex[:6]).save(out, "PNG")
    cover = f"/groups/{group['id']}/cover"
    png = {"content": out.getvalue(), "headers": {"content-type": "image/png"}}
    assert codes(await bob.put(cover, **png)) == [(403, "rank_too_low")]
    picture = (await ana.put(cover, **png)).json()
    assert (await ana.get(f"/groups/{group['id']}")).json()["cover_key"] == picture["key"]
    shown = await bob.get(f"/media/{picture['key']}")
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/webp")
    assert codes(await ana.put(cover, content=b"no picture")) == [(422, "not_an_image")]
    assert codes(await ana.put(cover, content=b"x" * 5_000_001)) == [(413, "picture_too_large")]
    assert (await ana.delete(cover)).status_code == 204
    await drain(infra)
    assert (await bob.get(f"/media/{picture['key']}")).status_code == 404
    assert (await ana.get(f"/groups/{group['id']}")).json()["cover_key"] is None


async def test_statements(people: People, infra: Infra) -> None:
    """What a page load hits is one statement, or two where a right is looked up first."""
    ana, bob = await people.make("ana"), await people.make("bob")
    group = await add_group(ana)
    await join(group, bob)
    path = f"/groups/{group['id']}"
    await ana.post(f"{path}/links", json={})
    for asked, most in (
        (path, 1),
        ("/groups", 1),
        ("/groups?category=local&sort=popular", 1),
        ("/groups/mine", 1),
        ("/groups/invites", 1),
        (f"{path}/members", 1),
        (f"{path}/bans", 2),
        (f"{path}/invites", 2),
        (f"{path}/links", 2),
    ):
        async with queries(infra) as ran:
            assert (await ana.get(asked)).status_code == 200
        assert ran == [most], asked


async def test_people_who_block_each_other_share_a_group_unseen(people: People) -> None:
    ana, bob, eve = [await people.make(name) for name in ("ana", "bob", "eve")]
    group = await add_group(ana)
    await join(group, bob, eve)
    await eve.put(f"/users/{ana.username}/block")
    assert list(await there(eve, group)) == [str(bob.id), str(eve.id)]
    assert list(await there(ana, group)) == [str(ana.id), str(bob.id)]
    assert len(await there(bob, group)) == 3
    seen = (await eve.get(f"/groups/{group['id']}")).json()
    assert (seen["owner"], seen["member_count"]) == (None, 3)
