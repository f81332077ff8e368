"""What was asked of the server and is not answered yet.

Each thing keeps its client id, so that the server takes it once however often it is sent.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from soundscore_client.problems import Problem
from soundscore_client.wire import Ack, Frame

__all__ = ["Outbox"]

WINDOW = 16
"""How many may be under way at once: the server refuses a flood."""
RETRY_SECONDS = 1.0
_RETRIED = (429, 503)
"""Problems that pass."""


@dataclass(slots=True, eq=False)
class _Entry:
    frame: Frame
    answer: "asyncio.Future[Ack]"
    sent: bool = False


class Outbox:
    """Frames in the order in which they were asked, until each is answered."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._post: Callable[[Frame], None] | None = None
        self._paused = False

    async def ask(self, frame: Frame) -> Ack:
        """Sends a frame, now and after every cut, until it is answered. Raises Problem, and what `give_up` is told."""
        client_id = uuid4().hex
        entry = _Entry({**frame, "client_id": client_id}, asyncio.get_running_loop().create_future())
        self._entries[client_id] = entry
        self._pump()
        return await entry.answer

    def open(self, post: Callable[[Frame], None]) -> None:
        """There is a new connection. Nobody knows what arrived over the last one, so everything is sent again."""
        self._post, self._paused = post, False
        for entry in self._entries.values():
            entry.sent = False
        self._pump()

    def shut(self) -> None:
        """There is no connection."""
        self._post = None

    def acknowledge(self, ack: Ack) -> None:
        """Something was done."""
        entry = self._settle(ack["client_id"])
        if entry is not None:
            entry.answer.set_result(ack)
        self._pump()

    def complain(self, problem: Frame) -> bool:
        """Something was not done. False if it is sent again in a while, and nobody needs to know."""
        client_id: str | None = problem["client_id"]
        if client_id in self._entries and problem["status"] in _RETRIED:
            self._entries[client_id].sent = False
            self._pause()
            return False
        entry = self._settle(client_id) if client_id else None
        if entry is not None:
            entry.answer.set_exception(Problem(problem))
        self._pump()
        return True

    def give_up(self, error: Exception) -> None:
        """Nothing will be answered any more."""
        for client_id in list(self._entries):
            entry = self._settle(client_id)
            if entry is not None:
                entry.answer.set_exception(error)

    def _settle(self, client_id: str) -> _Entry | None:
        """What this id stands for, unless it was answered before or nobody waits for it any more."""
        entry = self._entries.pop(client_id, None)
        return None if entry is None or entry.answer.done() else entry

    def _pump(self) -> None:
        if self._post is None or self._paused:
            return
        free = WINDOW - sum(entry.sent for entry in self._entries.values())
        for entry in [entry for entry in self._entries.values() if not entry.sent][: max(free, 0)]:
            entry.sent = True
            self._post(entry.frame)

    def _pause(self) -> None:
        if not self._paused:
            self._paused = True
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self._go_on)

    def _go_on(self) -> None:
        self._paused = False
        self._pump()
