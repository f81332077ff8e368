"""Loads what registers itself."""

from app.playlists import channel

__all__ = ["channel"]
