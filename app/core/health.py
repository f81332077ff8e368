"""Health: alive, ready, and what each part says of itself."""

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Literal

from fastapi import Request, Response

from app.core.http import Router
from app.core.schemas import Output
from app.core.telemetry import render_metrics

if TYPE_CHECKING:
    from app.core.infra import Infra

__all__ = ["Degraded", "Health", "Part", "router"]

CHECK_SECONDS = 2.0
State = Literal["up", "degraded", "down"]

router = Router(root="", tags=["health"])


class Degraded(Exception):
    """Raised by a check: what does not work, and what that means."""


class Part(Output):
    """One dependency. `degraded` means: the server works without it, less well."""

    name: str
    state: State
    detail: str


class Health(Output):
    """The worst state of the required parts, and all parts."""

    status: Literal["ok", "degraded", "down", "draining"]
    parts: list[Part]


async def check(infra: "Infra") -> Health:
    """Asks every part, each for at most two seconds."""
    asked = await asyncio.gather(
        _part("database", infra.db.fetch("SELECT 1", []), broken="down"),
        _part("redis", infra.redis.ping(), broken="degraded", detail="no rate limits, no cache, slower wake-ups"),
        *(_part(name, ask(), broken="degraded") for name, ask in sorted(infra.checks.items())),
    )
    stand_ins = [Part(name=name, state="degraded", detail=why) for name, why in sorted(infra.degraded.items())]
    parts = [*asked, *stand_ins]
    return Health(status=_status(infra, parts), parts=parts)


def _status(infra: "Infra", parts: list[Part]) -> Literal["ok", "degraded", "down", "draining"]:
    states = {part.state for part in parts}
    if infra.draining.is_set():
        return "draining"
    return "down" if "down" in states else "degraded" if "degraded" in states else "ok"


async def _part(name: str, ask: Awaitable[object], *, broken: State, detail: str = "") -> Part:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            said = await ask
    except Degraded as trouble:
        return Part(name=name, state=broken, detail=str(trouble))
    except Exception as error:  # whatever a client raises, the part is not usable
        return Part(name=name, state=broken, detail="; ".join(filter(None, [type(error).__name__, detail])))
    return Part(name=name, state="up", detail=said if isinstance(said, str) else "")


@router.get("/livez", summary="Is the process alive?")
async def livez() -> dict[str, str]:
    """Answers as long as the process can answer; looks at nothing else."""
    return {"status": "ok"}


@router.get("/readyz", summary="May traffic be sent here?")
async def readyz(request: Request, response: Response) -> Health:
    """503 while a required part is down or the server drains."""
    health = await check(request.app.state.infra)
    response.status_code = 503 if health.status in {"down", "draining"} else 200
    return health


@router.get("/health", summary="What does each part say?")
async def health(request: Request, response: Response) -> Health:
    """The same answer as /readyz, for hosts that look at /health."""
    return await readyz(request, response)


@router.get("/metrics", summary="Metrics for Prometheus", response_class=Response)
async def metrics() -> Response:
    """All metrics in the text format of Prometheus."""
    return Response(render_metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")
