"""What the end of a connection means: whether to come back, and when."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["ABNORMAL", "FORBIDDEN", "GOING_AWAY", "NORMAL", "UNAUTHORIZED", "Closing", "Policy", "delay", "policy"]

NORMAL = 1000
ABNORMAL = 1006
"""The connection was cut, or was never made; nobody sends this code."""
GOING_AWAY = 1012
UNAUTHORIZED = 4401
FORBIDDEN = 4403

SPREAD_MS = 1000.0
"""A thousand clients who come back at once are spread over this time."""
FIRST_BACKOFF_MS = 1000.0
MOST_BACKOFF_MS = 30_000.0
FLOOD_MS = 10_000.0


@dataclass(frozen=True, slots=True)
class Closing:
    """How a connection ended. `after_ms`: the server asked to wait for so long."""

    code: int
    reason: str = ""
    after_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """`now`: within a second. `backoff`: longer each time. `later`: 10 s and more. `renew`: with a new token."""

    again: Literal["no", "now", "backoff", "later"]
    renew: bool = False


_NO, _NOW, _BACKOFF = Policy("no"), Policy("now"), Policy("backoff")
_POLICIES = {
    1000: _NO,
    1001: _NOW,
    1012: _NOW,
    4400: _NO,
    4401: Policy("now", renew=True),
    4403: _NO,
    4404: _NO,
    4408: _NOW,
    4409: _NOW,
    4413: _NO,
    4429: Policy("later"),
}


def policy(code: int) -> Policy:
    """What to do after a close code. Those that are not in the protocol are faults of the network or the server."""
    return _POLICIES.get(code, _BACKOFF)


def delay(policy: Policy, attempt: int, random: float, after_ms: float | None = None) -> float:
    """Milliseconds until the next attempt.

    `attempt` counts the connections in a row that did not last; `random` is between 0 and 1; `after_ms` is what the
    server asked for. The backoff has full jitter: any time up to the limit is as likely as another.
    """
    backoff = random * min(MOST_BACKOFF_MS, FIRST_BACKOFF_MS * 2.0 ** min(attempt, 30))
    if policy.again == "later":
        return FLOOD_MS + backoff
    if policy.again == "now" and attempt == 0:
        return random * SPREAD_MS if after_ms is None else after_ms
    return backoff
