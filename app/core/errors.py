"""Errors as RFC 9457 problem documents: a class is a status, a stable code and a title."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel

__all__ = [
    "AppError",
    "BadRequest",
    "Conflict",
    "Fault",
    "Forbidden",
    "Gone",
    "Invalid",
    "NotFound",
    "PayloadTooLarge",
    "Problem",
    "TooManyRequests",
    "Unauthorized",
    "Unavailable",
    "problems",
]


class Fault(BaseModel):
    """One fault in the input: where it is and how to mend it."""

    pointer: str
    detail: str
    code: str


class Problem(BaseModel):
    """RFC 9457 problem document. `code` is stable; `title` and `detail` are for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    instance: str
    request_id: str
    errors: list[Fault]


class AppError(Exception):
    """Base of everything that a client may be told. `extra` goes into the document's top level."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Something went wrong"

    def __init__(
        self,
        detail: str = "",
        *,
        faults: list[Fault] | None = None,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.faults = faults or []
        self.headers = dict(headers or {})
        self.extra = extra


class BadRequest(AppError):
    status, code, title = 400, "bad_request", "The request cannot be understood"


class Unauthorized(AppError):
    status, code, title = 401, "unauthorized", "A valid token is needed"

    def __init__(self, detail: str = "", **extra: Any) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"}, **extra)


class Forbidden(AppError):
    status, code, title = 403, "forbidden", "You may not do this"


class NotFound(AppError):
    status, code, title = 404, "not_found", "There is no such thing, or you may not see it"


class Conflict(AppError):
    status, code, title = 409, "conflict", "This contradicts what is there"


class Gone(AppError):
    status, code, title = 410, "gone", "This is no longer available"


class PayloadTooLarge(AppError):
    status, code, title = 413, "payload_too_large", "The body is too large"


class Invalid(AppError):
    status, code, title = 422, "invalid", "The input has faults"

    @classmethod
    def field(cls, pointer: str, detail: str, code: str = "invalid") -> "Invalid":
        """An error about one field; `pointer` is a JSON pointer such as `/body/rating`."""
        return cls(detail, faults=[Fault(pointer=pointer, detail=detail, code=code)])


class TooManyRequests(AppError):
    status, code, title = 429, "too_many_requests", "Too many requests"


class Unavailable(AppError):
    status, code, title = 503, "unavailable", "A part of the service is not available now"

    def __init__(self, detail: str = "", *, retry_after: int = 2, **extra: Any) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)}, **extra)


def problems(*errors: type[AppError]) -> dict[int | str, dict[str, Any]]:
    """OpenAPI `responses=` for the errors that an operation may answer beside those every operation has."""
    by_status: dict[int | str, list[type[AppError]]] = {}
    for error in errors:
        by_status.setdefault(error.status, []).append(error)
    return {status: _response(group) for status, group in by_status.items()}


def _response(group: list[type[AppError]]) -> dict[str, Any]:
    examples = {error.code: {"summary": error.title, "value": example(error)} for error in group}
    return {
        "description": "; ".join(error.title for error in group),
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}
        },
    }


def example(error: type[AppError]) -> dict[str, Any]:
    """A sample problem document, for the documentation."""
    return {
        "type": f"/problems/{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.title,
        "code": error.code,
        "instance": "/api/v1/…",
        "request_id": "0192f0c1d7a87c3e",
        "errors": [],
    }
