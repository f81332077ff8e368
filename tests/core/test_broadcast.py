"""The subscriptions of a process are those that its sockets need."""

import asyncio

from app.core.ids import uuid7
from app.core.infra import Infra


async def test_who_comes_while_the_last_one_leaves_is_subscribed(infra: Infra) -> None:
    broadcast, channel_id = infra.broadcast, uuid7()
    for _ in range(20):
        feed = await broadcast.enter(channel_id)
        _, feed = await asyncio.gather(broadcast.left(feed), broadcast.enter(channel_id))
        (number,) = (await infra.redis.execute_command("PUBSUB", "SHARDNUMSUB", f"channel:{channel_id}"))[1::2]
        assert number == 1
        await broadcast.left(feed)
