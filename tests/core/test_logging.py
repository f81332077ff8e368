"""Logs carry the request id and no secret; errors reach Sentry where it is set up."""

import asyncio
import gzip
import re
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


async def test_errors_reach_sentry_without_secrets() -> None:
    received = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        body = await reader.readexactly(int(length.group(1)) if length else 0)
        if b"/api/1/envelope/" in head:
            received.append((gzip.decompress(body) if b"gzip" in head else body).decode())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", CHILD.format(port=port))
    assert await child.wait() == 0
    server.close()
    (told,) = received
    assert "ZeroDivisionError" in told
    assert "unexpected_error" in told
    for secret in ("TICKET", "PLAYERPASSWORD", "JWTTOKEN", "SECRETHEADER", "argon2id"):
        assert secret not in told


CHILD = """
import asyncio
import httpx
import sentry_sdk
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route
from app.core.config import Settings
from app.core.logging import configure_logging
from app.core.middleware import Unforeseen
from app.core.telemetry import configure_sentry

async def fail(request):
    raise ZeroDivisionError("token=JWTTOKEN $argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA")

async def main():
    settings = Settings(sentry_dsn="http://key@127.0.0.1:{port}/1", _env_file=None)
    configure_logging(settings)
    configure_sentry(settings)
    app = Starlette(routes=[Route("/fails", fail)], middleware=[Middleware(Unforeseen)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://soundscore.test") as client:
        query = "/fails?ticket=TICKET&p=PLAYERPASSWORD&token=JWTTOKEN"
        assert (await client.get(query, headers={{"X-Key": "SECRETHEADER"}})).status_code == 500

asyncio.run(main())
sentry_sdk.flush(5)
"""
