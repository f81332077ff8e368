"""The other dialects in which the same services speak."""

from fastapi import APIRouter

from app.compat.listenbrainz.router import router as listenbrainz
from app.compat.subsonic.router import router as subsonic

__all__ = ["routers"]

routers: list[APIRouter] = [
    listenbrainz,
    subsonic,
]
"""All of them lie outside of /api/v1."""
