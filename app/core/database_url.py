"""Addresses of databases, in all the spellings that hosts give, and connections to them.

asyncpg reads a URL as libpq does, SQLAlchemy hands what stands after `?` to the driver as it is: so an option that one
of them takes the other refuses. Here only asyncpg reads it.
"""

from functools import partial
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import asyncpg
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

__all__ = ["driver_dsn", "engine_for", "postgres_url"]

_OF_LIBPQ = frozenset(
    (
        "channel_binding",
        "client_encoding",
        "connect_timeout",
        "fallback_application_name",
        "gssencmode",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "load_balance_hosts",
        "require_auth",
        "requirepeer",
        "sslcertmode",
        "sslcompression",
        "sslnegotiation",
        "sslsni",
        "tcp_user_timeout",
    )
)
_OF_POOLERS = frozenset({"pgbouncer", "connection_limit", "pool_timeout"})
"""What other clients' documents have people add, and no server knows."""
_TLS = {"true": "require", "1": "require", "false": "disable", "0": "disable"}


def postgres_url(url: str) -> str:
    """Any spelling (postgres://, postgresql://, +asyncpg, libpq's options) as SQLAlchemy's asyncpg spelling.

    Raises ValueError for what is no address of a PostgreSQL.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.partition("+")[0] not in {"postgres", "postgresql"}:
        raise ValueError("must start with postgres:// or postgresql://")
    place, _, query = rest.partition("?")
    options = dict(_option(*pair) for pair in parse_qsl(query, keep_blank_values=True))
    kept = {name: value for name, value in options.items() if name not in _OF_LIBPQ | _OF_POOLERS}
    return f"postgresql+asyncpg://{place}{'?' if kept else ''}{urlencode(kept, quote_via=quote)}"


def _option(name: str, value: str) -> tuple[str, str]:
    return ("sslmode", _TLS.get(value.lower(), value)) if name == "ssl" else (name, value)


def driver_dsn(url: str) -> str:
    """SQLAlchemy's URL as asyncpg wants it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def engine_for(url: str, *, connect: dict[str, Any] | None = None, **options: Any) -> AsyncEngine:
    """An engine whose connections asyncpg opens; `connect` are arguments of its own.

    Values of statements, hashes of passwords among them, stay out of its errors.
    """
    opened = partial(asyncpg.connect, driver_dsn(url), **(connect or {}))
    return create_async_engine(url, async_creator=opened, hide_parameters=True, **options)
