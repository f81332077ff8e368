"""A recording to hear and recordings to finalise, beside the same file served by nothing but Starlette."""

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from fastapi import FastAPI
from fastapi.responses import FileResponse

from app.catalog.media import media_url
from app.catalog.models import Artist, Track
from app.core.config import Settings
from app.core.ids import uuid7
from app.core.infra import open_infra
from app.integrations.storage import storage
from app.uploads.models import Upload
from app.uploads.processing import inbox_key
from bench.load import Request
from bench.servers import Target

__all__ = ["Shelf", "bare", "finalise", "listen", "record"]

MEGABYTES, LISTENERS, FINALISED = 40, 8, 3000
_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where a recording is heard, its file, and uploads that only have to be finalised."""

    path: str
    file: Path
    uploads: list[UUID]


def bare() -> FastAPI:
    """The file and nothing else, for uvicorn as `bench.recordings:bare`."""
    app = FastAPI()
    path = os.environ["BENCH_FILE"]

    @app.get("/file")
    async def file() -> FileResponse:
        return FileResponse(path)

    return app


async def record(settings: Settings, owner_id: UUID) -> Shelf:
    """Puts them into the store and the tables."""
    sound = b"RIFF" + bytes(4) + b"WAVEfmt " + bytes(100)
    ids = [uuid7() for _ in range(FINALISED)]
    track_id, artist_id, key = uuid7(), uuid7(), "audio/bench.wav"
    async with open_infra(settings) as infra:
        files = infra.part(storage)
        await files.put(key, os.urandom(_MB) * MEGABYTES, content_type="audio/wav")
        for upload_id in ids:
            await files.put(inbox_key(upload_id), sound, content_type="audio/wav")
        async with infra.db.write() as db:
            db.add(Artist(id=artist_id, name="Bench", name_key="bench"))
            await db.flush()
            db.add(Track(id=track_id, title="Long", title_key="long", artist_id=artist_id, audio_type="audio/wav"))
            await db.flush()
            given = {"owner_id": owner_id, "filename": "a.wav", "content_type": "audio/wav"}
            kept = {"state": "ready", "audio_type": "audio/wav", "sha256": "0" * 64, "duration_ms": 1000}
            db.add(Upload(track_id=track_id, size=MEGABYTES * _MB, key=key, **kept, **given))
            db.add_all(Upload(id=each, size=len(sound), key=f"audio/{each.hex}.wav", **given) for each in ids)
            await db.records("UPDATE uploads SET finalised_at = now() WHERE state = 'ready'", [])
    path = media_url(settings.secret, track_id, "public")
    return Shelf(path, settings.data_dir / "media" / key, ids)


async def finalise(target: Target, uploads: Sequence[UUID], token: str) -> tuple[float, float]:
    """The third step of each, once: how many a second, and us of the server's CPU for each."""
    began, cpu = time.perf_counter(), target.cpu()
    rest = iter(uploads)
    await asyncio.gather(*(_finalise(target, rest, token) for _ in range(LISTENERS)))
    return len(uploads) / (time.perf_counter() - began), (target.cpu() - cpu) * 1e6 / len(uploads)


async def _finalise(target: Target, rest: Iterator[UUID], token: str) -> None:
    reader, writer = await asyncio.open_connection(target.host, target.port)
    for each in rest:
        writer.write(Request("POST", f"/api/v1/uploads/{each}/finalise", token, b"{}").wire())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        body = await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        assert b" 202 " in head, body
    writer.close()


async def listen(target: Target, path: str, *, seconds: float) -> tuple[float, float]:
    """MB a second that some listeners get at once, and ms of the server's CPU for each MB."""
    began, cpu = time.perf_counter(), target.cpu()
    until = began + seconds
    taken = sum(await asyncio.gather(*(_drink(target, path, until) for _ in range(LISTENERS))))
    return taken / _MB / (time.perf_counter() - began), (target.cpu() - cpu) * 1000 / (taken / _MB)


async def _drink(target: Target, path: str, until: float) -> int:
    reader, writer = await asyncio.open_connection(target.host, target.port, limit=4 * _MB)
    taken = 0
    while time.perf_counter() < until:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        left = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        assert left == MEGABYTES * _MB, head
        while left:
            piece = await reader.read(4 * _MB)
            left -= len(piece)
            taken += len(piece)
    writer.close()
    return taken
