"""Structured logs on stderr, each line with the request id, none with a secret."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from app.core.config import Settings

__all__ = ["configure_logging", "hide", "redact"]

_SECRET_NAME = re.compile(r"token|password|secret|authorization|cookie|ticket|api_key|dsn", re.IGNORECASE)
_SECRET_VALUE = re.compile(
    r"(?i)(bearer\s+|token=|ticket=|password=|code=)[^\s&\"']+|(://[^:/@\s]+:)[^@\s]+(?=@)|eyJ[\w-]{8,}\.[\w-]+\.[\w-]*"
    r"|\$(?:argon2\w*|2[abxy])\$[^\s'\"]+"
)


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hides values of secret names, and what looks like a secret inside any text."""
    for name, value in event.items():
        if _SECRET_NAME.search(name) and isinstance(value, str | bytes):
            event[name] = "[hidden]"
        elif isinstance(value, str):
            event[name] = hide(value)
    return event


def hide(text: str) -> str:
    """The text without what looks like a secret."""
    return _SECRET_VALUE.sub(lambda match: f"{match.group(1) or match.group(2) or ''}[hidden]", text)


def configure_logging(settings: Settings) -> None:
    """Sends structlog and the standard library's loggers through one chain."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,  # before secrets are hidden, so in tracebacks too
    ]
    if settings.log_format == "json":
        renderer: Any = structlog.processors.JSONRenderer()
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    level = logging.getLevelNamesMapping()[settings.log_level]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    formatter = structlog.stdlib.ProcessorFormatter
    handler.setFormatter(
        formatter(foreign_pre_chain=shared, processors=[formatter.remove_processors_meta, redact, renderer])
    )
    root = logging.getLogger()
    root.handlers, root.level = [handler], level
    for noisy in ("alembic", "httpx", "httpx2", "httpcore", "httpcore2", "uvicorn", "pgqueuer"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # of a lost connection it tells a page of tracebacks, where ours is a line
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)
