"""Connections of the pool for reads."""

import json

import asyncpg

__all__ = ["Plain", "decode_json"]


class Plain(asyncpg.Connection):
    """A connection of the pool for reads: they change nothing of the session, so there is nothing to reset."""

    def get_reset_query(self) -> str:
        return ""


async def decode_json(connection: asyncpg.Connection) -> None:
    """JSON arrives as Python values, as it does on SQLAlchemy's connections."""
    for name in ("json", "jsonb"):
        await connection.set_type_codec(name, encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
