"""Folders for servers that the tests start themselves."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import create_database


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data folder that does not exist yet, where a server's own user gets to it."""
    folder = Path(tempfile.mkdtemp(prefix="soundscore-platform-"))
    folder.chmod(0o755)
    yield folder / "data"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def urls(worker_number: int) -> dict[str, str]:
    """Variables that lead to an empty database on the servers of this test run."""
    server = os.environ["SOUNDSCORE_TEST_DATABASE"]
    url = await create_database(server, f"soundscore_platform_{worker_number}", template="template0")
    return {"DATABASE_URL": url, "REDIS_URL": os.environ["SOUNDSCORE_TEST_REDIS"]}
