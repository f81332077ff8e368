"""The usual design, for comparison: INSERT, then PUBLISH; each process sends its sockets what the broker brings.

It speaks the same frames, so that the same people can talk through it. Run by uvicorn, `naive:app`.
"""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
from redis.asyncio import Redis
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.core.database_url import driver_dsn

_TABLE = "CREATE TABLE IF NOT EXISTS naive (id bigserial PRIMARY KEY, client_id text, text text)"
_sockets: set[WebSocket] = set()


@contextlib.asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    app.state.pool = await asyncpg.create_pool(driver_dsn(os.environ["DATABASE_URL"]), min_size=1, max_size=5)
    app.state.redis = Redis.from_url(os.environ["REDIS_URL"], socket_timeout=2)
    with contextlib.suppress(asyncpg.UniqueViolationError):  # two processes at once
        await app.state.pool.execute(_TABLE)
    task = asyncio.create_task(_forward(app.state.redis))
    yield
    task.cancel()


async def _forward(redis: Redis) -> None:
    while True:
        with contextlib.suppress(RedisError, OSError):
            async with redis.pubsub() as pubsub:
                await pubsub.subscribe("naive")
                while True:
                    message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=5)
                    for socket in list(_sockets) if message else ():
                        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                            await socket.send_text(message["data"].decode())
        await asyncio.sleep(0.1)


async def ready(request: Request) -> PlainTextResponse:
    return PlainTextResponse("ready")


def _event(row: Any) -> dict[str, Any]:
    return {"type": "event", "sequence": row["id"], "kind": "message.created", "data": {"text": row["text"]}}


async def talk(socket: WebSocket) -> None:
    pool, redis = socket.app.state.pool, socket.app.state.redis
    await socket.accept()
    hello = await socket.receive_json()
    rows = await pool.fetch("SELECT id, text FROM naive WHERE id > $1 ORDER BY id", hello["last_sequence"])
    await socket.send_json({"type": "welcome", "recovered": True, "events": [_event(row) for row in rows]})
    _sockets.add(socket)
    try:
        while True:
            frame = await socket.receive_json()
            sql = "INSERT INTO naive (client_id, text) VALUES ($1, $2) RETURNING id, text"
            row = await pool.fetchrow(sql, frame["client_id"], frame["text"])
            with contextlib.suppress(RedisError, OSError):
                await redis.publish("naive", json.dumps(_event(row)))
            await socket.send_json({"type": "ack", "client_id": frame["client_id"], "sequence": row["id"]})
    except (WebSocketDisconnect, RuntimeError, asyncpg.PostgresError, OSError):
        pass
    finally:
        _sockets.discard(socket)


app = Starlette(routes=[Route("/readyz", ready), WebSocketRoute("/ws/{path:path}", talk)], lifespan=lifespan)
