"""Signed addresses of recordings, so that an audio element needs no header.

An address is the same for everybody who asks within some hours, so that a room, and whatever caches, share it. It dies
after half a day at the latest, and at once when its owner changes who may hear the track: whoever signs says who may
hear it now, and that is signed too.
"""

import base64
import hmac
import time
from uuid import UUID

from app.core.http import API

__all__ = ["check_media_url", "media_url"]

PERIOD = 6 * 3600
"""An address is valid for one to two of these."""


def media_url(secret: bytes, track_id: UUID, visibility: str, *, now: float | None = None) -> str:
    """Where the recording of a track can be heard without a token, by anybody who is told.

    `secret` is that of the settings, `visibility` that of the track now. Give it to those only who may hear the track.
    """
    expires = (int(time.time() if now is None else now) // PERIOD + 2) * PERIOD
    return f"{API}/media/audio/{track_id}?expires={expires}&signature={_sign(secret, track_id, visibility, expires)}"


def check_media_url(
    secret: bytes, track_id: UUID, visibility: str, *, expires: int, signature: str, now: float | None = None
) -> bool:
    """Whether we signed this for the track as it is now, and its time is not over."""
    current = (time.time() if now is None else now) < expires
    signed = _sign(secret, track_id, visibility, expires)
    return hmac.compare_digest(signed.encode(), signature.encode()) and current


def _sign(secret: bytes, track_id: UUID, visibility: str, expires: int) -> str:
    message = b"media\0" + track_id.bytes + f"{expires} {visibility}".encode()
    return base64.urlsafe_b64encode(hmac.digest(secret, message, "sha256")[:18]).decode()
