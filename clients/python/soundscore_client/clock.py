"""The server's clock, seen from here.

A ping that was under way for `delay` tells the difference of the two clocks to within half of it: the answer was
written at some moment in between. So the least-delayed of the last few is the best, as in the clock filter of NTP
(D. Mills, RFC 5905, section 10). But clocks drift apart, and an old sample knows less each second: its error grows.

A Clock reads no clock and sets no timer. All times are milliseconds; local ones by a clock that does not jump.
"""

import time
from collections import deque
from dataclasses import dataclass

__all__ = ["Clock", "local_ms"]

KEPT = 8
DRIFT_PPM = 100.0
_START = time.time() * 1000 - time.monotonic() * 1000


@dataclass(frozen=True, slots=True)
class _Sample:
    at: float
    offset: float
    delay: float

    def error(self, now: float, drift: float) -> float:
        return self.delay / 2 + drift * (now - self.at)


class Clock:
    """Add what pings tell; ask for the time."""

    def __init__(self, *, kept: int = KEPT, drift_ppm: float = DRIFT_PPM) -> None:
        self._samples: deque[_Sample] = deque(maxlen=kept)
        self._drift = drift_ppm * 1e-6

    def add(self, sent: float, received: float, server: float) -> None:
        """A ping: when it left and when its answer came, by the clock here, and what the server's clock said."""
        if received < sent:
            return
        new = _Sample(received, server - (sent + received) / 2, received - sent)
        best = self._best(received)
        if best and abs(new.offset - best.offset) > best.error(received, self._drift) + new.error(
            received, self._drift
        ):
            # both cannot be true, so a clock was set or the machine slept: what was known is void
            self._samples.clear()
        self._samples.append(new)

    def offset(self, now: float) -> float | None:
        """What to add to the clock here to get the server's. None before the first ping."""
        best = self._best(now)
        return best.offset if best else None

    def error(self, now: float) -> float | None:
        """By how much the offset may be wrong at most."""
        best = self._best(now)
        return best.error(now, self._drift) if best else None

    def server_now(self, now: float) -> float | None:
        """The server's time. None before the first ping."""
        offset = self.offset(now)
        return None if offset is None else now + offset

    def _best(self, now: float) -> _Sample | None:
        newest_first = reversed(self._samples)
        return min(newest_first, key=lambda sample: sample.error(now, self._drift), default=None)


def local_ms() -> float:
    """Unix milliseconds by a clock that never jumps while the program runs."""
    return _START + time.monotonic() * 1000
