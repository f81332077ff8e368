"""Loads what registers itself."""

from app.playlists import export, exporting

__all__ = ["export", "exporting"]
