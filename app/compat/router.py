"""The other dialects in which the same services speak."""

from fastapi import APIRouter

from app.compat.listenbrainz.router import router as listenbrainz

__all__ = ["routers"]

routers: list[APIRouter] = [
    listenbrainz,
]
"""All of them lie outside of /api/v1."""
