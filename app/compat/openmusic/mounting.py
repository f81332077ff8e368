"""Puts OpenMusic's paths at the root, with a documentation of their own."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse

from app.compat.openmusic.accounts_router import router as accounts
from app.compat.openmusic.albums_router import router as albums
from app.compat.openmusic.envelope import Envelope
from app.compat.openmusic.exports_router import router as exports
from app.compat.openmusic.playlists_router import router as playlists
from app.compat.openmusic.songs_router import router as songs
from app.core.docs import swagger_page
from app.core.routing import RouteTable

__all__ = ["mount_openmusic"]

ROUTERS = (albums, songs, accounts, playlists, exports)
_TITLE = "OpenMusic, as SoundScore speaks it"


def mount_openmusic(app: FastAPI) -> None:
    """Adds the dialect: its routes, its envelope around everything that they answer, and `/openmusic/docs`.

    They stay out of the main OpenAPI document, whose promises they do not make.
    """
    table = RouteTable("")
    for router in ROUTERS:
        table.include_router(router)
    app.router.routes.append(table)
    app.add_middleware(Envelope)
    document = get_openapi(title=_TITLE, version=app.version, routes=table.routes)

    @app.get("/openmusic/openapi.json", include_in_schema=False)
    async def openmusic_document() -> dict[str, Any]:
        return document

    @app.get("/openmusic/docs", include_in_schema=False)
    async def openmusic_swagger(_: Request) -> HTMLResponse:
        return swagger_page("/openmusic/openapi.json", _TITLE)
