"""The few requests that come before a socket: signing in, tickets, finding a room, adding a track."""

import time
from types import TracebackType
from typing import Any, Literal, Self, cast
from uuid import UUID

import httpx

from soundscore_client.problems import Problem, Refused
from soundscore_client.wire import Card

__all__ = ["Rest"]

API = "/api/v1"
EARLY_SECONDS = 30.0
"""A token is renewed this long before it ends."""


class Rest:
    """A server over HTTP, for one person."""

    def __init__(self, server: str, *, token: str | None = None) -> None:
        self.server = server.rstrip("/")
        self._client = httpx.AsyncClient(base_url=self.server + API, timeout=15)
        self._token, self._refresh_token = token, ""
        self._ends_at = float("inf")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def login(self, username: str, password: str) -> None:
        """Signs in. Raises Problem."""
        self._keep(await self._send("POST", "/auth/login/json", json={"username": username, "password": password}))

    async def token(self, renew: bool = False) -> str:
        """A token that still works, for `Channel(address, rest.token)`. Raises Refused."""
        if (renew or time.monotonic() > self._ends_at - EARLY_SECONDS) and self._refresh_token:
            try:
                self._keep(await self._send("POST", "/auth/refresh", json={"refresh_token": self._refresh_token}))
            except Problem as problem:
                if problem.status == 429:
                    raise ConnectionError(str(problem)) from problem
                raise Refused(f"Sign in again: {problem}") from problem
        elif renew:
            raise Refused("The token has ended. Sign in again.")
        if self._token is None:
            raise Refused("Sign in first.")
        return self._token

    async def ticket(self) -> str:
        """Opens one socket as `?ticket=`, once, within a minute. Raises Problem, Refused."""
        answer = await self.ask("POST", "/auth/tickets")
        return cast(str, answer["ticket"])

    async def room(self, name_or_id: str) -> Card:
        """A room by its id or its name. Raises Problem."""
        try:
            path, query = f"/rooms/{UUID(name_or_id)}", {}
        except ValueError:
            path, query = "/rooms/by-name", {"name": name_or_id}
        return cast(Card, await self.ask("GET", path, params=query))

    async def join(self, room_id: str, password: str | None = None) -> None:
        """Joins a room; nothing happens to who is in it. Raises Problem."""
        try:
            await self.ask("POST", f"/rooms/{room_id}/join", json={"password": password} if password else {})
        except Problem as problem:
            if problem.status != 409:
                raise

    async def find_track(self, words: str) -> str:
        """The id of the best track for these words; an id is its own. Raises Problem."""
        try:
            return str(UUID(words))
        except ValueError:
            found = await self.ask("GET", "/search", params={"q": words, "kind": "track", "limit": 1})
        if not found["items"]:
            raise Problem({"code": "not_found", "status": 404, "detail": f"There is no track like {words!r}."})
        return cast(str, found["items"][0]["id"])

    async def add_to_queue(self, room_id: str, track_id: str) -> None:
        """Puts a track into a room's queue. Raises Problem."""
        await self.ask("POST", f"/rooms/{room_id}/queue", json={"track_id": track_id})

    def socket(self, channel_id: str, kind: Literal["rooms", "groups", "direct", "playlists"] = "rooms") -> str:
        """The address of a channel's socket."""
        return f"{self.server.replace('http', 'ws', 1)}/ws/{kind}/{channel_id}"

    async def ask(self, method: str, path: str, **options: Any) -> Any:
        """Any request, signed. Raises Problem, Refused; ConnectionError when nobody answers."""
        headers = {"Authorization": f"Bearer {await self.token()}"}
        return await self._send(method, path, headers=headers, **options)

    async def _send(self, method: str, path: str, **options: Any) -> Any:
        try:
            answer = await self._client.request(method, path, **options)
        except httpx.TransportError as error:
            raise ConnectionError(f"{self.server} does not answer: {error}") from error
        if answer.status_code >= 500:
            raise ConnectionError(f"{self.server} has a problem: {answer.status_code}")
        if answer.is_error:
            raise Problem({"status": answer.status_code, **_json(answer)})
        return _json(answer)

    def _keep(self, tokens: dict[str, Any]) -> None:
        self._token, self._refresh_token = tokens["access_token"], tokens["refresh_token"]
        self._ends_at = time.monotonic() + tokens["expires_in"]


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        return cast(dict[str, Any], answer.json())
    except ValueError:
        return {}
