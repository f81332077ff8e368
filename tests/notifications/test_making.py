"""Who is told of what, and of what nobody is told."""

import asyncio

import pytest

from app.core.infra import Infra
from app.core.jobs import drain
from app.notifications import handlers
from app.notifications.kinds import kind
from app.reviews.events import CommentWritten, ReviewLiked
from app.users.events import Followed
from tests.feed.factories import put
from tests.notifications.factories import inbox, tell, told
from tests.people import People
from tests.reviews.factories import make_album, write_comment, write_review


async def test_a_like_of_a_review_is_told_to_its_author_once(infra: Infra, people: People) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    album = await make_album(infra, "Kind of Blue")
    review = await write_review(ana, album)
    for _ in range(2):
        await put(bruno, f"/reviews/{review['id']}/like")
        await drain(infra)
        await bruno.delete(f"/reviews/{review['id']}/like")
    (item,) = await inbox(infra, ana)
    assert (item["kind"], item["number"], item["read_at"], item["comment"]) == ("like", 1, None, None)
    assert item["actor"] == {
        "id": str(bruno.id),
        "username": bruno.username,
        "display_name": "Bruno",
        "avatar_key": None,
    }
    named = {"id": str(album), "title": "Kind of Blue", "artist": "Miles Davis", "cover_key": None}
    assert item["review"] == {"id": review["id"], "album": named}


async def test_a_like_that_was_taken_back_before_it_was_told_is_not_told(infra: Infra, people: People) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    review = await write_review(ana, await make_album(infra))
    comment = await write_comment(ana, review)
    await drain(infra)
    for path in (f"/reviews/{review['id']}/like", f"/comments/{comment['id']}/like"):
        await put(bruno, path)
        await bruno.delete(path)
    assert await inbox(infra, ana) == []


async def test_a_like_of_a_comment_is_told_to_its_author(infra: Infra, people: People) -> None:
    ana, bruno, carla = [await people.make(name) for name in ("ana", "bruno", "carla")]
    review = await write_review(ana, await make_album(infra))
    comment = await write_comment(bruno, review, "Great!")
    await put(carla, f"/comments/{comment['id']}/like")
    (item,) = await inbox(infra, bruno)
    assert (item["kind"], item["actor"]["username"], item["review"]["id"]) == ("like", carla.username, review["id"])
    assert item["comment"] == {"id": comment["id"], "excerpt": "Great!"}


async def test_a_comment_is_told_to_the_author_and_a_reply_to_whom_it_replies(infra: Infra, people: People) -> None:
    ana, bruno, carla = [await people.make(name) for name in ("ana", "bruno", "carla")]
    review = await write_review(ana, await make_album(infra))
    comment = await write_comment(bruno, review, "x" * 200)
    reply = await write_comment(carla, review, "No!", comment)
    items = await inbox(infra, ana)
    assert told(items) == [("comment", "bruno"), ("comment", "carla")]
    assert items[1]["comment"] == {"id": comment["id"], "excerpt": "x" * 140}
    (item,) = await inbox(infra, bruno)
    assert (item["kind"], item["comment"]["id"], item["review"]["id"]) == ("reply", reply["id"], review["id"])


async def test_one_comment_tells_each_person_one_thing(infra: Infra, people: People) -> None:
    """The review's author wrote the comment, is replied to and is named: that is a reply, and no more."""
    ana, bruno = await people.make("ana"), await people.make("bruno")
    review = await write_review(ana, await make_album(infra))
    comment = await write_comment(ana, review, "What do you think?")
    await write_comment(bruno, review, f"@{ana.username} yes", comment)
    assert told(await inbox(infra, ana)) == [("reply", "bruno")]


async def test_a_mention_in_a_review_or_a_comment_is_told(infra: Infra, people: People) -> None:
    ana, bruno, carla = [await people.make(name) for name in ("ana", "bruno", "carla")]
    review = await write_review(ana, await make_album(infra), text=f"Thank you, @{carla.username.upper()}!")
    await write_comment(bruno, review, f"And what says @{carla.username}?")
    items = await inbox(infra, carla)
    assert told(items) == [("mention", "ana"), ("mention", "bruno")]
    assert items[1]["comment"] is None
    assert items[0]["comment"]["excerpt"].startswith("And what says")


async def test_a_draft_tells_nobody_until_it_is_published(infra: Infra, people: People) -> None:
    ana, carla = await people.make("ana"), await people.make("carla")
    review = await write_review(ana, await make_album(infra), text=f"@{carla.username}", draft=True)
    assert await inbox(infra, carla) == []
    await ana.patch(f"/reviews/{review['id']}", json={"draft": False})
    assert told(await inbox(infra, carla)) == [("mention", "ana")]


async def test_a_follow_is_told_once(infra: Infra, people: People) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    for _ in range(2):
        await put(bruno, f"/users/{ana.username}/follow")
        await drain(infra)
        await bruno.delete(f"/users/{ana.username}/follow")
    assert told(await inbox(infra, ana)) == [("follow", "bruno")]
    async with infra.db.write() as db:
        await handlers.tell_of_follow(db, Followed(follower_id=ana.id, followed_id=bruno.id))
    assert await inbox(infra, bruno) == []


