"""The dialect against its own OpenAPI document: schemathesis makes up requests and checks the answers."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI

from app.core.config import Settings
from tests.compat.openmusic.conftest import Speaker, add_album, add_song
from tests.compat.openmusic.test_playlists import add_playlist
from tests.conftest import serving
from tests.contract.test_schema import NOT_CHECKED, PROGRAM


@pytest.fixture
async def address(speaking: FastAPI, settings: Settings) -> AsyncIterator[str]:
    async with serving(speaking, settings) as address:
        yield address


async def run(address: str, *options: str, speaker: Speaker) -> str:
    """Schemathesis' own words where it finds anything, else nothing."""
    process = await asyncio.create_subprocess_exec(
        *(PROGRAM, "run", f"{address}/openmusic/openapi.json", "--url", address, "--checks", "all"),
        *("--exclude-checks", NOT_CHECKED, "--generation-deterministic", "--no-color", "--warnings", "off"),
        *("--request-timeout", "30", "--workers", "1"),
        *("-H", f"Authorization: {speaker.headers['Authorization']}", *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return "" if process.returncode == 0 else output.decode()[-12_000:]


async def test_every_answer_is_as_documented(address: str, john: Speaker) -> None:
    await add_playlist(john)
    await add_song(john, albumId=await add_album(john))
    assert await run(address, "--phases", "examples,coverage,fuzzing", "--max-examples", "2", speaker=john) == ""


@pytest.mark.slow
async def test_many_made_up_requests_break_nothing(address: str, john: Speaker) -> None:
    assert await run(address, "--phases", "fuzzing", "--max-examples", "80", speaker=john) == ""
