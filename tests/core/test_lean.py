"""The short way into reads answers as FastAPI's own way does."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Literal
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Query, Request, Response
from fastapi.routing import APIRoute

from app.core.lean import LeanRoute
from app.core.schemas import Output

THING = "01956ec6-f700-73a5-8c43-4797e00d8474"


class Thing(Output):
    id: UUID
    size: int | None
    said: str


class Loose:
    """What is no Thing, but can be read as one."""

    id, size, said = THING, 1, "loose"


async def counted(request: Request) -> str:
    """Runs once for each request, whoever asks for it."""
    request.state.runs = getattr(request.state, "runs", 0) + 1
    return f"{request.method} {request.state.runs}"


async def paged(
    response: Response, first: Annotated[str, Depends(counted)], limit: Annotated[int, Query(ge=1, le=9)] = 5
) -> str:
    response.headers["link"] = f"limit {limit}"
    return f"{first} {limit}"


async def closing() -> AsyncIterator[str]:
    yield "open"


def application(route_class: type[APIRoute]) -> FastAPI:
    router = APIRouter(route_class=route_class)

    @router.get("/things/{thing_id}", dependencies=[Depends(counted)])
    async def get_thing(
        thing_id: UUID,
        page: Annotated[str, Depends(paged)],
        first: Annotated[str, Depends(counted)],
        *,
        size: int | None = None,
        sort: Literal["new", "top"] = "new",
        known: Annotated[str | None, Header(alias="If-None-Match", max_length=5)] = None,
    ) -> Thing:
        if size == 404:
            raise HTTPException(404, "no such size")
        return Thing(id=thing_id, size=size, said=f"{page}|{first}|{sort}|{known}")

    @router.get("/required")
    async def needs(word: str) -> Thing:
        return Thing(id=UUID(THING), size=0, said=word)

    @router.get("/loose", response_model=Thing)
    async def loose() -> Loose:
        return Loose()

    @router.get("/raw", response_model=Thing)
    async def raw() -> Response:
        return Response(b"{}", status_code=203, headers={"x-own": "yes"}, media_type="application/json")

    @router.get("/copying", response_model=Thing)
    async def copying(response: Response) -> Response:
        return Response(b"{}", headers={**response.headers, "x-own": "yes"}, media_type="application/json")

    @router.get("/many")
    async def many(word: Annotated[list[str], Query()]) -> Thing:
        return Thing(id=UUID(THING), size=len(word), said=",".join(word))

    @router.get("/closing")
    async def cleans(door: Annotated[str, Depends(closing)]) -> Thing:
        return Thing(id=UUID(THING), size=None, said=door)

    app = FastAPI()
    app.router.routes.extend(router.routes)
    return app


async def ask(route_class: type[APIRoute], path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    transport = httpx.ASGITransport(application(route_class))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.get(path, headers=headers)
    return answer.status_code, dict(answer.headers), answer.content


@pytest.mark.parametrize(
    "path",
    [
        f"/things/{THING}",
        f"/things/{THING}?limit=9&size=3&sort=top&other=1",
        f"/things/{THING}?size=1&size=2",
        f"/things/{THING}?limit=0",
        f"/things/{THING}?sort=sideways&size=big",
        f"/things/{THING}?size=",
        f"/things/{THING}?size=404",
        "/things/none",
        "/required?word=a%20b%26c",
        "/required?word=",
        "/required",
        "/loose",
        "/raw",
        "/copying",
        "/many?word=a&word=b",
        "/closing",
    ],
)
@pytest.mark.parametrize("headers", [{}, {"If-None-Match": "abc"}, {"If-None-Match": "too long"}])
async def test_both_ways_answer_the_same(path: str, headers: dict[str, str]) -> None:
    assert await ask(LeanRoute, path, headers) == await ask(APIRoute, path, headers)


async def test_what_needs_cleanup_or_lists_takes_the_long_way() -> None:
    short = {
        route.path: route.app.__qualname__.startswith("_short_way")
        for route in application(LeanRoute).routes
        if isinstance(route, LeanRoute)
    }
    plain = {"/things/{thing_id}": True, "/required": True, "/loose": True, "/raw": True, "/copying": True}
    assert short == {**plain, "/many": False, "/closing": False}


async def test_the_short_way_skips_fastapis_own(app: FastAPI) -> None:
    """Every list and detail of ours takes it."""
    routes: list[Callable[..., Awaitable[None]]] = [
        route.app
        for table in app.router.routes
        for route in getattr(table, "routes", [])
        if isinstance(route, LeanRoute) and route.methods == {"GET"} and route.response_field
    ]
    long = {route.__qualname__ for route in routes if not route.__qualname__.startswith("_short_way")}
    assert routes
    assert long == set()
