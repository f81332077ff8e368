"""Bases of all schemas: what goes out is complete, what comes in is strict."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

__all__ = ["Id", "Input", "Line", "Message", "Moment", "Output", "Prose", "Timestamp"]


class Output(BaseModel):
    """Base of answers. Fields have no defaults: whoever builds one says everything."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class Input(BaseModel):
    """Base of request bodies: unknown fields are refused and nothing is coerced."""

    model_config = ConfigDict(extra="forbid", strict=True, str_strip_whitespace=True)


Timestamp = Annotated[datetime, Field(json_schema_extra={"format": "date-time", "examples": ["2026-05-01T20:15:00Z"]})]
"""A moment. The database gives all of them in UTC, and they go out as RFC 3339 with a Z."""

Id = Annotated[UUID, Field(strict=False)]
"""A UUID in an input: JSON has no such type, so a string is accepted even though inputs are strict."""


_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def _written(value: Any) -> Any:
    """Pydantic alone would take a bare number for seconds since 1970."""
    if isinstance(value, datetime) or (isinstance(value, str) and _RFC_3339.fullmatch(value)):
        return value
    raise ValueError("write it as RFC 3339 with an offset: 2026-05-01T20:15:00Z")


def _in_utc(value: datetime) -> datetime:
    """An offset may lead out of the years that there are: the first or the last moment of them stands for that."""
    try:
        return value.astimezone(UTC)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC) if value.year == 1 else datetime.max.replace(tzinfo=UTC)


Moment = Annotated[
    datetime,
    BeforeValidator(_written),
    AfterValidator(_in_utc),
    Field(strict=False, examples=["2026-05-01T20:15:00Z"]),
]
"""A moment in an input, with its offset from UTC; in UTC when it is read."""


Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", strip_whitespace=True)]
"""Text in one line. Combine with Field(min_length=..., max_length=...)."""

Prose = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", strip_whitespace=True)]
"""Text with line breaks. PostgreSQL cannot store the NUL character."""


class Message(Output):
    """A sentence for people where there is nothing else to say."""

    message: str
