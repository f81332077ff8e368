"""The Range header (RFC 9110, 14): which parts of a recording are asked for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

__all__ = ["MOST_RANGES", "Span", "Unsatisfiable", "is_current", "read_ranges"]

MOST_RANGES = 32
"""A player asks for one, seldom for a few; whoever asks for more is up to something."""
_DIGITS = 15
_SPEC = re.compile(rf"[ \t]*(\d{{0,{_DIGITS}}})-(\d{{0,{_DIGITS}}})[ \t]*", re.ASCII)


class Unsatisfiable(Exception):
    """None of the ranges lies inside, or there are too many."""


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes from `start` up to `end`, which is not among them."""

    start: int
    end: int

    @property
    def size(self) -> int:
        return self.end - self.start


def read_ranges(header: str | None, size: int) -> list[Span] | None:
    """The parts in the order of the file, overlapping ones as one; None if all of it is to be sent.

    What cannot be understood is ignored, as the RFC wants it. Raises Unsatisfiable.
    """
    if header is None:
        return None
    unit, found, rest = header.partition("=")
    if unit.strip().lower() != "bytes" or not found:
        return None
    if rest.count(",") >= MOST_RANGES:
        raise Unsatisfiable
    spans: list[Span] = []
    for part in rest.split(","):
        if not part.strip():
            continue
        matched = _SPEC.fullmatch(part)
        if matched is None:
            return None
        first, last = matched.groups()
        if not _is_range(first, last):
            return None
        spans += _inside(first, last, size)
    if not spans:
        raise Unsatisfiable
    return _merged(spans)


def is_current(condition: str | None, *, tag: str, modified_at: datetime) -> bool:
    """If-Range: whether the parts are wanted of what is there now. Only a strong tag or the very date will do."""
    if condition is None:
        return True
    if condition.startswith(('"', "W/")):
        return condition == tag
    try:
        return parsedate_to_datetime(condition) == modified_at.replace(microsecond=0)
    except (ValueError, TypeError):
        return False


def _is_range(first: str, last: str) -> bool:
    if first and last:
        return int(first) <= int(last)
    return bool(first or last)


def _inside(first: str, last: str, size: int) -> Sequence[Span]:
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1 if last else size)
    return [Span(start, end)] if start < end else []


def _merged(spans: Sequence[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in sorted(spans, key=lambda span: span.start):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged
