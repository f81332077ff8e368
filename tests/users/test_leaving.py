"""Leaving: nothing personal stays, and nobody's counts suffer."""

import asyncio

import httpx
import pytest
from sqlalchemy import select, text

from app.core.errors import NotFound
from app.core.infra import Infra
from app.core.jobs import drain
from app.users.events import AccountDeleted, PersonChanged
from app.users.follows import BATCH
from app.users.models import Block, Mute, User
from app.users.service import create_person, delete_account
from tests.people import People, Person
from tests.reviews.factories import make_album, write_comment, write_review
from tests.users.factories import add_fans, counted, handed_on


async def leave(infra: Infra, person: Person, *, keep_content: bool = True) -> User:
    async with infra.db.write() as db:
        await delete_account(db, person.id, keep_content=keep_content)
    user = await infra.db.reader.one(select(User).where(User.id == person.id))
    assert user is not None
    return user


@pytest.mark.parametrize("keep_content", [True, False])
async def test_nothing_personal_stays(
    people: People, infra: Infra, client: httpx.AsyncClient, keep_content: bool
) -> None:
    link = {"label": "Me", "url": "https://ana.example/"}
    ana = await people.make(
        "ana", bio="Bio", location="Recife", links=[link], avatar_key="avatars/ana.webp", role="admin"
    )
    async with handed_on(infra, AccountDeleted) as left, handed_on(infra, PersonChanged) as changed:
        user = await leave(infra, ana, keep_content=keep_content)
    assert [(event.user_id, event.keep_content) for event in left] == [(ana.id, keep_content)]
    assert [event.user_id for event in changed] == [ana.id]
    assert user.username == user.username_key
    assert user.username.startswith("deleted_")
    assert len(user.username) == len("deleted_") + 8
    assert (user.display_name, user.bio, user.location, user.links) == ("Deleted account", "", "", [])
    assert (user.avatar_key, user.role) == (None, "user")
    assert user.deleted_at is not None
    for name in (ana.username, user.username):
        assert (await client.get(f"/users/{name}")).status_code == 404
        assert (await client.get(f"/users/{name}/followers")).status_code == 404
    # the name is free
    async with infra.db.write() as db:
        await create_person(db, username=ana.username, display_name="Another")


async def test_follows_go_with_their_counts(people: People, infra: Infra) -> None:
    ana, bob, eve = await people.make("ana"), await people.make("bob"), await people.make("eve")
    for one, other in ((ana, bob), (bob, ana), (eve, ana), (bob, eve)):
        await one.put(f"/users/{other.username}/follow")
    await leave(infra, ana)
    # gone from lists at once, from counts when the job has run
    assert (await bob.get(f"/users/{bob.username}/followers")).json()["items"] == []
    await drain(infra)
    assert await counted(infra, ana.id) == (0, 0)
    assert await counted(infra, bob.id) == (0, 1)
    assert await counted(infra, eve.id) == (1, 0)


async def test_more_follows_than_a_batch(people: People, infra: Infra) -> None:
    star = await people.make("star")
    tail = await add_fans(infra, star.id, BATCH + 10)
    await leave(infra, star)
    await drain(infra)
    assert await counted(infra, star.id) == (0, 0)
    left = text("SELECT count(*) FROM users WHERE username LIKE :tail AND following_count <> 0")
    async with infra.db.write() as db:
        assert await db.scalar(left, {"tail": f"%{tail}"}) == 0


async def test_blocks_and_mutes_outlive_it_but_leave_the_lists(people: People, infra: Infra) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    await bob.put(f"/users/{ana.username}/mute")
    await bob.put(f"/users/{ana.username}/block")
    await leave(infra, ana)
    await drain(infra)
    assert await infra.db.reader.one(select(Block).where(Block.blocked_id == ana.id)) is not None
    assert await infra.db.reader.one(select(Mute).where(Mute.muted_id == ana.id)) is not None
    for kind in ("blocks", "mutes"):
        assert (await bob.get(f"/users/me/{kind}")).json()["items"] == []


async def test_the_dead_do_not_act_and_leave_once(people: People, infra: Infra) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    user = await leave(infra, ana)
    assert (await ana.get("/users/me")).status_code == 404
    assert (await ana.patch("/users/me", json={"bio": "back"})).status_code == 404
    for verb in ("follow", "block", "mute"):
        assert (await ana.put(f"/users/{bob.username}/{verb}")).status_code == 404
        assert (await bob.put(f"/users/{user.username}/{verb}")).status_code == 404
    with pytest.raises(NotFound):
        await leave(infra, ana)


async def test_leaving_while_others_follow(people: People, infra: Infra) -> None:
    star, idol = await people.make("star"), await people.make("idol")
    crowd = [await people.make("fan") for _ in range(6)]
    await star.put(f"/users/{idol.username}/follow")
    await asyncio.gather(
        *(person.put(f"/users/{star.username}/follow") for person in crowd),
        leave(infra, star),
        leave(infra, crowd[0]),
        *(person.delete(f"/users/{star.username}/follow") for person in crowd),
    )
    await drain(infra)
    for person in (star, idol, *crowd):
        await counted(infra, person.id)
    assert await counted(infra, star.id) == (0, 0)


async def test_exports_of_who_left_are_removed(people: People, infra: Infra) -> None:
    ana = await people.make("ana")
    export = (await ana.post("/users/me/exports")).json()
    await drain(infra)
    await leave(infra, ana)
    assert (await ana.get(f"/users/me/exports/{export['id']}/file")).status_code == 404


@pytest.mark.parametrize("keep_content", [True, False])
async def test_what_was_written_stays_without_a_name_or_goes(
    people: People, infra: Infra, client: httpx.AsyncClient, keep_content: bool
) -> None:
    ana, bob = await people.make("ana"), await people.make("bob")
    album = await make_album(infra)
    mine, theirs = await write_review(ana, album, text="Fine"), await write_review(bob, album, text="Great")
    comment = await write_comment(ana, theirs, "Indeed")
    user = await leave(infra, ana, keep_content=keep_content)
    await drain(infra)

    review = await client.get(f"/reviews/{mine['id']}")
    comments = (await client.get(f"/reviews/{theirs['id']}/comments")).json()["items"]
    assert (await client.get(f"/users/{user.username}/reviews")).status_code == 404
    if keep_content:
        assert (review.json()["text"], review.json()["author"]["username"]) == ("Fine", user.username)
        assert [item["id"] for item in comments] == [comment["id"]]
        assert ana.username not in review.text + str(comments)
    else:
        assert (review.status_code, comments) == (404, [])
    left = await infra.db.reader.one(select(User).where(User.id == ana.id))
    assert left is not None
    assert (left.review_count, left.rating_sum) == ((1, 8) if keep_content else (0, 0))
