"""A short way into reads: what FastAPI finds out anew for each request is found out once.

FastAPI walks the tree of dependencies with exit stacks, caches and checks for every kind of callable, and validates
what our own code built. A read needs none of this: its dependencies are coroutines without cleanup, so their calls are
written down as a list when the route is made and run one after the other. Whatever is unusual, a parameter that does
not fit above all, takes FastAPI's own way, so that the answer is the same.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin
from uuid import UUID

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.idempotency import IdempotentRoute
from app.core.paging import Sheet

__all__ = ["LeanRoute"]

_SIMPLE = (str, int, float, bool, UUID, date, NoneType)
_UNUSUAL = (
    "body_params",
    "cookie_params",
    "http_connection_param_name",
    "websocket_param_name",
    "background_tasks_param_name",
    "security_scopes_param_name",
    "own_oauth_scopes",
    "concurrency",
)
"""What a function may ask for that only the long way knows."""


class Parameter(NamedTuple):
    """One value of the request: where it is found, and under which name it is passed on."""

    source: int
    alias: str
    name: str
    required: bool
    default: Any
    validate: Callable[..., tuple[Any, Sequence[Any]]]


class Call(NamedTuple):
    """A function and what it takes: parameters, results of calls before it, the request, the response."""

    function: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    results: tuple[tuple[str, int], ...]
    request: str | None
    response: str | None


class LeanRoute(IdempotentRoute):
    """Takes the short way into a GET where there is one."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if self.methods == {"GET"} and self.response_field and _is_lean(self.dependant):
            self.app = _short_way(self, self.app)


def _is_lean(dependant: Dependant) -> bool:
    if any(getattr(dependant, name) for name in _UNUSUAL) or not _is_coroutine(dependant.call):
        return False
    found = [*dependant.path_params, *dependant.query_params, *dependant.header_params]
    return all(_is_simple(field.field_info.annotation) for field in found) and all(
        map(_is_lean, dependant.dependencies)
    )


def _is_coroutine(call: Any) -> bool:
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(type(call).__call__)


def _is_simple(annotation: Any) -> bool:
    """One value of the query, and not a list or a model of several."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _is_simple(get_args(annotation)[0])
    if origin in {Union, UnionType}:
        return all(map(_is_simple, get_args(annotation)))
    return origin is Literal or (isinstance(annotation, type) and issubclass(annotation, _SIMPLE))


def _plan(dependant: Dependant, calls: list[Call], known: dict[int, int]) -> int:
    """Writes down the calls of a tree, each function once, after what it depends on. Answers the place of its own."""
    function = dependant.call
    if function is None or id(function) in known:
        return known[id(function)]
    below = [(sub.name, _plan(sub, calls, known)) for sub in dependant.dependencies]
    sources = (dependant.path_params, dependant.query_params, dependant.header_params)
    parameters = tuple(_parameter(source, field) for source, fields in enumerate(sources) for field in fields)
    results = tuple((name, place) for name, place in below if name)
    calls.append(Call(function, parameters, results, dependant.request_param_name, dependant.response_param_name))
    return known.setdefault(id(function), len(calls) - 1)


def _parameter(source: int, field: Any) -> Parameter:
    required = field.field_info.is_required()
    return Parameter(source, field.alias, field.name, required, None if required else field.default, field.validate)


def _short_way(route: APIRoute, long_way: ASGIApp) -> ASGIApp:
    calls: list[Call] = []
    _plan(route.dependant, calls, {})
    field: Any = route.response_field
    model, status = field.field_info.annotation, route.status_code or 200

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        request, given = Request(scope, receive, send), Response()
        given.raw_headers.clear()  # the length of its own empty body, which a route may copy
        arguments = _arguments(calls, (request.path_params, request.query_params, request.headers))
        if arguments is None:
            await long_way(scope, receive, send)
            return
        result = await _run(calls, arguments, request, given)
        if isinstance(result, Response):
            await result(scope, receive, send)
            return
        if type(result) is Sheet:
            body = result.encode()
        else:
            body = field.serialize_json(result if type(result) is model else field.validate(result)[0])
        length = (b"content-length", str(len(body)).encode())
        headers = [length, (b"content-type", b"application/json"), *given.raw_headers]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return answer


def _arguments(calls: Sequence[Call], sources: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]] | None:
    """The parameters of each call, or None if one of them is missing or not valid."""
    found: list[dict[str, Any]] = []
    for call in calls:
        values: dict[str, Any] = {}
        for source, alias, name, required, default, validate in call.parameters:
            value = sources[source].get(alias)
            if value is None:
                if required:
                    return None
                values[name] = default
            else:
                values[name], errors = validate(value)
                if errors:
                    return None
        found.append(values)
    return found


async def _run(calls: Sequence[Call], arguments: list[dict[str, Any]], request: Request, response: Response) -> Any:
    results: list[Any] = []
    for call, values in zip(calls, arguments, strict=True):
        for name, place in call.results:
            values[name] = results[place]
        if call.request:
            values[call.request] = request
        if call.response:
            values[call.response] = response
        results.append(await call.function(**values))
    return results[-1]
