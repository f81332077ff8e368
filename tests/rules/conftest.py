"""The application as it is built, without opening anything."""

import pytest
from fastapi import FastAPI

from app.core.config import Settings
from app.main import create_app
from tests.rules.sources import Operation, operations


@pytest.fixture(scope="session")
def built() -> FastAPI:
    return create_app(Settings(environment="test", log_level="WARNING", _env_file=None))


@pytest.fixture(scope="session")
def routes(built: FastAPI) -> list[Operation]:
    found = operations(built)
    assert len(found) > 50, "the way to the routes is lost"
    return found
