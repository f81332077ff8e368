"""Loads what registers itself."""

from app.playlists import channel, export, exporting

__all__ = ["channel", "export", "exporting"]
