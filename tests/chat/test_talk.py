"""Two people talk: over sockets and over REST, each word once and in order."""

import asyncio

import pytest

from app.core.infra import Infra
from app.core.job_runner import drain
from app.core.jobs import emit
from app.users.events import AccountDeleted
from tests.catalog.factories import add_album, add_track
from tests.chat.pairs import Pair
from tests.people import People, Person
from tests.sockets import sit


async def test_a_message_reaches_both(live: str, pair: Pair) -> None:
    async with sit(live, pair.path, pair.ana) as ana, sit(live, pair.path, pair.bruno) as bruno:
        assert ana.welcome["sequence"] == 0
        assert ana.welcome["snapshot"]["messages"] == []
        await ana.say(type="send", client_id="1", text="Listen to this!")
        ack = await ana.get("ack", client_id="1")
        for seat in (ana, bruno):
            event = await seat.get("event", sequence=ack["sequence"])
            assert event["kind"] == "message.created"
            assert event["actor"]["username"] == pair.ana.username
            assert event["data"]["text"] == "Listen to this!"
            assert event["data"]["id"] == ack["result"]["message_id"]


async def test_a_message_that_is_sent_again_is_one(live: str, pair: Pair) -> None:
    async with sit(live, pair.path, pair.ana) as ana:
        for _ in range(3):
            await ana.say(type="send", client_id="once", text="Hello?")
        await ana.say(type="send", client_id="then", text="Bye.")
        await ana.get("ack", client_id="then")
        assert [frame["sequence"] for frame in ana.frames if frame["type"] == "ack"] == [1, 1, 1, 2]
    again = await pair.ana.post(pair.rest, json={"text": "Hello?", "client_id": "once"})
    assert again.json()["sequence"] == 1


