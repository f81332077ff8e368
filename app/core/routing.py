"""Finds the route of a request by its first path segment: a dozen candidates instead of all of them in turn.

FastAPI keeps included routers nested and tries every route of every one, twice; with 150 routes that costs more than
the rest of a request.
"""

from collections import defaultdict

from fastapi import APIRouter
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

__all__ = ["RouteTable"]


class RouteTable(BaseRoute):
    """All routes below a prefix. Routers are added flat: their paths begin with the prefix already."""

    def __init__(self, prefix: str) -> None:
        self._prefix = f"{prefix}/"
        self._groups: defaultdict[str, list[BaseRoute]] = defaultdict(list)
        self.routes: list[BaseRoute] = []

    def include_router(self, router: APIRouter) -> None:
        """Adds the routes of a router. Raises ValueError for a path outside of the prefix."""
        for route in router.routes:
            self.routes.append(route)
            self._groups[self._segment(getattr(route, "path", ""))].append(route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As Starlette's router: the first full match, else the first that fits but for its method."""
        found: tuple[Match, Scope] = (Match.NONE, {})
        if scope["type"] not in {"http", "websocket"} or not scope["path"].startswith(self._prefix):
            return found
        for route in self._groups.get(self._segment(scope["path"]), ()):
            match, child_scope = route.matches(scope)
            if match is Match.FULL:
                return match, {**child_scope, "route": route}
            if match is Match.PARTIAL and found[0] is Match.NONE:
                found = match, {**child_scope, "route": route}
        return found

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hands the request to the route that matched."""
        await scope["route"].handle(scope, receive, send)

    def _segment(self, path: str) -> str:
        if not path.startswith(self._prefix):
            raise ValueError(f"{path} does not begin with {self._prefix}")
        return path[len(self._prefix) :].partition("/")[0]
