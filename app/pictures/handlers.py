"""Loads what registers itself."""

from app.pictures import unused

__all__ = ["unused"]
