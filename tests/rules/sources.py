"""What the rules look at: the source files, the routes, the schemas."""

import ast
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIWebSocketRoute, iter_route_contexts
from starlette.routing import BaseRoute

from app.api import api
from app.core.routing import RouteTable

ROOT = Path(__file__).parents[2]
APP = ROOT / "app"


@dataclass(frozen=True)
class Source:
    """One file of the program."""

    path: Path

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def module(self) -> str:
        return self.name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def tree(self) -> ast.Module:
        return parsed(self.path)

    def at(self, node: ast.AST) -> str:
        return f"{self.name}:{getattr(node, 'lineno', 1)}"

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node

    def calls(self) -> Iterator[tuple[str, ast.Call]]:
        """Every call with its dotted name: `session.commit`, `func.count`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield ast.unparse(node.func), node


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


@cache
def sources() -> list[Source]:
    """All files of the program."""
    return [Source(path) for path in sorted(APP.rglob("*.py"))]


def modules() -> list[Any]:
    """All modules of the program, imported, except the one that runs when it is imported as `__main__`."""
    return [import_module(source.module) for source in sources()]


@dataclass(frozen=True)
class Operation:
    """One method of one path, with everything that it depends on."""

    path: str
    name: str
    methods: frozenset[str]
    endpoint: Callable[..., Any]
    dependants: tuple[Dependant, ...]
    route: Any

    @property
    def is_socket(self) -> bool:
        return isinstance(self.route.original_route, APIWebSocketRoute)

    def __str__(self) -> str:
        code = inspect.unwrap(self.endpoint).__code__
        file = Path(code.co_filename)
        where = file.relative_to(ROOT) if file.is_relative_to(ROOT) else file
        return f"{where}:{code.co_firstlineno} {self.name} ({' '.join(sorted(self.methods)) or 'socket'} {self.path})"


def operations(app: FastAPI) -> list[Operation]:
    """Every operation and socket: those in the table, and those of the included routers, which `app.routes` hides."""
    return [
        Operation(
            path=route.path or "",
            name=route.name or "",
            methods=frozenset(route.methods or ()) - {"HEAD"},
            endpoint=route.endpoint,
            dependants=tuple(flat(route.dependant)),
            route=route,
        )
        for route in iter_route_contexts([*api.routes, *app.routes])
        if isinstance(route.original_route, APIRoute | APIWebSocketRoute)
    ]


def every_route(app: FastAPI) -> Iterator[BaseRoute]:
    for route in app.routes:
        if isinstance(route, RouteTable):
            yield from route.routes
        else:
            yield route


def flat(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for inner in dependant.dependencies:
        yield from flat(inner)


def told(breaches: list[str]) -> str:
    """One breach on each line."""
    return "\n" + "\n".join(breaches)
