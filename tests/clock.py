"""A clock that stands still while the machine does not let this process run. Promises of seconds are measured by it.

Where others take the cores, wall time measures them. A thread that asked to sleep for a moment and slept for longer has
seen how much was not ours.
"""

import threading
import time

__all__ = ["now"]

_MOMENT = 0.02
_ORDINARY = 0.01
"""A thread wakes this late on an idle machine too: the interpreter hands over every 5 ms."""


class _Watch(threading.Thread):
    def __init__(self) -> None:
        super().__init__(name="clock", daemon=True)
        self.state = (0.0, time.monotonic())

    def run(self) -> None:
        lost = 0.0
        while True:
            # one assignment: who looks in between sees both or neither
            self.state = (lost, asleep_since := time.monotonic())
            time.sleep(_MOMENT)
            lost += _late(asleep_since)


def _late(asleep_since: float) -> float:
    late = time.monotonic() - asleep_since - _MOMENT
    return late if late > _ORDINARY else 0.0


_watch = _Watch()


def now() -> float:
    """Seconds on a clock that only goes on while this process may run."""
    if not _watch.is_alive():
        _watch.start()
    lost, asleep_since = _watch.state
    return time.monotonic() - lost - _late(asleep_since)
