"""A mail server that has a mail and has not said so yet: the mail is not sent a second time."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.core.config import Settings
from app.core.job_runner import Worker, drain
from app.core.tasks import end_tasks
from app.playlists.exporting import carry_out, hand_over_waiting
from tests.conftest import running
from tests.mails import Inbox, smtp_server
from tests.people import People, Person
from tests.playlists.test_export import HOUR, Desk, ask, playlist_of, state_of

SECONDS = 2.0
"""Longest until a mail has gone."""


class Slow(Inbox):
    """Does not answer until it may; `at` is the word that it is slow to answer."""

    def __init__(self, at: str) -> None:
        super().__init__()
        self.at, self.asked, self.may = at, threading.Event(), threading.Event()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        said = await super().handle_DATA(server, session, envelope)
        await self.hesitate("DATA")
        return said

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        await self.hesitate("RCPT")
        return await super().handle_RCPT(server, session, envelope, address, options)

    async def hesitate(self, at: str) -> None:
        if at == self.at:
            self.asked.set()
            while not self.may.is_set():
                await asyncio.sleep(0.02)


@asynccontextmanager
async def a_slow_desk(settings: Settings, inbox: Slow) -> AsyncIterator[tuple[Desk, Person, UUID]]:
    """An application, and an export that waits to be mailed."""
    with smtp_server(inbox) as port:
        given = settings.model_copy(update={"smtp_url": f"smtp://127.0.0.1:{port}", "export_seconds": SECONDS})
        async with running(given) as app, People(app) as people:
            infra = app.state.infra
            inbox.may.set()
            await drain(infra, raise_errors=False, ahead=HOUR)
            inbox.mails.clear()
            inbox.may.clear()
            inbox.asked.clear()
            ana = await people.make("ana")
            export = await ask(ana, await playlist_of(infra, ana, "One"))
            try:
                yield Desk(app, infra, people, inbox), ana, UUID(export["id"])
            finally:
                inbox.may.set()
                # what is left of it is nobody else's business
                await infra.db.fetch("DELETE FROM playlist_exports WHERE id = $1", [UUID(export["id"])])
                await drain(infra, raise_errors=False, ahead=HOUR)


async def asked(inbox: Slow) -> None:
    async with asyncio.timeout(30):
        while not inbox.asked.is_set():
            await asyncio.sleep(0.02)


async def pass_by(desk: Desk, time: timedelta) -> None:
    """Others look for work until so much time has passed."""
    (row,) = await desk.infra.db.fetch("SELECT now() + $1::interval AS then", [time])
    while not (await desk.infra.db.fetch("SELECT now() > $1 AS over", [row["then"]]))[0]["over"]:
        await hand_over_waiting(desk.infra)
        await drain(desk.infra)
        await asyncio.sleep(0.05)


async def test_an_answer_that_takes_longer_than_an_attempt_is_waited_for(settings: Settings) -> None:
    inbox = Slow("DATA")
    async with a_slow_desk(settings, inbox) as (desk, ana, export_id):
        working = asyncio.create_task(carry_out(desk.infra, export_id))
        await asked(inbox)
        await pass_by(desk, timedelta(seconds=SECONDS * 1.5))
        state = await state_of(ana, str(export_id))
        assert (state["state"], state["attempts"], working.done()) == ("working", 1, False)
        inbox.may.set()
        await working
        await drain(desk.infra, ahead=HOUR)
        state = await state_of(ana, str(export_id))
        assert (state["state"], state["attempts"], len(inbox.mails)) == ("sent", 1, 1)


async def test_who_is_stopped_while_a_server_hesitates_still_hears_its_answer(settings: Settings) -> None:
    inbox = Slow("DATA")
    async with a_slow_desk(settings, inbox) as (desk, ana, export_id):
        working = asyncio.create_task(carry_out(desk.infra, export_id))
        await asked(inbox)
        ending = asyncio.create_task(end_tasks([working]))
        await asyncio.sleep(0.3)
        assert not working.done()
        inbox.may.set()
        await ending
        assert working.cancelled()
        assert (await state_of(ana, str(export_id)))["state"] == "sent"
        await drain(desk.infra, ahead=HOUR)
        assert len(inbox.mails) == 1


async def test_a_worker_that_ends_hears_the_answer_of_a_server_that_hesitates(settings: Settings) -> None:
    inbox = Slow("DATA")
    async with a_slow_desk(settings, inbox) as (desk, ana, export_id):
        worker = Worker(desk.infra)
        working = asyncio.create_task(worker.run())
        await asked(inbox)
        ending = asyncio.create_task(worker.stop(0.1))
        await asyncio.sleep(0.5)
        inbox.may.set()
        await asyncio.gather(ending, working)
        assert ((await state_of(ana, str(export_id)))["state"], len(inbox.mails)) == ("sent", 1)


@pytest.mark.parametrize(("at", "mails"), [("DATA", 1), ("RCPT", 0)])
async def test_a_server_that_never_answers_does_not_keep_anybody_from_stopping(
    settings: Settings, at: str, mails: int
) -> None:
    inbox = Slow(at)
    async with a_slow_desk(settings, inbox) as (desk, ana, export_id):
        working = asyncio.create_task(carry_out(desk.infra, export_id))
        await asked(inbox)
        async with asyncio.timeout(30):
            await end_tasks([working])
        assert working.cancelled()
        assert (await state_of(ana, str(export_id)))["state"] == "working"
        assert len(inbox.mails) == mails


async def test_until_the_mail_has_gone_an_attempt_has_its_limit(settings: Settings) -> None:
    inbox = Slow("RCPT")
    async with a_slow_desk(settings, inbox) as (desk, ana, export_id):
        async with asyncio.timeout(30):
            with suppress(asyncio.CancelledError):
                await carry_out(desk.infra, export_id)
        state = await state_of(ana, str(export_id))
        assert (state["state"], state["attempts"], inbox.mails) == ("queued", 1, [])
