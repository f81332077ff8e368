"""UUID version 7: time-ordered identifiers, made in Python because only PostgreSQL 18 has uuidv7()."""

import hashlib
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

__all__ = ["MAX_UUID", "MIN_UUID", "uuid7", "uuid7_at", "uuid7_end", "uuid7_named", "uuid7_start", "uuid7_time"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MIN_UUID = UUID(int=0)
MAX_UUID = UUID(int=(1 << 128) - 1)


class _Clock:
    """Time in units of 1/4096 ms; one more than the last when the clock stands still or runs back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def ticks(self) -> int:
        milliseconds, rest = divmod(time.time_ns(), 1_000_000)
        now = (milliseconds << 12) | (rest * 4096 // 1_000_000)
        with self._lock:
            self._last = max(now, self._last + 1)
            return self._last


_clock = _Clock()


def uuid7() -> UUID:
    """A version 7 UUID (RFC 9562, method 3: 12 bits of sub-millisecond time), strictly increasing in this process."""
    ticks = _clock.ticks()
    return _uuid7(ticks >> 12, ticks & 0xFFF)


def _uuid7(milliseconds: int, fraction: int) -> UUID:
    return _put_together(milliseconds, fraction, int.from_bytes(os.urandom(8), "big"))


def _put_together(milliseconds: int, fraction: int, tail: int) -> UUID:
    return UUID(int=(milliseconds << 80) | (7 << 76) | (fraction << 64) | (2 << 62) | (tail & ((1 << 62) - 1)))


def uuid7_at(moment: datetime) -> UUID:
    """A version 7 UUID for what happened then and is only now written down."""
    milliseconds, rest = divmod(moment.timestamp() * 1000, 1)
    return _uuid7(int(milliseconds), int(rest * 4096))


def uuid7_named(moment: datetime, name: bytes) -> UUID:
    """The one version 7 UUID of a name at a moment: whoever makes it again makes the same."""
    digest = int.from_bytes(hashlib.sha256(name).digest()[:10], "big")
    milliseconds = (moment - _EPOCH) // timedelta(milliseconds=1)
    return _put_together(milliseconds, digest >> 62 & 0xFFF, digest)


def uuid7_start(moment: datetime) -> UUID:
    """Lies before every version 7 UUID of this moment, and after those of earlier ones."""
    milliseconds = -((_EPOCH - moment) // timedelta(milliseconds=1))
    return UUID(int=max(0, milliseconds) << 80)


def uuid7_end(moment: datetime) -> UUID:
    """Lies behind every version 7 UUID of this moment, and before those of later ones."""
    milliseconds = (moment - _EPOCH) // timedelta(milliseconds=1)
    return UUID(int=max(0, (milliseconds + 1 << 80) - 1))


def uuid7_time(value: UUID) -> datetime:
    """The moment, to the millisecond, at which a version 7 UUID was made."""
    return datetime.fromtimestamp((value.int >> 80) / 1000, tz=UTC)
