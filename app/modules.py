"""Imports every module's tables and handlers, so that the metadata and the registries are complete."""

from importlib import import_module
from importlib.util import find_spec

__all__ = ["MODULES", "load_modules"]

MODULES = (
    "pictures",
    "users",
    "auth",
    "reactions",
    "chat",
    "catalog",
    "reviews",
    "groups",
    "playlists",
    "rooms",
    "uploads",
    "library",
    "feed",
    "discover",
    "notifications",
    "moderation",
    "compat.openmusic",
    "compat.subsonic",
)


def load_modules() -> None:
    """Imports `models` and `handlers` of each module that has them."""
    import_module("app.core.idempotency")
    for module in MODULES:
        for name in ("models", "handlers"):
            if find_spec(f"app.{module}.{name}"):
                import_module(f"app.{module}.{name}")