async def test_a_refused_message_that_is_sent_twice_at_once_is_refused_twice(pair: Pair) -> None:
    said = {"text": "Hello?", "client_id": "twice", "reply_to_id": pair.id}
    async with asyncio.timeout(5):
        answers = await asyncio.gather(*(pair.ana.post(pair.rest, json=said) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {422}


async def test_who_comes_back_gets_what_was_missed(live: str, pair: Pair) -> None:
    for text in "abc":
        await pair.ana.post(pair.rest, json={"text": text})
    async with sit(live, pair.path, pair.bruno, last=1) as bruno:
        assert bruno.welcome["recovered"] is True
        assert bruno.welcome["snapshot"] is None
        assert bruno.sequences == [2, 3]
    async with sit(live, pair.path, pair.bruno) as bruno:
        assert bruno.welcome["recovered"] is False
        assert [said["text"] for said in bruno.welcome["snapshot"]["messages"]] == ["a", "b", "c"]
    async with sit(live, pair.path, pair.bruno, last=99) as bruno:
        assert bruno.welcome["recovered"] is False


async def test_a_crowd_of_words_keeps_its_order(live: str, pair: Pair) -> None:
    async with sit(live, pair.path, pair.bruno) as bruno:

        async def talk(who: Person) -> None:
            for number in range(25):
                answer = await who.post(pair.rest, json={"text": f"{who.username} {number}"})
                assert answer.status_code == 201

        await asyncio.gather(*(talk(who) for who in (pair.ana, pair.bruno, pair.ana, pair.bruno)))
        await bruno.reach(100)
        assert bruno.sequences == list(range(1, 101))


async def test_edit_delete_and_reactions(live: str, pair: Pair) -> None:
    said = (await pair.ana.post(pair.rest, json={"text": "Helo"})).json()
    answer = (await pair.bruno.post(pair.rest, json={"text": "Yes", "reply_to_id": said["id"]})).json()
    assert answer["reply_to"] == {"id": said["id"], "author_id": str(pair.ana.id), "text": "Helo"}
    async with sit(live, pair.path, pair.bruno) as bruno:
        message = f"{pair.rest}/{said['id']}"
        assert (await pair.ana.patch(message, json={"text": "Hello"})).status_code == 204
        assert (await pair.bruno.patch(message, json={"text": "Mine"})).status_code == 403
        await bruno.say(type="react", client_id="r", message_id=said["id"], emoji="🔥", active=True)
        await bruno.get("ack", client_id="r")
        shown = (await pair.ana.get(pair.rest)).json()["items"][1]
        assert (shown["text"], shown["edited_at"] is None) == ("Hello", False)
        assert shown["reactions"] == [{"emoji": "🔥", "count": 1, "user_ids": [str(pair.bruno.id)]}]
        revisions = (await pair.bruno.get(f"{message}/revisions")).json()["items"]
        assert [revision["text"] for revision in revisions] == ["Helo"]
        assert (await pair.bruno.delete(message)).status_code == 403
        assert (await pair.ana.delete(message)).status_code == 204
        await bruno.reach(5)
        kinds = [event["kind"] for event in bruno.events]
        assert kinds == ["message.edited", "reaction.added", "message.deleted"]
    gone, quoting = (await pair.ana.get(pair.rest)).json()["items"][::-1]
    assert (gone["deleted"], gone["text"], gone["reactions"]) == (True, None, [])
    assert quoting["reply_to"]["text"] is None


async def test_an_answer_and_then_its_question_are_deleted(pair: Pair) -> None:
    said = (await pair.ana.post(pair.rest, json={"text": "Really?"})).json()
    answer = (await pair.bruno.post(pair.rest, json={"text": "Yes", "reply_to_id": said["id"]})).json()
    assert (await pair.bruno.delete(f"{pair.rest}/{answer['id']}")).status_code == 204
    assert (await pair.ana.delete(f"{pair.rest}/{said['id']}")).status_code == 204
    listed = await pair.ana.get(pair.rest)
    assert [(item["deleted"], item["reply_to"]) for item in listed.json()["items"]] == [(True, None)] * 2


async def test_typing_and_ping_are_not_logged(live: str, pair: Pair) -> None:
    async with sit(live, pair.path, pair.ana) as ana, sit(live, pair.path, pair.bruno) as bruno:
        await ana.say(type="typing", active=True)
        assert (await bruno.get("typing"))["user"]["username"] == pair.ana.username
        await ana.say(type="ping", id=7, client_ms=12.5)
        pong = await ana.get("pong", id=7)
        assert pong["client_ms"] == 12.5
    assert (await pair.ana.get(pair.rest)).json()["items"] == []


async def test_presence_counts_people_and_not_tabs(live: str, pair: Pair) -> None:
    both = {pair.ana.username, pair.bruno.username}
    async with sit(live, pair.path, pair.ana) as ana, sit(live, pair.path, pair.bruno) as first:
        await ana.get("presence", present_count=2)
        async with sit(live, pair.path, pair.bruno) as second:
            assert {person["username"] for person in second.welcome["present"]} == both
        ana.frames.clear()
        assert (await ana.get("presence"))["left"] == []
        here = (await pair.ana.get(f"/chat/{pair.id}/present")).json()
        assert {person["username"] for person in here} == both
        await first.close()
        assert (await ana.get("presence", present_count=1))["left"] == [str(pair.bruno.id)]


async def test_strangers_see_nothing(live: str, pair: Pair, people: People) -> None:
    stranger = await people.make("stranger")
    assert (await stranger.get(pair.rest)).status_code == 404
    assert (await stranger.post(pair.rest, json={"text": "Hi"})).status_code == 404
    async with sit(live, pair.path, stranger, hello=False) as seat:
        await seat.say(type="hello", protocol=1)
        assert await seat.closed() == 4404
        assert seat.frames[-1]["code"] == "not_found"


async def test_what_is_unread_is_counted(live: str, pair: Pair) -> None:
    for text in ("one", "two", "three"):
        await pair.ana.post(pair.rest, json={"text": text})
    (item,) = (await pair.bruno.get("/direct")).json()["items"]
    assert (item["unread_count"], item["partner"]["username"]) == (3, pair.ana.username)
    assert (await pair.ana.get("/direct")).json()["items"][0]["unread_count"] == 0
    state = (await pair.bruno.put(f"/chat/{pair.id}/read", json={"sequence": 2})).json()
    assert (state["sequence"], state["unread_count"]) == (2, 1)
    assert (await pair.bruno.put(f"/chat/{pair.id}/read", json={"sequence": 1})).json()["sequence"] == 2
    async with sit(live, pair.path, pair.bruno) as bruno:
        await bruno.say(type="read", sequence=3)
    async with asyncio.timeout(5):
        while (await pair.bruno.get(f"/chat/{pair.id}/read")).json()["unread_count"]:
            await asyncio.sleep(0.05)


async def test_messages_are_found(pair: Pair) -> None:
    for text in ("Café del Mar", "The bass line of So What", "nothing"):
        await pair.ana.post(pair.rest, json={"text": text})
    for query, found in (("cafe", ["Café del Mar"]), ("bas lin", ["The bass line of So What"]), ("absent", [])):
        hits = (await pair.bruno.get(f"/chat/{pair.id}/search", params={"q": query})).json()["items"]
        assert [hit["text"] for hit in hits] == found


async def test_pages_of_messages(pair: Pair) -> None:
    for number in range(5):
        await pair.ana.post(pair.rest, json={"text": str(number)})
    first = (await pair.bruno.get(pair.rest, params={"limit": 2})).json()
    assert [said["text"] for said in first["items"]] == ["4", "3"]
    second = (await pair.bruno.get(pair.rest, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [said["text"] for said in second["items"]] == ["2", "1"]
    between = (await pair.bruno.get(pair.rest, params={"after": 1, "before": 4})).json()["items"]
    assert [said["sequence"] for said in between] == [3, 2]


async def test_earlier_clients_talk_plainly(live: str, pair: Pair) -> None:
    plain = (await pair.ana.post(f"/chat/{pair.id}", json={"text": "Hi"})).json()
    assert (plain["text"], plain["room_id"]) == ("Hi", pair.id)
    (listed,) = (await pair.bruno.get(f"/chat/{pair.id}", params={"limit": 10})).json()
    assert listed == plain
    before = await pair.bruno.get(f"/chat/{pair.id}", params={"before_timestamp": plain["created_at"]})
    assert before.json() == []


async def test_a_message_shares_a_track_or_a_review(pair: Pair, people: People) -> None:
    curator = await people.make("curator", role="curator")
    track = await add_track(curator)
    shared = (await pair.ana.post(pair.rest, json={"text": "This one", "track_id": track["id"]})).json()
    assert shared["track_id"] == track["id"]
    album = await add_album(curator)
    review = (await pair.bruno.post("/reviews", json={"album_id": album["id"], "rating": 8, "text": "Good."})).json()
    shared = (await pair.ana.post(pair.rest, json={"text": "He is right", "review_id": review["id"]})).json()
    assert shared["review_id"] == review["id"]
    draft = {"album_id": (await add_album(curator))["id"], "rating": 8, "draft": True}
    hidden = (await pair.bruno.post("/reviews", json=draft)).json()
    for field, thing in (("track_id", album["id"]), ("review_id", hidden["id"])):
        refused = await pair.ana.post(pair.rest, json={"text": "Look", field: thing})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, f"/{field}")


async def test_who_is_named_or_written_to_is_told(pair: Pair, infra: Infra) -> None:
    await pair.ana.post(pair.rest, json={"text": f"Are you there, @{pair.bruno.username}?"})
    await pair.ana.post(pair.rest, json={"text": "Hello?"})
    await drain(infra)
    told = (await pair.bruno.get("/notifications")).json()["items"]
    assert sorted(item["kind"] for item in told) == ["direct", "mention"]
    assert {item["message"]["channel_id"] for item in told} == {pair.id}
    await pair.bruno.post("/notifications/read-all")
    await pair.bruno.put(f"/chat/{pair.id}/mute", json={"muted": True})
    await pair.ana.post(pair.rest, json={"text": f"@{pair.bruno.username}"})
    await drain(infra)
    assert (await pair.bruno.get("/notifications/unread-count")).json()["unread_count"] == 0


async def test_who_leaves_takes_their_words_along(pair: Pair, infra: Infra) -> None:
    await pair.ana.post(pair.rest, json={"text": "Forget me"})
    async with infra.db.write() as db:
        await emit(db, AccountDeleted(user_id=pair.ana.id, keep_content=False))
    await drain(infra)
    (said,) = (await pair.bruno.get(pair.rest)).json()["items"]
    assert (said["deleted"], said["text"]) == (True, None)


@pytest.mark.parametrize(("moment", "found"), [("0001-01-01T00:00:00+14:00", 0), ("9999-12-31T23:59:59-14:00", 1)])
async def test_moments_beyond_all_years(pair: Pair, moment: str, found: int) -> None:
    await pair.ana.post(f"/chat/{pair.id}", json={"text": "Hi"})
    answer = await pair.ana.get(f"/chat/{pair.id}", params={"before_timestamp": moment})
    assert (answer.status_code, len(answer.json())) == (200, found)


@pytest.mark.parametrize("moment", ["2026-01-01", "now", "1"])
async def test_a_moment_that_is_none_is_refused(pair: Pair, moment: str) -> None:
    refused = await pair.ana.get(f"/chat/{pair.id}", params={"before_timestamp": moment})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/query/before_timestamp")


async def test_after_a_block_one_can_still_take_back_what_one_said(pair: Pair) -> None:
    mine = (await pair.ana.post(pair.rest, json={"text": "My address is ..."})).json()
    theirs = (await pair.bruno.post(pair.rest, json={"text": "Thanks"})).json()
    await pair.bruno.put(f"/users/{pair.ana.username}/block")
    assert (await pair.ana.delete(f"{pair.rest}/{theirs['id']}")).status_code == 404
    assert (await pair.ana.delete(f"{pair.rest}/{mine['id']}")).status_code == 204
    await pair.bruno.delete(f"/users/{pair.ana.username}/block")
    first, second = (await pair.bruno.get(pair.rest)).json()["items"][::-1]
    assert (first["deleted"], first["text"], second["text"]) == (True, None, "Thanks")


async def test_an_edit_names_people_anew(pair: Pair, infra: Infra) -> None:
    said = (await pair.ana.post(pair.rest, json={"text": "Hello"})).json()
    message = f"{pair.rest}/{said['id']}"
    for text, mentions in ((f"Hello @{pair.bruno.username}", [str(pair.bruno.id)]), ("Hello you", [])):
        assert (await pair.ana.patch(message, json={"text": text})).is_success
        assert (await pair.bruno.get(pair.rest)).json()["items"][0]["mentions"] == mentions
    assert (await pair.ana.patch(message, json={"text": f"@{pair.bruno.username} again"})).is_success
    await drain(infra)
    told = (await pair.bruno.get("/notifications")).json()["items"]
    assert sorted(item["kind"] for item in told) == ["direct", "mention"]


async def test_an_idempotency_key_makes_it_one_message(pair: Pair) -> None:
    headers = {"Idempotency-Key": "a key of a library"}
    sent = [(await pair.ana.post(pair.rest, json={"text": "Once"}, headers=headers)).json() for _ in range(2)]
    assert sent[0]["id"] == sent[1]["id"]
    other = await pair.ana.post(pair.rest, json={"text": "Twice"}, headers={"Idempotency-Key": "another"})
    assert [said["text"] for said in (await pair.bruno.get(pair.rest)).json()["items"]] == ["Twice", "Once"]
    assert other.status_code == 201
