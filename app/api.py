"""The ordered list of routers under /api/v1, and the paths that need no login."""

from fastapi import APIRouter

__all__ = ["PUBLIC", "api"]

api = APIRouter(prefix="/api/v1")

PUBLIC: frozenset[str] = frozenset()
"""Names of the operations that answer without a token. A test holds every other operation to its login."""
