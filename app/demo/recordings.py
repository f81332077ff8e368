"""Records the demo's music: has the pieces played into files, uploads them as anybody uploads, starts the room.

That takes some seconds of work, so it comes after the first answer, and is done by processes of their own. What is
missing is found each time the server starts: so it does not matter when the last one was ended.
"""

import asyncio
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import httpx2
import structlog
from fastapi import FastAPI
from sqlalchemy import select

from app.catalog.models import Track
from app.chat.log import hold
from app.core.auth import Principal
from app.core.errors import AppError
from app.core.infra import Infra
from app.demo.content import build_content
from app.demo.gatherings import build_gatherings
from app.demo.synth import read_pieces
from app.rooms import playback
from app.rooms.playing_schemas import PressInput
from app.rooms.queue import announce_order
from app.uploads.models import Upload
from app.uploads.schemas import Finalise, UploadInput
from app.uploads.service import finalise_upload, initiate_upload

__all__ = ["Missing", "missing_recordings", "record_music"]

UPLOADER = "ana"
READY_LOOKS, LOOK_SECONDS, SEND_SECONDS = 600, 0.2, 60.0
CHECKOUT = Path(__file__).parents[2]
log = structlog.get_logger()


class NotPlayed(RuntimeError):
    """The process that plays a piece failed."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A piece without a recording: its number, its track, and who is to upload it."""

    number: int
    track_id: UUID
    uploader: Principal


async def missing_recordings(infra: Infra) -> list[Missing]:
    """Pieces whose tracks are there, without a recording and without one on its way, the first to be heard first."""
    content = build_content(datetime.now(UTC))
    names = [f"{piece['artist']} - {piece['album']} - {piece['title']}" for piece in read_pieces()]
    numbers = {content.tracks[name]["id"]: number for number, name in enumerate(names)}
    queue = [row["track_id"] for row in build_gatherings(content, datetime.now(UTC)).queue]
    on_its_way = select(Upload.wishes["track_id"].astext).where(Upload.state.in_(("processing", "ready")))
    silent = select(Track.id).where(Track.id.in_(numbers), Track.audio_type.is_(None), Track.merged_into_id.is_(None))
    known = {UUID(track_id) for track_id in await infra.db.reader.all(on_its_way) if track_id}
    there = [track_id for track_id in await infra.db.reader.all(silent) if track_id not in known]
    uploader = Principal(user_id=content.people[UPLOADER]["id"], session_id=UUID(int=0), role="curator")
    return [Missing(numbers[track_id], track_id, uploader) for track_id in sorted(there, key=queue.index)]


async def record_music(app: FastAPI, pieces: list[Missing]) -> None:
    """Records what is missing. The room begins with the first piece, and is told when all of them can be heard.

    A piece that fails is left for the next start.
    """
    infra: Infra = app.state.infra
    for piece in pieces:
        try:
            await _record(app, piece)
            if piece is pieces[0] and await _are_ready(infra, [piece.track_id]):
                await _begin_to_play(infra)
        except (AppError, NotPlayed, OSError) as error:
            log.warning("demo_not_recorded", piece=piece.number, reason=str(error))
    if pieces and await _are_ready(infra, [piece.track_id for piece in pieces]):
        await _begin_to_play(infra)
        log.info("demo_recorded", pieces=len(pieces))


async def _record(app: FastAPI, piece: Missing) -> None:
    with TemporaryDirectory(prefix="music-") as folder:
        path = Path(folder) / "piece.wav"
        await _play_into(path, piece.number)
        await _upload(app, piece, await asyncio.to_thread(path.read_bytes))


async def _play_into(path: Path, number: int) -> None:
    """In a process that gives way to others: to play takes most of a second of work."""
    command = (sys.executable, "-m", "app.demo.synth", str(number), str(path))
    process = await asyncio.create_subprocess_exec(*command, cwd=CHECKOUT)
    try:
        if await process.wait():
            raise NotPlayed(f"It ended with {process.returncode}.")
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise


async def _upload(app: FastAPI, piece: Missing, recording: bytes) -> None:
    """The three steps: announce it, send it where the answer says, finalise."""
    infra: Infra = app.state.infra
    said = UploadInput(filename=f"piece-{piece.number}.wav", content_type="audio/wav", size=len(recording))
    async with infra.db.write() as db:
        ticket = await initiate_upload(infra, db, piece.uploader, said)
    await _send(app, ticket.upload.url, ticket.upload.headers, recording)
    await finalise_upload(infra, piece.uploader, ticket.id, Finalise(track_id=piece.track_id, visibility="public"))


async def _send(app: FastAPI, url: str, headers: dict[str, str], recording: bytes) -> None:
    """To the store; where that is this server itself, without a detour over the network and its certificates."""
    here = url.startswith((app.state.infra.settings.base_url, "/"))
    transport = httpx2.ASGITransport(app=app) if here else None
    async with httpx2.AsyncClient(transport=transport, timeout=SEND_SECONDS, base_url="http://localhost") as client:
        try:
            answer = await client.put(url, content=recording, headers=headers)
        except httpx2.HTTPError as error:
            raise NotPlayed(f"The store does not answer: {error!r}") from error
    if answer.is_error:
        raise NotPlayed(f"The store answered {answer.status_code}.")


async def _are_ready(infra: Infra, track_ids: list[UUID]) -> bool:
    """Waits until uploads have become recordings, which takes a worker some moments; whether they did."""
    recorded = select(Track.id).where(Track.id.in_(track_ids), Track.audio_type.is_not(None))
    for _ in range(READY_LOOKS):
        if len(await infra.db.reader.all(recorded)) == len(track_ids):
            return True
        await asyncio.sleep(LOOK_SECONDS)
    return False


async def _begin_to_play(infra: Infra) -> None:
    """The room plays on if it plays already, and gets to know what can be heard by now."""
    content = build_content(datetime.now(UTC))
    gatherings = build_gatherings(content, datetime.now(UTC))
    for room in [room for room in gatherings.rooms if room["id"] in gatherings.recorded]:
        owner = Principal(user_id=room["owner_id"], session_id=UUID(int=0))
        with suppress(AppError):  # somebody has closed it, or emptied its queue
            async with infra.db.write() as db:
                await hold(db, room["id"], kind="room")
                await playback.play(db, owner, room["id"], PressInput())
                await announce_order(db, room["id"], actor_id=None)
