"""An empty world for each test: charts and suggestions are about everybody there is."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
from fastapi import FastAPI

from app.core.infra import Infra
from tests.conftest import http_client
from tests.people import People


@dataclass(frozen=True)
class World:
    infra: Infra
    people: People
    client: httpx.AsyncClient


@pytest.fixture
async def world(fresh: FastAPI) -> AsyncIterator[World]:
    async with People(fresh) as people, http_client(fresh) as client:
        await fresh.state.infra.redis.flushdb()
        yield World(fresh.state.infra, people, client)
