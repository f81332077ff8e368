"""What stays of people who leave."""

from sqlalchemy import func, select

from app.core.infra import Infra
from app.core.job_runner import drain
from app.core.jobs import emit
from app.reactions.models import Comment, Like
from app.reviews.models import Review
from app.users.events import AccountDeleted
from tests.people import People, Person
from tests.reviews.factories import Body, assert_counted, make_album, write_comment, write_review


async def leave(infra: Infra, person: Person, *, keep_content: bool) -> None:
    async with infra.db.write() as db:
        await emit(db, AccountDeleted(user_id=person.id, keep_content=keep_content))
    await drain(infra)


async def left_of(infra: Infra, person: Person) -> tuple[int, int, int]:
    """Reviews, comments that are not empty, and likes on reviews and comments."""
    counts = [
        select(func.count()).select_from(Review).where(Review.user_id == person.id),
        select(func.count()).select_from(Comment).where(Comment.user_id == person.id, Comment.deleted_at.is_(None)),
        select(func.count()).select_from(Like).where(Like.user_id == person.id),
    ]
    reviews, comments, likes = [await infra.db.reader.one(count) for count in counts]
    return reviews, comments, likes


async def busy(infra: Infra, people: People) -> tuple[Person, Person, Body, Body]:
    """Ana, who did everything that can be done, and Ben, who stays."""
    ana, ben = await people.make("ana"), await people.make("ben")
    hers, his = [await make_album(infra) for _ in range(3)], await make_album(infra)
    reviews = [await write_review(ana, album_id, rating=n + 3) for n, album_id in enumerate(hers)]
    await write_review(ana, his, rating=None, draft=True)
    theirs = await write_review(ben, his)
    await write_comment(ben, reviews[0])
    await ben.put(f"/reviews/{reviews[0]['id']}/like")
    root = await write_comment(ana, theirs, "Root")
    await write_comment(ben, theirs, "Under it", root)
    await write_comment(ana, theirs, "Me again", root)
    alone = await write_comment(ben, theirs, "Alone")
    await write_comment(ana, theirs, "Not any more", alone)
    await write_comment(ana, theirs, "Bye")
    await ana.put(f"/reviews/{theirs['id']}/like")
    await ana.put(f"/comments/{alone['id']}/like")
    await ben.put(f"/comments/{root['id']}/like")
    return ana, ben, reviews[0], theirs


async def test_everything_goes_with_exact_counts(infra: Infra, people: People) -> None:
    ana, ben, hers, his = await busy(infra, people)
    albums = [hers["album"]["id"], his["album"]["id"]]
    await leave(infra, ana, keep_content=False)
    assert await left_of(infra, ana) == (0, 0, 0)
    await assert_counted(infra, albums=albums, people=[ana.id, ben.id])
    assert (await ben.get(f"/reviews/{hers['id']}")).status_code == 404
    threads = (await ben.get(f"/reviews/{his['id']}/comments")).json()["items"]
    assert [(it["text"], [reply["text"] for reply in it["replies"]]) for it in threads] == [
        (None, ["Under it"]),
        ("Alone", []),
    ]
    after = (await ben.get(f"/reviews/{his['id']}")).json()
    assert (after["like_count"], after["comment_count"]) == (0, 2)
    await leave(infra, ana, keep_content=False)
    await assert_counted(infra, albums=albums, people=[ana.id, ben.id])


async def test_everything_but_drafts_stays_where_that_is_wished(infra: Infra, people: People) -> None:
    ana, ben, hers, his = await busy(infra, people)
    before = await left_of(infra, ana)
    assert before == (4, 4, 2)
    await leave(infra, ana, keep_content=True)
    assert await left_of(infra, ana) == (3, 4, 2)
    assert (await ben.get(f"/reviews/{hers['id']}")).status_code == 200
    await assert_counted(infra, albums=[hers["album"]["id"], his["album"]["id"]], people=[ana.id, ben.id])


async def test_more_than_a_batch_goes(infra: Infra, people: People) -> None:
    ana, ben = await people.make("ana"), await people.make("ben")
    review = await write_review(ben, await make_album(infra))
    async with infra.db.write() as db:
        db.add_all([Comment(user_id=ana.id, review_id=review["id"], text="Again") for _ in range(450)])
    await leave(infra, ana, keep_content=False)
    assert await left_of(infra, ana) == (0, 0, 0)
    await assert_counted(infra, albums=[review["album"]["id"]])
