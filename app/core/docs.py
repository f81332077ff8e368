"""Swagger UI and ReDoc that need no internet, and what the OpenAPI document says beyond the routes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fastapi_offline
from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from starlette.routing import BaseRoute

from app.core.errors import Fault, Forbidden, Problem, Unauthorized, problems
from app.core.examples import BODIES, IN_PATHS, OF_OPERATIONS, PERSON, SOMEBODY
from app.core.routing import RouteTable

__all__ = ["add_docs", "describe", "swagger_page"]

ASSETS = Path(fastapi_offline.__file__).parent / "static"
_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; worker-src blob:; frame-ancestors 'none'"
)


def add_docs(app: FastAPI) -> None:
    """Serves /docs and /redoc with assets from this server."""
    app.mount("/docs/assets", StaticFiles(directory=ASSETS), name="docs-assets")

    @app.get("/docs", include_in_schema=False)
    async def swagger(_: Request) -> HTMLResponse:
        return swagger_page("/openapi.json", app.title)

    @app.get("/redoc", include_in_schema=False)
    async def redoc(_: Request) -> HTMLResponse:
        page = get_redoc_html(
            openapi_url="/openapi.json",
            title=app.title,
            redoc_js_url="/docs/assets/redoc.standalone.js",
            redoc_favicon_url="/docs/assets/favicon.png",
            with_google_fonts=False,
        )
        page.headers["content-security-policy"] = _POLICY
        return page


def swagger_page(document: str, title: str) -> HTMLResponse:
    """Swagger UI for the OpenAPI document at this path."""
    page = get_swagger_ui_html(
        openapi_url=document,
        title=title,
        swagger_js_url="/docs/assets/swagger-ui-bundle.js",
        swagger_css_url="/docs/assets/swagger-ui.css",
        swagger_favicon_url="/docs/assets/favicon.png",
        swagger_ui_parameters={"persistAuthorization": True, "displayRequestDuration": True, "filter": True},
    )
    page.headers["content-security-policy"] = _POLICY
    return page


def describe(app: FastAPI, routes: Sequence[BaseRoute]) -> None:
    """Makes the OpenAPI document once: of the application's own routes and of those in its table."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            own = [route for route in app.routes if not isinstance(route, RouteTable)]
            document = get_openapi(title=app.title, version=app.version, routes=[*routes, *own], tags=app.openapi_tags)
            _tell_of_logins(document)
            _show_examples(document)
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            for model in (Fault, Problem):
                schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
                schema.pop("$defs", None)
                schemas[model.__name__] = schema
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _show_examples(document: dict[str, Any]) -> None:
    """Requests name things of the demo: what `Try it out` begins with is there."""
    for methods in document["paths"].values():
        for method, operation in methods.items():
            name = operation["operationId"]
            known = IN_PATHS | {"username": PERSON if method == "get" else SOMEBODY} | OF_OPERATIONS.get(name, {})
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "path" and parameter["name"] in known:
                    parameter["example"] = known[parameter["name"]]
            if name in BODIES:
                operation["requestBody"]["content"]["application/json"]["example"] = BODIES[name]


def _tell_of_logins(document: dict[str, Any]) -> None:
    """Whatever takes a token may refuse it, whether or not its router says so."""
    refusals = {str(status): response for status, response in problems(Unauthorized, Forbidden).items()}
    for methods in document["paths"].values():
        for operation in methods.values():
            if operation.get("security"):
                operation["responses"] = refusals | operation["responses"]
