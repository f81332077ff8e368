"""Finds the route of a request by its first path segment: a dozen candidates instead of all of them in turn.

FastAPI keeps included routers nested and tries every route of every one, twice; with 150 routes that costs more than
the rest of a request.
"""

from collections import defaultdict

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

__all__ = ["RouteTable"]


class RouteTable(BaseRoute):
    """All routes below a prefix. Routers are added flat: their paths begin with the prefix already."""

    def __init__(self, prefix: str) -> None:
        self._prefix = f"{prefix}/"
        self._literal: defaultdict[str, list[BaseRoute]] = defaultdict(list)
        self._groups: defaultdict[str, list[BaseRoute]] = defaultdict(list)
        self.routes: list[BaseRoute] = []

    def include_router(self, router: APIRouter) -> None:
        """Adds the routes of a router. Raises ValueError for a path outside of the prefix."""
        for route in router.routes:
            path: str = getattr(route, "path", "")
            self.routes.append(route)
            self._groups[self._segment(path)].append(route)
            if "{" not in path:
                self._literal[path].append(route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """The route that fits path and method, or the methods that the path would take."""
        if scope["type"] not in {"http", "websocket"} or not scope["path"].startswith(self._prefix):
            return Match.NONE, {}
        allowed: set[str] = set()
        for route in self._candidates(scope["path"]):
            match, child_scope = route.matches(scope)
            if match is Match.FULL:
                return match, {**child_scope, "route": route}
            if match is Match.PARTIAL:
                allowed |= getattr(route, "methods", None) or set()
        return (Match.PARTIAL, {"allowed_methods": allowed}) if allowed else (Match.NONE, {})

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hands the request to the route that matched. Raises HTTPException 405 where only the method does not fit."""
        if "allowed_methods" in scope:
            raise HTTPException(405, headers={"Allow": ", ".join(sorted(scope["allowed_methods"]))})
        await scope["route"].handle(scope, receive, send)

    def _candidates(self, path: str) -> list[BaseRoute]:
        """A path without parameters is itself, and no id of its neighbour's: `/notifications/read-all`."""
        return self._literal.get(path) or self._groups.get(self._segment(path), [])

    def _segment(self, path: str) -> str:
        if not path.startswith(self._prefix):
            raise ValueError(f"{path} does not begin with {self._prefix}")
        return path[len(self._prefix) :].partition("/")[0]
