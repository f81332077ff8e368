"""Whatever people do at once, what is counted stays what can be counted."""

import asyncio
from contextlib import suppress

import pytest
from fastapi import FastAPI

from app.core.ids import MIN_UUID
from app.core.infra import Infra
from app.feed.service import trim
from tests.conftest import serving
from tests.people import People
from tests.promises.crowd import Crowd
from tests.promises.invariants import INVARIANTS, broken
from tests.promises.together import acts_at, settle_down


async def hold(app: FastAPI, *, people: int, seed: int, times: int, acts: str = "alone") -> None:
    """Lets a crowd live, then looks at everything. Nobody may see a fault, and no job may fail."""
    infra: Infra = app.state.infra
    async with People(app) as made, serving(app, infra.settings) as address:
        crowd = Crowd(app, made)
        if acts != "alone":
            crowd.acts = [*acts_at(address), *(crowd.acts if acts == "all" else [])]
        await crowd.gather(people)
        await crowd.live(seed, times)
        await everybody_is_gone(infra)
    async with infra.db.write() as db:
        await trim(db, MIN_UUID)
    assert crowd.faults == []
    assert await broken(infra.db.reader) == {}
    assert {name for name, status in crowd.statuses if status < 300} == {act.__name__ for act, _ in crowd.acts}


async def everybody_is_gone(infra: Infra) -> None:
    """Those who sat somewhere are noted to have gone."""
    async with asyncio.timeout(5):
        while await infra.db.fetch("SELECT FROM presences", []):
            await asyncio.sleep(0.05)


async def test_a_crowd_breaks_nothing(fresh: FastAPI) -> None:
    await hold(fresh, people=8, seed=1, times=80)


async def test_a_crowd_in_rooms_and_groups_breaks_nothing(fresh: FastAPI) -> None:
    await hold(fresh, people=6, seed=1, times=140, acts="together")


@pytest.mark.slow
@pytest.mark.parametrize("acts", ["alone", "together", "all"])
@pytest.mark.parametrize("seed", range(4))
async def test_a_persistent_crowd_breaks_nothing(fresh: FastAPI, seed: int, acts: str) -> None:
    await hold(fresh, people=8, seed=seed, times=400, acts=acts)


BREAKS = {
    "albums count their likes": "UPDATE albums SET like_count = like_count + 1",
    "tracks count their comments": "UPDATE tracks SET comment_count = comment_count + 1",
    "tracks count their plays": "INSERT INTO track_plays SELECT id, 1 FROM tracks ON CONFLICT DO NOTHING",
    "inboxes count what is unread": "UPDATE inboxes SET unread_count = unread_count + 1",
    "reviews count their likes and comments": "UPDATE reviews SET comment_count = 99",
    "feeds leave nothing out": "DELETE FROM feed_entries",
    "albums count their published reviews": "UPDATE albums SET rating_counts[3] = rating_counts[3] + 1",
    "people count who follows whom": "UPDATE users SET follower_count = follower_count - 1",
    "logs have every number once": "DELETE FROM channel_events WHERE sequence = 1",
    "channels count their messages": "UPDATE channels SET message_count = message_count + 1",
    "messages are counted through in their order": "UPDATE messages SET ordinal = ordinal + 1",
    "a message is the event of its number": "UPDATE messages SET sequence = sequence + 1000",
    "nobody has read more than there is": "UPDATE channel_readers SET ordinal = ordinal + 1",
    "who reads a group belongs to it": "DELETE FROM group_members",
    "a deleted message is empty": "UPDATE messages SET deleted_at = now()",
    "reactions are what the log says": "UPDATE channel_events SET kind = 'reaction.x' WHERE kind = 'reaction.added'",
    "nobody speaks after they were put out": """
        UPDATE channel_events e SET removes = (
            SELECT actor_id FROM channel_events WHERE channel_id = e.channel_id AND kind = 'message.created' LIMIT 1)
        WHERE e.sequence = 2""",
    "who belongs to a room or group is what its log says": "UPDATE channel_events SET removes = actor_id",
    "a channel has what it is of": "UPDATE channels SET kind = 'direct'",
    "groups count their members and have one owner": "UPDATE groups SET member_count = member_count + 1",
    "rooms count their members and have one owner, who may be away from a permanent one": """
        UPDATE rooms SET owner_id = (SELECT id FROM users WHERE id <> owner_id LIMIT 1)""",
    "nobody is in where they are banned": """
        INSERT INTO room_bans (room_id, user_id) SELECT room_id, user_id FROM room_members ON CONFLICT DO NOTHING""",
    "who came into a room has visited it": "DELETE FROM room_visits",
    "items count their votes": "UPDATE queue_items SET vote_count = vote_count + 1",
    "what plays does not wait": "UPDATE playbacks SET item_id = (SELECT id FROM queue_items LIMIT 1)",
    "a room plays one thing, and that is what it shows": "UPDATE playbacks SET item = NULL, playing = true",
    "what plays has an end, and what stands still has none": "UPDATE playbacks SET due_ms = NULL",
    "votes to skip are told as they are cast": "UPDATE playbacks SET skip_votes = skip_votes + 100",
    "people count what they heard": "INSERT INTO listeners SELECT id, 7 FROM users ON CONFLICT DO NOTHING",
    "who left is in no room and no group": "UPDATE users SET deleted_at = now()",
}


class Undone(Exception):
    """Rolls back."""


async def test_what_is_broken_is_found(fresh: FastAPI) -> None:
    """The statements are no decoration: what they hold is seen when it does not hold."""
    infra: Infra = fresh.state.infra
    async with People(fresh) as made, serving(fresh, infra.settings) as address:
        crowd = Crowd(fresh, made)
        crowd.acts += acts_at(address)
        await crowd.gather(4)
        await crowd.live(2, 60)
        await settle_down(crowd)
        await everybody_is_gone(infra)
    async with infra.db.write() as db:
        await trim(db, MIN_UUID)
    assert await broken(infra.db.reader) == {}
    for name, sql in BREAKS.items():
        with suppress(Undone):
            async with infra.db.write() as db:
                await db.records(sql, [])
                assert name in await broken(db), name
                raise Undone
    assert BREAKS.keys() <= INVARIANTS.keys()
