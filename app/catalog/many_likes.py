"""Likes on many things at once, for clients that send whole lists."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, literal, select, update
from sqlalchemy import Uuid as UuidType
from sqlalchemy.dialects.postgresql import insert

from app.catalog.events import AlbumLiked
from app.catalog.hearing import known_to
from app.catalog.likes import likes_key
from app.catalog.models import Album, Track
from app.core.auth import Principal
from app.core.db import Writer
from app.core.errors import NotFound
from app.core.ids import uuid7
from app.core.jobs import emit
from app.reactions.models import Like

__all__ = ["like_all", "unlike_all"]

Liked = type[Album] | type[Track]
