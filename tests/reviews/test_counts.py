"""Counters are exact, however many write at once."""

import asyncio
import random
from uuid import UUID

import httpx

from app.core.infra import Infra
from tests.people import People, Person
from tests.reviews.factories import assert_counted, make_album, write_comment, write_review


def ok(answers: list[httpx.Response], *allowed: int) -> None:
    assert {answer.status_code for answer in answers} <= {200, 201, 204, *allowed}, [it.text for it in answers]


async def crowd(people: People, count: int) -> list[Person]:
    return [await people.make("one") for _ in range(count)]


async def test_fifty_likes_and_unlikes_at_once(infra: Infra, people: People) -> None:
    ana, ones = await people.make("ana"), await crowd(people, 10)
    album_id = await make_album(infra)
    review = await write_review(ana, album_id)
    comment = await write_comment(ana, review)
    for path in (f"/reviews/{review['id']}/like", f"/comments/{comment['id']}/like"):
        for methods in (["PUT"] * 5, ["PUT", "DELETE", "PUT", "DELETE", "PUT"], ["PUT", "DELETE"] * 2 + ["DELETE"]):
            calls = [one.request(method, path) for one in ones for method in methods]
            random.Random(1).shuffle(calls)
            ok(await asyncio.gather(*calls))
            await assert_counted(infra, albums=[album_id])


async def test_one_likes_fifty_times_at_once(infra: Infra, people: People) -> None:
    ana = await people.make("ana")
    review = await write_review(ana, await make_album(infra))
    answers = await asyncio.gather(*(ana.put(f"/reviews/{review['id']}/like") for _ in range(50)))
    assert [answer.json() for answer in answers] == [{"liked": True, "like_count": 1}] * 50


async def test_reviews_written_edited_and_deleted_at_once(infra: Infra, people: People) -> None:
    albums = [await make_album(infra) for _ in range(2)]
    ones = await crowd(people, 10)
    chance = random.Random(2)

    async def live(one: Person, album_id: UUID) -> None:
        body = {"album_id": str(album_id), "rating": chance.randint(1, 10)}
        review = (await one.post("/reviews", json=body)).json()
        path = f"/reviews/{review['id']}"
        edits = [one.patch(path, json={"rating": chance.randint(1, 10)}) for _ in range(4)]
        ok(await asyncio.gather(*edits))
        if chance.random() < 0.5:
            last = [one.delete(path), one.delete(path), one.patch(path, json={"rating": 3}), one.put(f"{path}/like")]
            ok(await asyncio.gather(*last), 404)

    await asyncio.gather(*(live(one, album_id) for one in ones for album_id in albums))
    await assert_counted(infra, albums=albums, people=[one.id for one in ones])


async def test_a_draft_published_twice_at_once_counts_once(infra: Infra, people: People) -> None:
    ana, album_id = await people.make("ana"), await make_album(infra)
    draft = await write_review(ana, album_id, draft=True)
    answers = await asyncio.gather(
        *(ana.patch(f"/reviews/{draft['id']}", json={"draft": False, "rating": n}) for n in range(1, 9))
    )
    ok(answers)
    await assert_counted(infra, albums=[album_id], people=[ana.id])


async def test_one_person_reviews_an_album_twice_at_once(infra: Infra, people: People) -> None:
    ana, album_id = await people.make("ana"), await make_album(infra)
    body = {"album_id": str(album_id), "rating": 8}
    answers = await asyncio.gather(*(ana.post("/reviews", json=body) for _ in range(20)))
    created = [answer.json()["id"] for answer in answers if answer.status_code == 201]
    refused = [answer.json()["existing_id"] for answer in answers if answer.status_code == 409]
    assert (len(created), len(refused), set(refused)) == (1, 19, set(created))
    await assert_counted(infra, albums=[album_id], people=[ana.id])


async def test_comments_and_replies_come_and_go_at_once(infra: Infra, people: People) -> None:
    ana, ones = await people.make("ana"), await crowd(people, 8)
    album_id = await make_album(infra)
    review = await write_review(ana, album_id)
    roots = [await write_comment(ana, review) for _ in range(3)]
    chance = random.Random(3)

    async def talk(one: Person) -> None:
        for _ in range(3):
            parent = chance.choice([None, *roots])
            body = {"text": "Hi"} | ({"parent_id": parent["id"]} if parent else {})
            written = await one.post(f"/reviews/{review['id']}/comments", json=body)
            ok([written], 404)
            if written.status_code == 201:
                path = f"/comments/{written.json()['id']}"
                ok(await asyncio.gather(one.put(f"{path}/like"), ana.put(f"{path}/like"), one.delete(path)), 404)

    await asyncio.gather(*(talk(one) for one in ones), *(ana.delete(f"/comments/{root['id']}") for root in roots))
    await assert_counted(infra, albums=[album_id])


async def test_a_review_is_deleted_while_others_like_and_comment(infra: Infra, people: People) -> None:
    ana, ones = await people.make("ana"), await crowd(people, 10)
    album_id = await make_album(infra)
    for _ in range(3):
        review = await write_review(ana, album_id)
        comment = await write_comment(ana, review)
        for one in ones[:5]:
            await one.put(f"/reviews/{review['id']}/like")
        calls = [
            call
            for one in ones
            for call in (
                one.put(f"/reviews/{review['id']}/like"),
                one.delete(f"/reviews/{review['id']}/like"),
                one.post(f"/reviews/{review['id']}/comments", json={"text": "Hi", "parent_id": comment["id"]}),
                one.put(f"/comments/{comment['id']}/like"),
            )
        ]
        middle = len(calls) // 2
        deletion = ana.delete(f"/reviews/{review['id']}"), ana.delete(f"/comments/{comment['id']}")
        ok(await asyncio.gather(*calls[:middle], *deletion, *calls[middle:]), 404)
        assert (await ana.get(f"/reviews/{review['id']}")).status_code == 404
        await assert_counted(infra, albums=[album_id], people=[ana.id])


async def test_a_comment_is_deleted_while_others_like_it(infra: Infra, people: People) -> None:
    ana, ones = await people.make("ana"), await crowd(people, 12)
    album_id = await make_album(infra)
    review = await write_review(ana, album_id)
    for _ in range(5):
        root = await write_comment(ana, review)
        await write_comment(ones[0], review, "So that a place stays", root)
        path = f"/comments/{root['id']}"
        for one in ones[:6]:
            await one.put(f"{path}/like")
        calls = [one.put(f"{path}/like") for one in ones] + [one.delete(f"{path}/like") for one in ones]
        random.Random(4).shuffle(calls)
        ok(await asyncio.gather(*calls[:8], ana.delete(path), *calls[8:]), 404)
        await assert_counted(infra, albums=[album_id])