async def test_nobody_is_told_of_themselves(infra: Infra, people: People) -> None:
    ana = await people.make("ana")
    review = await write_review(ana, await make_album(infra), text=f"I, @{ana.username}")
    await write_comment(ana, review, f"@{ana.username}", await write_comment(ana, review))
    await put(ana, f"/reviews/{review['id']}/like")
    assert await inbox(infra, ana) == []


async def test_nothing_comes_from_blocked_or_muted_people(infra: Infra, people: People) -> None:
    ana, bruno, carla, dora = [await people.make(name) for name in ("ana", "bruno", "carla", "dora")]
    review = await write_review(ana, await make_album(infra))
    for person in (bruno, carla, dora):
        await write_comment(person, review)
    await put(ana, f"/users/{bruno.username}/block")
    await put(carla, f"/users/{ana.username}/block")
    await put(ana, f"/users/{dora.username}/mute")
    assert await inbox(infra, ana) == []
    for person in (bruno, carla, dora):
        await tell(infra, ana.id, person.id)
    assert await inbox(infra, ana) == []
    await ana.delete(f"/users/{dora.username}/mute")
    await tell(infra, ana.id, dora.id)
    (item,) = await inbox(infra, ana)
    assert (item["number"], item["actor"]["id"]) == (1, str(dora.id))


async def test_nobody_is_told_what_happens_under_a_review_that_they_cannot_read(infra: Infra, people: People) -> None:
    ana, bruno, carla = [await people.make(name) for name in ("ana", "bruno", "carla")]
    review = await write_review(ana, await make_album(infra))
    comment = await write_comment(bruno, review)
    reply = await write_comment(carla, review, "Really?", comment)
    await put(ana, f"/users/{bruno.username}/block")
    assert await inbox(infra, bruno) == []
    async with infra.db.write() as db:
        event = CommentWritten(
            comment_id=reply["id"], review_id=review["id"], user_id=carla.id, parent_id=comment["id"]
        )
        await handlers.tell_of_comment(db, event)
    assert await inbox(infra, bruno) == []


async def test_events_of_what_is_gone_tell_nothing(infra: Infra, people: People) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    review = await write_review(ana, await make_album(infra))
    await write_comment(bruno, review)
    await put(bruno, f"/reviews/{review['id']}/like")
    await ana.delete(f"/reviews/{review['id']}")
    assert await inbox(infra, ana) == []


async def test_a_kind_that_is_switched_off_is_not_told(infra: Infra, people: People) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    await ana.put("/notifications/preferences", json={"kinds": {"like": False}})
    review = await write_review(ana, await make_album(infra))
    await put(bruno, f"/reviews/{review['id']}/like")
    await write_comment(bruno, review)
    assert told(await inbox(infra, ana)) == [("comment", "bruno")]


async def test_twenty_at_once_get_twenty_numbers(infra: Infra, people: People) -> None:
    ana, actors = await people.make("ana"), [await people.make() for _ in range(20)]
    await asyncio.gather(*(tell(infra, ana.id, actor.id) for actor in actors))
    items = await inbox(infra, ana)
    assert [it["number"] for it in items] == list(range(20, 0, -1))


async def test_the_same_twenty_times_at_once_is_told_and_counted_once(infra: Infra, people: People) -> None:
    ana, bruno = await people.make("ana"), await people.make("bruno")
    await asyncio.gather(*(tell(infra, ana.id, bruno.id) for _ in range(20)))
    await tell(infra, ana.id, bruno.id, "something else")
    assert [it["number"] for it in await inbox(infra, ana)] == [2, 1]


async def test_people_who_are_told_of_each_other_at_once_do_not_wait_for_ever(infra: Infra, people: People) -> None:
    crowd = [await people.make() for _ in range(6)]
    review = await write_review(crowd[0], await make_album(infra), text=" ".join(f"@{it.username}" for it in crowd))
    comments = [await write_comment(it, review, " ".join(f"@{other.username}" for other in crowd)) for it in crowd]

    async def tell_of(author, comment) -> None:
        async with infra.db.write() as db:
            event = CommentWritten(comment_id=comment["id"], review_id=review["id"], user_id=author.id, parent_id=None)
            await handlers.tell_of_comment(db, event)

    await asyncio.gather(*(tell_of(author, comment) for author, comment in zip(crowd, comments, strict=True)))
    await drain(infra)
    for person in crowd[1:]:
        assert len(await inbox(infra, person)) == 6
    assert len(await inbox(infra, crowd[0])) == 5


async def test_a_review_that_goes_while_it_is_told_of_leaves_the_counters_right(infra: Infra, people: People) -> None:
    ana, fans = await people.make("ana"), [await people.make() for _ in range(8)]
    for _ in range(3):
        review = await write_review(ana, await make_album(infra))
        for fan in fans:
            await put(fan, f"/reviews/{review['id']}/like")

        async def like(fan, review=review) -> None:
            async with infra.db.write() as db:
                await handlers.tell_of_review_like(db, ReviewLiked(review_id=review["id"], user_id=fan.id))

        deletion = ana.delete(f"/reviews/{review['id']}")
        done = await asyncio.gather(
            *map(like, fans[:4]), deletion, *map(like, fans[4:]), ana.post("/notifications/read-all")
        )
        assert done[4].status_code == 204
        assert await inbox(infra, ana) == []


def test_a_kind_is_registered_once() -> None:
    with pytest.raises(ValueError, match="two kinds called like"):
        kind("like", title="Again")
