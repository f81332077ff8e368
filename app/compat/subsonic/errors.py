"""Errors as Subsonic numbers them."""

from enum import IntEnum

from app.core.errors import AppError, Forbidden, NotFound, Unauthorized

__all__ = ["Code", "SubsonicError", "code_of"]


_UNKNOWN = frozenset({"unknown", "unknown_id"})
"""Faults of inputs that name what is not there."""


class Code(IntEnum):
    """The numbers of OpenSubsonic (https://opensubsonic.netlify.app/docs/responses/error/)."""

    GENERIC = 0
    MISSING = 10
    OLD_CLIENT = 20
    OLD_SERVER = 30
    WRONG_PASSWORD = 40
    NO_SUCH_WAY_IN = 42
    TWO_WAYS_IN = 43
    WRONG_KEY = 44
    NOT_ALLOWED = 50
    NOT_FOUND = 70


class SubsonicError(AppError):
    """An error with a number of its own."""

    status, code, title = 400, "subsonic", "The call cannot be answered"

    def __init__(self, number: Code, detail: str) -> None:
        super().__init__(detail)
        self.number = number


def code_of(error: AppError) -> Code:
    """The number that says most nearly the same."""
    if isinstance(error, SubsonicError):
        return error.number
    if isinstance(error, NotFound) or any(fault.code in _UNKNOWN for fault in error.faults):
        return Code.NOT_FOUND
    if isinstance(error, Unauthorized):
        return Code.WRONG_PASSWORD
    return Code.NOT_ALLOWED if isinstance(error, Forbidden) else Code.GENERIC
