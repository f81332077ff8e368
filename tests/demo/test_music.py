"""The demo's music: notes that are written down, played into files, uploaded in three steps, heard in a room."""

import asyncio
import io
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from app.catalog.models import Track
from app.core.infra import Infra
from app.core.job_runner import drain
from app.core.tasks import end_tasks
from app.demo.recordings import missing_recordings, record_music
from app.demo.seed import reset, seed_if_empty
from app.demo.synth import RATE, length_ms, notes, perform, read_pieces
from app.integrations.storage import storage
from app.uploads.models import Upload
from tests.conftest import http_client

PIECES = read_pieces()


@pytest.mark.parametrize("piece", PIECES, ids=[piece["title"] for piece in PIECES])
def test_every_voice_of_a_piece_is_as_long_as_the_others(piece: dict[str, Any]) -> None:
    lengths = []
    for voice in piece["voices"]:
        held = {note.at + note.held / voice.get("legato", 1.0) for note in notes({**piece, "voices": [voice]})}
        lengths.append(max(held) * piece["tempo"] / 60)
    assert max(lengths) - min(lengths) <= 2.1  # one may end with a rest
    assert 20_000 <= length_ms(piece) <= 40_000
    assert all(36 <= note.key <= 90 for note in notes(piece))


def test_there_are_enough_and_their_composers_are_long_dead() -> None:
    assert len(PIECES) >= 6
    died = [int(piece["composer"][-5:-1]) for piece in PIECES if piece["composer"].endswith(")")]
    assert len(died) >= 6
    assert max(died) < 1926


def test_a_piece_sounds_from_beginning_to_end() -> None:
    piece = min(PIECES, key=length_ms)
    with wave.open(io.BytesIO(perform(piece))) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (2, RATE, 2)
        assert abs(file.getnframes() * 1000 / RATE - length_ms(piece)) < 1
        frames = memoryview(file.readframes(file.getnframes())).cast("h")
    assert 20_000 < max(map(abs, frames)) <= 30_000  # loud, and nothing is cut off
    seconds = [max(map(abs, frames[start : start + 2 * RATE])) for start in range(0, len(frames) - 4 * RATE, 2 * RATE)]
    assert min(seconds) > 1_000, "there is a hole in it"
    assert max(map(abs, frames[-200:])) < 300, "it ends with a click"


async def test_the_room_plays_what_was_uploaded(fresh: FastAPI) -> None:
    infra: Infra = fresh.state.infra
    assert await seed_if_empty(infra) is not None
    pieces = await missing_recordings(infra)
    assert len(pieces) == len(PIECES)
    async with http_client(fresh) as client:
        room = (await client.get("/rooms/by-name", params={"name": "The music box"})).json()
        assert (await client.get(f"/rooms/{room['id']}/playback")).json()["item"] is None  # it waits for its music
        async with at_work(infra):
            await record_music(fresh, pieces[:2])
        playing = (await client.get(f"/rooms/{room['id']}/playback")).json()
        await hears(client, playing["item"]["track"])
        waiting = (await client.get(f"/rooms/{room['id']}/queue")).json()
        await hears(client, waiting[0]["track"])
        assert [item["track"]["media_url"] is None for item in waiting] == [False, *[True] * (len(PIECES) - 2)]
        said = (await client.get(f"/tracks/{playing['item']['track']['id']}/comments")).json()["items"]
        assert said
    assert len(await missing_recordings(infra)) == len(PIECES) - 2
    assert await infra.db.reader.one(select(func.count()).where(Upload.state == "ready")) == 2
    await reset(infra)
    assert await infra.db.reader.one(select(func.count()).where(Track.audio_type.is_not(None))) == 0
    assert len(await missing_recordings(infra)) == len(PIECES)
    assert infra.part(storage) is not None


@asynccontextmanager
async def at_work(infra: Infra) -> AsyncIterator[None]:
    """A worker that does what is to be done."""

    async def work() -> None:
        while True:
            await drain(infra)
            await asyncio.sleep(0.05)

    worker = asyncio.create_task(work())
    try:
        yield
    finally:
        await end_tasks([worker])


async def hears(client: httpx.AsyncClient, track: dict[str, Any]) -> None:
    """The address in the room plays, for somebody without a token."""
    heard = await client.get(f"http://soundscore.test{track['media_url']}")
    assert (heard.status_code, heard.headers["content-type"]) == (200, "audio/wav")
    with wave.open(io.BytesIO(heard.content)) as file:
        assert abs(file.getnframes() * 1000 / file.getframerate() - track["duration_ms"]) < 1
