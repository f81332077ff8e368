"""Logs carry the request id and no secret; errors reach Sentry where it is set up."""

import asyncio
import sys
from typing import Any

import pytest

from app.core.logging import redact


@pytest.mark.parametrize(
    ("event", "secret"),
    [
        ({"access_token": "s3cret"}, "s3cret"),
        ({"password": "s3cret"}, "s3cret"),
        ({"event": "sent Authorization: Bearer s3cret"}, "s3cret"),
        ({"event": "GET /stream?ticket=s3cret&x=1"}, "s3cret"),
        ({"event": "cannot reach postgresql://app:s3cret@host/db"}, "s3cret"),
        ({"reason": "eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl is old"}, "c2lnbmF0dXJl"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(event: dict[str, Any], secret: str) -> None:
    hidden = str(redact(None, "info", event))
    assert secret not in hidden
    assert "[hidden]" in hidden


def test_other_words_stay() -> None:
    event = {"event": "request", "path": "/api/v1/albums", "status": 200}
    assert redact(None, "info", dict(event)) == event


async def test_errors_reach_sentry() -> None:
    received = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"/api/1/envelope/" in head:
            received.set()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", CHILD.format(port=port))
    assert await child.wait() == 0
    server.close()
    assert received.is_set()


CHILD = """
import sentry_sdk
from app.core.config import Settings
from app.core.telemetry import configure_sentry

configure_sentry(Settings(sentry_dsn="http://key@127.0.0.1:{port}/1", _env_file=None))
try:
    1 / 0
except ZeroDivisionError as error:
    sentry_sdk.capture_exception(error)
sentry_sdk.flush(5)
"""
