"""Ids of demo rows: the same on every machine, and in the order of time as all ids are."""

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

__all__ = ["demo_id", "fraction"]

REFERENCE = datetime(2026, 1, 1, tzinfo=UTC)
"""Ids stand for moments before this one, whenever the data is loaded: what comes later always has later ids."""


def demo_id(kind: str, name: str, days_ago: float) -> UUID:
    """A version 7 UUID whose time is `days_ago` before the reference and whose rest is drawn from the name."""
    milliseconds = int((REFERENCE - timedelta(days=days_ago)).timestamp() * 1000)
    tail = int.from_bytes(_digest(kind, name)[:10], "big") & ((1 << 74) - 1)
    return UUID(int=(milliseconds << 80) | (7 << 76) | (tail >> 62 << 64) | (2 << 62) | (tail & ((1 << 62) - 1)))


def fraction(kind: str, name: str) -> float:
    """A number from 0 up to 1 that only depends on the name."""
    return int.from_bytes(_digest(kind, name)[:6], "big") / (1 << 48)


def _digest(kind: str, name: str) -> bytes:
    return hashlib.sha256(f"{kind}\0{name}".encode()).digest()
