"""A process hears what its sockets need, and they hear all of it."""

import asyncio

from app.core.feeds import Line
from app.core.ids import uuid7
from app.core.infra import Infra
from tests.sockets import Ear


async def test_who_comes_while_the_last_one_leaves_is_subscribed(infra: Infra) -> None:
    broadcast, channel_id = infra.broadcast, uuid7()
    for _ in range(20):
        feed = await broadcast.enter(channel_id)
        _, feed = await asyncio.gather(broadcast.left(feed), broadcast.enter(channel_id))
        (number,) = (await infra.redis.execute_command("PUBSUB", "SHARDNUMSUB", f"channel:{channel_id}"))[1::2]
        assert number == 1
        await broadcast.left(feed)


async def test_what_passes_while_somebody_comes_in_is_heard(infra: Infra) -> None:
    channel_id, early, late = uuid7(), Ear(uuid7()), Ear(uuid7())
    feed = await infra.broadcast.enter(channel_id)
    await feed.level(early, 0)
    for payload in (b"before", b"meanwhile"):
        passed = feed.passed
        await infra.broadcast.publish({channel_id: [Line(0, payload)]})
    await feed.level(late, 0, passed=passed)
    await infra.broadcast.publish({channel_id: [Line(0, b"after")]})
    await asyncio.sleep(0.01)
    assert [line.payload for line in late.lines] == [b"meanwhile", b"after"]
    assert len(early.lines) == 3
    await infra.broadcast.left(feed)
