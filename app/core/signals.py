"""SIGINT and SIGTERM, from the first moment of a process to its last: whatever was started is stopped."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import uvloop

__all__ = ["Interrupted", "Signals", "run"]

ENDING = (signal.SIGINT, signal.SIGTERM)


class Interrupted(Exception):
    """A signal ended the work before it was done."""

    def __init__(self, number: int) -> None:
        super().__init__(f"Stopped by {signal.Signals(number).name}.")
        self.exit_code = 128 + number


class Signals:
    """What a signal does: the first one cancels the task, unless somebody leaves in a gentler way."""

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self.received: int | None = None
        self._task = task
        self._leave: Callable[[], object] | None = None

    @contextmanager
    def handled_by(self, leave: Callable[[], object]) -> Iterator[None]:
        """While the block runs, each signal calls `leave`. After the first one nothing else is interrupted."""
        self._leave = leave
        try:
            yield
        finally:
            self._leave = None

    def receive(self, number: int) -> None:
        """Takes a signal."""
        first, self.received = self.received is None, number
        if self._leave is not None:
            self._leave()
        elif first:
            self._task.cancel()


def run(main: Callable[[Signals], Coroutine[Any, Any, None]]) -> None:
    """Runs `main` on a new event loop. Raises Interrupted when a signal cancelled it; what it opened is closed then."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_handling(main))


async def _handling(main: Callable[[Signals], Coroutine[Any, Any, None]]) -> None:
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    signals = Signals(task)
    for number in ENDING:
        loop.add_signal_handler(number, signals.receive, number)
    try:
        await main(signals)
    except asyncio.CancelledError:
        if signals.received is None:
            raise
        raise Interrupted(signals.received) from None
    finally:
        for number in ENDING:
            loop.remove_signal_handler(number)
            if signals.received is not None:
                signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not spoil the last moments
