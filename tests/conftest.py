"""One PostgreSQL and one Valkey for the whole run, a database for each test process, the application over HTTP."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.engine import make_url

from app.core.config import Settings
from app.core.database_url import driver_dsn
from app.core.infra import Infra, with_servers
from app.core.migrations import migrate
from app.core.server import Server
from app.main import create_app
from tests.people import People
from tests.rabbit import RabbitServer, rabbit_server

TEMPLATE = "soundscore_template"
_made: set[str] = set()
_run = pytest.StashKey[tuple[asyncio.Runner, AsyncExitStack]]()


def pytest_configure(config: pytest.Config) -> None:
    """The first process starts the servers and migrates the template; the others inherit the addresses."""
    if "SOUNDSCORE_TEST_DATABASE" in os.environ or config.option.collectonly:
        return
    runner, stack = asyncio.Runner(), AsyncExitStack()
    config.stash[_run] = (runner, stack)
    runner.run(_start(stack))


async def _start(stack: AsyncExitStack) -> None:
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="soundscore-tests-", ignore_cleanup_errors=True))
    Path(folder).chmod(0o755)
    settings = Settings(environment="test", data_dir=Path(folder) / "data", _env_file=None)
    settings = await stack.enter_async_context(with_servers(settings))
    await create_database(settings.database_url, TEMPLATE, template="template0")
    await migrate(database_at(settings.database_url, TEMPLATE))
    os.environ["SOUNDSCORE_TEST_DATABASE"] = settings.database_url
    os.environ["SOUNDSCORE_TEST_REDIS"] = settings.redis_url


def pytest_unconfigure(config: pytest.Config) -> None:
    """Each process drops the databases that it made; the one that started the servers stops them."""
    with suppress(OSError, asyncpg.PostgresError):
        asyncio.run(_drop_databases())
    if _run in config.stash:
        runner, stack = config.stash[_run]
        runner.run(stack.aclose())
        runner.close()


def database_at(url: str, name: str) -> str:
    """The same server, another database."""
    return make_url(url).set(database=name).render_as_string(hide_password=False)


async def create_database(url: str, name: str, *, template: str = TEMPLATE) -> str:
    """A new database, in place of an older one of that name; its URL."""
    connection = await asyncpg.connect(driver_dsn(url))
    try:
        await drop_database(connection, name)
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    finally:
        await connection.close()
    _made.add(name)
    return database_at(url, name)


async def drop_database(connection: asyncpg.Connection, name: str) -> None:
    """Drops a database. Autovacuum may be in it, whom an ordinary role cannot throw out: it leaves by itself."""
    for seconds in (0.2, 0.5, 1, 2, 5, 0):
        try:
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        except asyncpg.InsufficientPrivilegeError:
            if not seconds:
                raise
            await asyncio.sleep(seconds)
        else:
            return


async def _drop_databases() -> None:
    """Nothing is left on a server that was given."""
    if not _made:
        return
    connection = await asyncpg.connect(driver_dsn(os.environ["SOUNDSCORE_TEST_DATABASE"]))
    try:
        for name in _made:
            await drop_database(connection, name)
    finally:
        await connection.close()


def redis_at(url: str, number: int) -> str:
    """The same server, another numbered database."""
    return f"{url}?db={number}" if url.startswith("unix:") else urlsplit(url)._replace(path=f"/{number}").geturl()


@pytest.fixture(scope="session")
def worker_number(request: pytest.FixtureRequest) -> int:
    name = getattr(request.config, "workerinput", {}).get("workerid", "gw0")
    return int(name.removeprefix("gw"))


@pytest.fixture(scope="session")
async def settings(worker_number: int, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of this test process: its own database, no worker, quick password hashes, no limits."""
    url = os.environ["SOUNDSCORE_TEST_DATABASE"]
    return Settings(
        environment="test",
        database_url=await create_database(url, f"soundscore_test_{worker_number}"),
        redis_url=redis_at(os.environ["SOUNDSCORE_TEST_REDIS"], worker_number % 8),
        data_dir=tmp_path_factory.mktemp("data"),
        public_url="http://soundscore.test",
        worker=False,
        demo=False,
        rate_limits=False,
        password_hash_memory_kib=8,
        database_timeout_seconds=15,  # a busy machine is no hung database
        log_level="WARNING",
        _env_file=None,
    )


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[FastAPI]:
    """The application with everything open."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture(scope="session")
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    async with running(settings) as application:
        yield application


@pytest.fixture(scope="session")
def infra(app: FastAPI) -> Infra:
    return app.state.infra


@asynccontextmanager
async def http_client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client that calls the application directly; answers of streams need a `live` server."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://soundscore.test/api/v1") as client:
        yield client


@pytest.fixture(scope="session")
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody without a token."""
    async with http_client(app) as client:
        yield client


@pytest.fixture(scope="session")
async def people(app: FastAPI) -> AsyncIterator[People]:
    """Makes people: `ana = await people.make()`, then `await ana.get("/auth/me")`."""
    async with People(app) as people:
        yield people


@pytest.fixture(scope="session")
async def live(app: FastAPI, settings: Settings) -> AsyncIterator[str]:
    """The address of the same application behind a real uvicorn, for streams and sockets."""
    async with serving(app, settings) as address:
        yield address


@asynccontextmanager
async def serving(app: FastAPI, settings: Settings) -> AsyncIterator[str]:
    """Serves an application that is already open, on a free port."""
    server = Server(app, settings.model_copy(update={"port": 0}))
    server.config.lifespan = "off"
    server.capture_signals = _no_signals
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    host, port = server.address()
    yield f"http://{host}:{port}"
    server.should_exit = server.force_exit = True
    await task


@pytest.fixture(scope="session")
async def rabbit() -> AsyncIterator[RabbitServer]:
    """A RabbitMQ of this test process."""
    async with rabbit_server() as server:
        yield server


class _no_signals:  # noqa: N801 -- stands in for a function
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


@pytest.fixture
async def fresh(settings: Settings, worker_number: int) -> AsyncIterator[FastAPI]:
    """An application on an empty database of its own, for tests that count everything or break things."""
    url = await create_database(settings.database_url, f"soundscore_fresh_{worker_number}")
    async with running(settings.model_copy(update={"database_url": url})) as application:
        yield application
