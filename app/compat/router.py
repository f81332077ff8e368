"""What other programs speak: the same services in their dialects, outside of /api/v1."""

from fastapi import APIRouter, FastAPI

from app.compat.openmusic.mounting import mount_openmusic
from app.core.config import Settings

__all__ = ["mount_dialects"]

ROUTERS: list[APIRouter] = []
"""Dialects that are always there."""


def mount_dialects(app: FastAPI, settings: Settings) -> None:
    """Adds the dialects to the application; one that is off leaves no trace."""
    for router in ROUTERS:
        app.include_router(router)
    if settings.openmusic_compat:
        mount_openmusic(app)
