"""Exports under kills: the API, the consumer, RabbitMQ and the mail server, each at many points. Nothing is lost.

Nothing is mailed twice either, unless the kill fell between the mail server's acceptance and our record of it.
"""

import asyncio
import json
import random
import signal
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, update

from app.core.auth import Principal
from app.core.config import Settings
from app.core.ids import uuid7
from app.core.infra import Infra
from app.playlists.models import PlaylistExport
from app.playlists.service import NewEntry, add_entries, create_playlist
from tests.conftest import create_database, running
from tests.people import People, Person
from tests.promises.mail_server import STAGES
from tests.rabbit import RabbitServer, rabbit_server
from tests.servers import REPOSITORY, ServerProcess

AT_EACH_POINT = 3
IN_FLIGHT = 1.0
"""Seconds in which a mail is on its way, taken, and its record written, at most, on a machine that has much to do."""


class Point(NamedTuple):
    """Whom to kill: when a mail comes to a stage, or so many seconds after exports were asked for."""

    victim: str
    stage: str | None
    seconds: float


def points(each: int) -> list[Point]:
    """As many for each of the four, first at every stage where there are such, then spread over what takes long."""
    found = []
    for victim, longest in (("api", 0.2), ("rabbit", 0.3), ("consumer", 0.25), ("mail", 0.25)):
        stages = STAGES if victim in {"consumer", "mail"} else ()
        staged = [Point(victim, stage, 0.0) for stage in (*stages, *stages)][:each]
        timed = each - len(staged)
        found += [*staged, *(Point(victim, None, longest * number / timed) for number in range(timed))]
    random.Random(4).shuffle(found)
    return found


