"""The application: what a request meets, from the outermost layer in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from app import __version__
from app.api import TAGS, api, root
from app.compat.openmusic.mounting import mount_openmusic
from app.core.config import Settings
from app.core.docs import add_docs, describe
from app.core.draining import working
from app.core.health import router as health
from app.core.infra import open_infra
from app.core.logging import configure_logging
from app.core.middleware import Gate, RequestContext, Unforeseen
from app.core.problems import add_problem_handlers
from app.core.telemetry import configure_sentry
from app.modules import load_modules

__all__ = ["create_app"]


def create_app(settings: Settings | None = None) -> FastAPI:
    """The ASGI application; it opens its databases when its lifespan starts."""
    settings = settings or Settings()
    configure_logging(settings)
    configure_sentry(settings)
    load_modules()
    app = FastAPI(
        title="SoundScore",
        version=__version__,
        lifespan=_lifespan,
        openapi_tags=TAGS,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # ours knows more, and costs less
    )
    app.state.settings = settings
    app.router.routes.append(api)
    app.include_router(health)
    app.include_router(root)
    add_docs(app)
    describe(app, api.routes)
    add_problem_handlers(app)
    app.add_middleware(Gate, settings=settings)
    if settings.openmusic_compat:
        mount_openmusic(app)
    app.add_middleware(Unforeseen)
    if settings.cors_origins:
        app.add_middleware(CORSMiddleware, **_cors(settings))
    app.add_middleware(RequestContext)
    return app


_SENT = (
    "Authorization Content-Type Idempotency-Key If-Match If-None-Match If-Range Range Last-Event-ID Cache-Control "
    "X-Request-ID traceparent tracestate baggage sentry-trace"
)
_READ = (
    "ETag Link Location RateLimit RateLimit-Policy Retry-After Idempotent-Replayed X-Data-Source X-Request-ID "
    "Accept-Ranges Content-Range Content-Disposition Content-Length"
)
"""Headers that pages of other origins may send and read."""


def _cors(settings: Settings) -> dict[str, Any]:
    return {
        "allow_origins": settings.cors_origins,
        "allow_methods": ["*"],
        "allow_headers": _SENT.split(),
        "expose_headers": _READ.split(),
        "max_age": 3600,
    }


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with open_infra(app.state.settings) as infra:
        app.state.infra = infra
        async with working(infra):
            yield
