"""The published keys of another auth server, kept so that its outage or a flood of made-up keys harms nobody."""

import asyncio
import time
from typing import Any

import httpx
import structlog
from jose import jwk
from jose.exceptions import JOSEError

from app.core.errors import Unauthorized, Unavailable

__all__ = ["PublishedKeys"]

REFRESH_SECONDS = 600.0
UNKNOWN_SECONDS = 60.0
TIMEOUT_SECONDS = 5.0
log = structlog.get_logger()


class PublishedKeys:
    """RS256 keys by their kid. Known keys stay good while the server is away; unknown ones cost a fetch a minute."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = httpx.AsyncClient(timeout=TIMEOUT_SECONDS)
        self._keys: dict[str, Any] = {}
        self._fetched_at = self._unknown_at = float("-inf")
        self._reachable = False
        self._lock = asyncio.Lock()
        self._renewing: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Ends the background work."""
        if self._renewing:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
        await self._client.aclose()

    async def get(self, kid: str) -> Any:
        """The key. Raises Unauthorized if the server has no such key, Unavailable if it could not be asked."""
        key = self._keys.get(kid)
        if key is None:
            key = await self._look_for(kid)
        elif time.monotonic() > self._fetched_at + REFRESH_SECONDS and (
            self._renewing is None or self._renewing.done()
        ):
            # in the background: nobody waits for a server that may be away
            self._renewing = asyncio.create_task(self._renew(), name="jwks")
        return key

    async def _look_for(self, kid: str) -> Any:
        async with self._lock:
            if kid not in self._keys and time.monotonic() > self._unknown_at + UNKNOWN_SECONDS:
                empty = not self._keys
                await self._fetch()
                if not (empty and kid in self._keys):
                    # the first load is nobody's fault, so a rotation just after it is still noticed at once
                    self._unknown_at = time.monotonic()
        if kid in self._keys:
            return self._keys[kid]
        if not self._reachable:
            raise Unavailable("The keys of the sign-in server cannot be read now.", retry_after=10)
        raise Unauthorized("The token was signed with a key that nobody knows.")

    async def _renew(self) -> None:
        async with self._lock:
            await self._fetch()

    async def _fetch(self) -> None:
        # also after a failure, so that an outage does not mean a fetch for each request
        self._fetched_at = time.monotonic()
        try:
            answer = await self._client.get(self._url)
            answer.raise_for_status()
            keys = {entry["kid"]: jwk.construct(entry, "RS256") for entry in answer.json()["keys"] if _usable(entry)}
        except (httpx.HTTPError, JOSEError, ValueError, KeyError, TypeError, AttributeError) as error:
            self._reachable = False
            log.warning("jwks_unread", reason=type(error).__name__)
            return
        self._reachable = True
        self._keys = keys or self._keys


def _usable(entry: dict[str, Any]) -> bool:
    signs = entry.get("use", "sig") == "sig" and entry.get("alg", "RS256") == "RS256"
    return entry.get("kty") == "RSA" and isinstance(entry.get("kid"), str) and signs
