"""Errors as one sentence with a remedy, on stderr."""

import logging
import os
import sys
import traceback

from pydantic import ValidationError

from app.commands.starting import StartError
from app.core.embedded import EmbeddedError
from app.core.errors import AppError
from app.core.migrations import SchemaError
from app.core.server import PortError
from app.core.signals import Interrupted
from app.demo.apart import NotLoaded

__all__ = ["report"]

EXPLAINED = (StartError, EmbeddedError, SchemaError, PortError, NotLoaded, AppError)


def report(error: Exception) -> int:
    """Prints what went wrong and returns the exit code."""
    if isinstance(error, Interrupted):
        return error.exit_code
    if os.environ.get("LOG_LEVEL") == "DEBUG":
        traceback.print_exception(error)
    for line in _lines(error):
        print(f"error: {line}", file=sys.stderr)
    logging.shutdown()
    return 1


def _lines(error: Exception) -> list[str]:
    if isinstance(error, ValidationError):
        return [_setting(fault["loc"], fault["msg"], fault.get("input")) for fault in error.errors()]
    if isinstance(error, EXPLAINED):
        return [str(error)]
    reason, _, _ = str(error).partition("\n")  # the database's have their statement with all its values below that
    return [f"{type(error).__name__}: {reason}. LOG_LEVEL=DEBUG shows where; `python -m app doctor` looks for causes."]


def _setting(place: tuple[int | str, ...], message: str, value: object) -> str:
    message = message.removeprefix("Value error, ")
    if not place:
        return f"{message} (in the environment or .env)"
    name = str(place[0]).upper()
    shown = f"={value}" if isinstance(value, str | int | float) and not _is_secret(name) else ""
    return f"{name}{shown}: {message[0].lower()}{message[1:]} (in the environment or .env; see .env.example)"


def _is_secret(name: str) -> bool:
    return name.endswith(("_KEY", "_SECRET", "_URL", "_DSN"))