class Program:
    """A process of ours that can be killed and started again."""

    def __init__(self, log: Path, environment: dict[str, str], *command: str) -> None:
        self._log, self._environment, self._command = log, environment, command
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, *self._command, cwd=REPOSITORY, env=self._environment, stdout=log, stderr=log
            )

    async def kill(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
        await self.ended()

    async def ended(self) -> None:
        if self.process is not None:
            await self.process.wait()

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid


class Scene:
    """All four, and who asks for exports."""

    def __init__(self, folder: Path, settings: Settings, rabbit: RabbitServer, infra: Infra, person: Person) -> None:
        self.folder, self.rabbit, self.infra, self.person = folder, rabbit, infra, person
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        ours = {
            "SMTP_URL": f"smtp://127.0.0.1:{port}",
            "RABBITMQ_URL": rabbit.url,
            "RABBITMQ_QUEUE": "exports",
            "EXPORT_SECONDS": "3",
            "PUBLIC_URL": "http://soundscore.test",
            "LOG_LEVEL": "INFO",
        }
        given = settings.model_dump(include={"environment", "database_url", "redis_url", "data_dir"})
        environment = {name.upper(): str(value) for name, value in given.items()} | ours
        self.api = ServerProcess(settings, log=folder / "api.log", WORKER="true", **ours)
        self.consumer = Program(folder / "consumer.log", environment, "-m", "app", "consumer")
        self.mail = Program(
            folder / "mail.log", environment, "-W", "ignore", "-m", "tests.promises.mail_server", str(port), str(folder)
        )
        self.exports: dict[str, str] = {}
        self._numbers = iter(range(1_000_000))

    async def ask(self, playlist_id: UUID) -> None:
        """Asks for an export until it is answered, however often the server dies over it."""
        key = f"chaos-{next(self._numbers)}"
        token, _ = self.infra.tokens.issue(self.person.id, uuid7(), "user")  # a new one: all of this may take long
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        body = {"targetEmail": f"{key}@example.com"}
        async with httpx.AsyncClient(base_url=f"{self.api.address}/api/v1", headers=headers, timeout=5) as client:
            while True:
                with suppress(httpx.TransportError):
                    answer = await client.post(f"/export/playlists/{playlist_id}", json=body)
                    if answer.status_code == 202:
                        self.exports[key] = answer.json()["id"]
                        return
                    assert answer.status_code == 503, answer.text
                await asyncio.sleep(0.05)

    async def suffer(self, point: Point, playlist_id: UUID) -> None:
        """Asks for some exports, kills somebody meanwhile, and starts them again."""
        plan = self.folder / "plan"
        if point.stage is not None:
            pid = self.consumer.pid if point.victim == "consumer" else self.mail.pid
            plan.write_text(f"{point.stage} {pid}")
        asked = [asyncio.create_task(self.ask(playlist_id)) for _ in range(AT_EACH_POINT)]
        await asyncio.sleep(point.seconds)
        if point.stage is not None:
            async with asyncio.timeout(60):
                while plan.exists():
                    await asyncio.sleep(0.02)
            await (self.consumer if point.victim == "consumer" else self.mail).ended()
        else:
            self.note(point.victim)
            await self.kill(point.victim)
        await self.start(point.victim)
        await asyncio.gather(*asked)

    def note(self, victim: str) -> None:
        with (self.folder / "kills").open("a") as file:
            file.write(json.dumps({"at": time.time(), "stage": victim}) + "\n")

    async def kill(self, victim: str) -> None:
        await {"api": self.api, "rabbit": self.rabbit, "consumer": self.consumer, "mail": self.mail}[victim].kill()

    async def start(self, victim: str) -> None:
        await {"api": self.api, "rabbit": self.rabbit, "consumer": self.consumer, "mail": self.mail}[victim].start()

    async def unsent(self) -> int:
        """How many are not done."""
        rows = await self.infra.db.fetch("SELECT count(*) FROM playlist_exports WHERE state <> 'sent'", [])
        return int(rows[0][0])

    async def hasten(self) -> None:
        """As if the waits between attempts had passed: some had bad luck four times, and wait for minutes."""
        async with self.infra.db.write() as db:
            await db.execute(update(PlaylistExport).filter_by(state="queued").values(next_attempt_at=func.now()))

    def lines(self, name: str) -> list[dict[str, Any]]:
        path = self.folder / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@asynccontextmanager
async def a_scene(settings: Settings, folder: Path, worker_number: int) -> AsyncIterator[Scene]:
    """Everything runs, on a database of its own, with a mail server that takes everything."""
    url = await create_database(settings.database_url, f"soundscore_exports_{worker_number}")
    own = settings.model_copy(update={"database_url": url, "secret_key": settings.secret_key})
    async with rabbit_server() as rabbit, running(own) as app, People(app) as people:
        scene = Scene(folder, own, rabbit, app.state.infra, await people.make("ana"))
        try:
            for one in (scene.mail, scene.consumer, scene.api):
                await one.start()
            await scene.api.ready()
            yield scene
        finally:
            for victim in ("api", "consumer", "mail"):
                await scene.kill(victim)


async def a_playlist(scene: Scene) -> UUID:
    actor = Principal(scene.person.id, uuid7())
    async with scene.infra.db.write() as db:
        made = await create_playlist(db, actor, name="Through everything")
        await add_entries(db, actor, made, [NewEntry(title=f"Song {n}", artist="Somebody") for n in range(200)])
    return made


@pytest.mark.parametrize("each", [1, pytest.param(25, marks=pytest.mark.slow)])
async def test_no_kill_loses_an_export_or_mails_it_twice(
    settings: Settings, tmp_path: Path, worker_number: int, each: int
) -> None:
    async with a_scene(settings, tmp_path, worker_number) as scene:
        playlist_id = await a_playlist(scene)
        await scene.ask(playlist_id)
        async with asyncio.timeout(60):
            while await scene.unsent():  # the queue is there, and older than what a power cut takes
                await asyncio.sleep(0.1)
        plan = points(each)
        for point in plan:
            await scene.suffer(point, playlist_id)
        async with asyncio.timeout(120):
            while await scene.unsent():
                await scene.hasten()
                await asyncio.sleep(0.2)
        rows = await scene.infra.db.fetch("SELECT id, target_email, attempts FROM playlist_exports", [])
        mails, kills = scene.lines("journal"), scene.lines("kills")
    assert len(kills) == len(plan) == 4 * each
    asked = 1 + AT_EACH_POINT * len(plan)
    assert len(scene.exports) == asked
    assert {str(row["id"]) for row in rows} == set(scene.exports.values())
    expected = {f"<{row['id']}@soundscore.test>": row["target_email"] for row in rows}
    assert {mail["id"]: mail["to"][0] for mail in mails} == expected
    doubled = {name for name, count in Counter(mail["id"] for mail in mails).items() if count > 1}
    unexcused = [name for name in doubled if not excused(name, mails, kills)]
    print(f"{asked} exports, {len(kills)} kills: 0 lost, {len(doubled)} mailed twice, {len(unexcused)} without excuse")
    assert unexcused == []


def excused(name: str, mails: list[dict[str, Any]], kills: list[dict[str, Any]]) -> bool:
    """Whether each time but the last its sender or its receiver was killed while it was being taken."""
    taken = sorted(mail["at"] for mail in mails if mail["id"] == name)
    ends = [kill["at"] for kill in kills if kill["stage"] not in {"api", "rabbit"}]
    return all(any(abs(end - at) <= IN_FLIGHT for end in ends) for at in taken[:-1])
