"""Turns every error into a problem document."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import asyncpg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.types import Scope

from app.core.errors import AppError, Conflict, Fault, Invalid, Unavailable

__all__ = ["add_problem_handlers", "problem_response", "unexpected"]

log = structlog.get_logger()
_UNREADABLE = "There was an error parsing the body"  # FastAPI's words for a body that is not even text
_STATUS_CODES = {
    400: ("bad_request", "The request cannot be understood"),
    401: ("unauthorized", "A valid token is needed"),
    404: ("not_found", "There is no such path"),
    405: ("method_not_allowed", "This path does not take this method"),
    413: ("payload_too_large", "The body is too large"),
}


def problem_response(scope: Scope, error: AppError) -> JSONResponse:
    """The answer that tells of an error."""
    return _document(
        scope,
        status=error.status,
        code=error.code,
        title=error.title,
        detail=error.detail,
        faults=error.faults,
        headers=error.headers,
        extra=error.extra,
    )


def _document(
    scope: Scope,
    *,
    status: int,
    code: str,
    title: str,
    detail: str,
    headers: dict[str, str],
    faults: Sequence[Fault] = (),
    extra: Mapping[str, Any] = MappingProxyType({}),
) -> JSONResponse:
    body = {
        "type": f"/problems/{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "instance": quote(scope["path"]),
        "request_id": scope.get("request_id", ""),
        "errors": [fault.model_dump() for fault in faults],
    }
    content = body | {
        name: value if isinstance(value, int | float | list | dict) else str(value) for name, value in extra.items()
    }
    return JSONResponse(content, status, headers, media_type="application/problem+json")


async def _app_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AppError)
    if error.status >= 500:
        log.warning("unavailable", reason=str(error), cause=repr(error.__cause__))
    return problem_response(request.scope, error)


async def _validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    faults = [_fault(item) for item in error.errors()]
    detail = "; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults[:3])
    return problem_response(request.scope, Invalid(detail, faults=faults))


def _fault(item: dict[str, Any]) -> Fault:
    if item["type"] == "json_invalid":
        return Fault(pointer="/body", detail=f"No valid JSON: {item['ctx']['error']}", code="json_invalid")
    pointer = "/" + "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in item["loc"])
    return Fault(pointer=pointer, detail=item["msg"], code=item["type"])


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == 400 and error.detail == _UNREADABLE:
        fault = Fault(pointer="/body", detail="This is no text in UTF-8.", code="json_invalid")
        return problem_response(request.scope, Invalid(fault.detail, faults=[fault]))
    code, title = _STATUS_CODES.get(error.status_code, ("http_error", "The request failed"))
    detail = title if error.detail in {"Not Found", "Method Not Allowed"} else str(error.detail)
    headers = dict(error.headers or {})
    return _document(request.scope, status=error.status_code, code=code, title=title, detail=detail, headers=headers)


async def _integrity(request: Request, error: Exception) -> JSONResponse:
    """The constraint had the last word: another request was faster, or what was referred to is gone."""
    assert isinstance(error, IntegrityError)
    name = getattr(getattr(error.orig, "__cause__", None), "constraint_name", None) or "a constraint"
    log.info("conflict", constraint=name)
    return problem_response(request.scope, Conflict("Something there already contradicts this.", constraint=name))


async def _database(request: Request, error: Exception) -> JSONResponse:
    """The database hangs or is away."""
    lost = isinstance(error, TimeoutError | PoolTimeout | OSError | asyncpg.PostgresConnectionError) or (
        isinstance(error, DBAPIError) and (error.connection_invalidated or _is_connection_error(error))
    )
    if not lost:
        return await unexpected(request, error)
    log.warning("database_lost", reason=type(error).__name__)
    return problem_response(request.scope, Unavailable("The database does not answer. Try again shortly."))


def _is_connection_error(error: DBAPIError) -> bool:
    cause = getattr(error.orig, "__cause__", None)
    kinds = (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.QueryCanceledError)
    return isinstance(cause, (*kinds, asyncpg.OperatorInterventionError))


async def unexpected(request: Request, error: Exception) -> JSONResponse:
    """The answer to what nobody has foreseen, which is logged."""
    log.error("unexpected_error", exc_info=error)
    return problem_response(request.scope, AppError("This is our fault. Tell us the request id."))


def add_problem_handlers(app: FastAPI) -> None:
    """Every error of the application becomes a problem document."""
    app.add_exception_handler(AppError, _app_error)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(IntegrityError, _integrity)
    for lost in (DBAPIError, PoolTimeout, TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        app.add_exception_handler(lost, _database)
    app.add_exception_handler(Exception, unexpected)
