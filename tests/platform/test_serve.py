"""`serve`: from nothing to an answer, and back to nothing."""

import asyncio
import signal
import socket
import ssl
from pathlib import Path

import asyncpg
import httpx
import psutil
import pytest

from app.core.database_url import driver_dsn
from app.core.ids import uuid7
from tests import clock
from tests.platform.program import START_SECONDS, Running, begin, left_behind, run, served

BODY = b'{"username": "nobody", "password": "nobody has it"}'
HALF_A_LOGIN = (
    b"POST /api/v1/auth/login/json HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    + f"Content-Length: {len(BODY)}\r\n\r\n".encode()
    + BODY[:23]
)


async def health(server: Running) -> dict:
    async with httpx.AsyncClient(verify=False) as client:
        answer = await client.get(f"{server.url}/health")
        assert answer.status_code == 200
        return answer.json()


async def test_one_command_serves_and_a_second_start_keeps_the_data(data_dir: Path) -> None:
    async with served(data_dir) as server:
        assert (await health(server))["status"] in {"ok", "degraded"}
        assert f"{server.url}/docs" in server.welcome
        assert str(data_dir) in server.welcome
        secret = (data_dir / "secret_key").read_bytes()
        answer = httpx.post(
            f"{server.url}/api/v1/auth/register",
            json={"username": "keeper", "email": "keeper@example.org", "password": "a long enough one"},
        )
        assert answer.status_code in {201, 202}, answer.text
        seconds, ended = await server.end()
    assert (seconds < 5, ended.code) == (True, 0), (seconds, ended.err[-1000:])
    assert left_behind(data_dir) == []

    started = clock.now()
    async with served(data_dir) as server:
        await health(server)
        assert clock.now() - started < 10, "a warm start takes at most 10 s"
        login = {"username": "keeper", "password": "a long enough one"}
        assert httpx.post(f"{server.url}/api/v1/auth/login", data=login).status_code == 200
        assert (data_dir / "secret_key").read_bytes() == secret
        _, ended = await server.end(signal.SIGINT)
    assert ended.code == 0
    assert "Traceback" not in ended.err


async def test_a_start_after_kill_9_works(data_dir: Path) -> None:
    async with served(data_dir) as server:
        await server.end(signal.SIGKILL)
    async with served(data_dir) as server:
        await health(server)
        seconds, ended = await server.end()
    assert (seconds < 5, ended.code, left_behind(data_dir)) == (True, 0, [])


@pytest.mark.parametrize("delay", [0.05, 0.6, 1.2, 1.5, 1.8, 2.4])
async def test_a_signal_during_the_start_leaves_nothing_behind(data_dir: Path, delay: float) -> None:
    process = await begin(data_dir, "serve", PORT="0", DEMO="false")
    await asyncio.sleep(delay)
    process.terminate()
    async with asyncio.timeout(6):
        _, err = await process.communicate()
    assert process.returncode in {0, -signal.SIGTERM, 128 + signal.SIGTERM}
    assert b"Traceback" not in err, err.decode()
    assert left_behind(data_dir) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_ends_within_five_seconds_with_streams_open(
    data_dir: Path, urls: dict[str, str], number: signal.Signals
) -> None:
    async with served(data_dir, **urls) as server, httpx.AsyncClient(base_url=f"{server.url}/api/v1") as client:
        person = {"username": "listener", "email": "listener@example.org", "password": "a long enough one"}
        await client.post("/auth/register", json=person)
        login = await client.post("/auth/login", data={"username": "listener", "password": "a long enough one"})
        headers = {"Authorization": f"Bearer {login.json()['access_token']}"}
        async with client.stream("GET", "/notifications/stream", headers=headers, timeout=20) as stream:
            lines = stream.aiter_lines()
            assert "retry" in await anext(lines)
            ending = asyncio.create_task(server.end(number))
            told = [line async for line in lines]
            seconds, ended = await ending
    assert "event: reconnect" in told
    assert seconds < 5
    assert ended.code == 0, ended.err
    assert "Traceback" not in ended.err


async def test_requests_that_run_are_answered_and_readiness_says_that_it_goes(
    data_dir: Path, urls: dict[str, str]
) -> None:
    """200 requests are half sent when the signal comes; the other half is sent afterwards."""
    async with served(data_dir, **urls) as server:
        host, port = server.url.removeprefix("http://").split(":")
        connections = await asyncio.gather(*(asyncio.open_connection(host, port) for _ in range(200)))
        for _, writer in connections:
            writer.write(HALF_A_LOGIN)
        async with httpx.AsyncClient(base_url=server.url) as client:
            assert (await client.get("/readyz")).status_code == 200
            ending = asyncio.create_task(server.end())
            await asyncio.sleep(0.1)
            ready = await client.get("/readyz")
        for _, writer in connections:
            writer.write(BODY[23:])
        answers = [await reader.read() for reader, _ in connections]
        for _, writer in connections:
            writer.close()
            await writer.wait_closed()
        seconds, ended = await ending
    assert (ready.status_code, ready.json()["status"]) == (503, "draining")
    assert {answer[:12] for answer in answers} == {b"HTTP/1.1 401"}
    assert all(b"connection: close" in answer for answer in answers)
    assert (seconds < 5, ended.code) == (True, 0), (seconds, ended.err[-1000:])


async def test_requests_keep_being_answered_until_no_more_connections_are_taken(
    data_dir: Path, urls: dict[str, str]
) -> None:
    """Clients that never pause see answers, then refused connections; none sees an answer that breaks off."""
    broken: list[Exception] = []
    answered = 0

    async def ask(client: httpx.AsyncClient) -> None:
        nonlocal answered
        while True:
            try:
                answer = await client.get("/livez")
                answered += answer.status_code == 200
            except httpx.ConnectError:
                return
            except httpx.HTTPError as error:
                broken.append(error)
                return

    async with served(data_dir, **urls) as server, httpx.AsyncClient(base_url=server.url, timeout=10) as client:
        asking = [asyncio.create_task(ask(client)) for _ in range(20)]
        await asyncio.sleep(0.5)
        seconds, _ = await server.end()
        await asyncio.gather(*asking)
    assert answered > 100
    assert broken == []
    assert seconds < 5


async def test_a_second_signal_ends_at_once(data_dir: Path, urls: dict[str, str]) -> None:
    async with served(data_dir, SHUTDOWN_SECONDS="60", **urls) as server:
        host, port = server.url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, port)
        writer.write(HALF_A_LOGIN)
        await asyncio.sleep(0.3)
        server.process.send_signal(signal.SIGINT)
        await asyncio.sleep(1.5)
        assert server.process.returncode is None, "it waits for the request"
        seconds, ended = await server.end(signal.SIGINT)
        writer.close()
    assert seconds < 5
    assert ended.code == 0, ended.err


async def test_https_with_a_certificate_that_is_kept_and_renewed(data_dir: Path, urls: dict[str, str]) -> None:
    certificate = data_dir / "tls" / "localhost.crt"
    async with served(data_dir, "--https", **urls) as server:
        assert server.url.startswith("https://127.0.0.1:")
        async with httpx.AsyncClient(verify=ssl.create_default_context(cafile=certificate)) as client:
            port = server.url.rpartition(":")[2]
            for host in ("127.0.0.1", "localhost"):
                assert (await client.get(f"https://{host}:{port}/livez")).status_code == 200
        await server.end()
    first = certificate.read_bytes()
    assert (data_dir / "tls" / "localhost.key").stat().st_mode & 0o077 == 0
    async with served(data_dir, "--https", **urls) as server:
        await server.end()
    assert certificate.read_bytes() == first
    certificate.write_text("worn out")
    async with served(data_dir, "--https", **urls) as server:
        await server.end()
    assert certificate.read_bytes() not in {first, b"worn out"}


async def test_faults_are_one_sentence_with_a_remedy(data_dir: Path, urls: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        in_use = await run(data_dir, "serve", PORT=port)
    (data_dir.parent / "file").touch()
    cases = {
        (f"Port {port}", "--port"): in_use,
        ("PORT=99999", "65535"): await run(data_dir, "serve", PORT="99999"),
        ("ENVIRONMENT=prod", "production"): await run(data_dir, "serve", ENVIRONMENT="prod"),
        ("SECRET_KEY", "openssl rand"): await run(data_dir, "serve", ENVIRONMENT="production"),
        ("DATABASE_URL", "postgresql://"): await run(data_dir, "serve", DATABASE_URL="mysql://x"),
        ("DATABASE_URL", "of the form"): await run(data_dir, "serve", DATABASE_URL="postgres://u:p@h:port/x"),
        ("127.0.0.1:1/x", "unset DATABASE_URL"): await run(
            data_dir, "serve", PORT="0", DATABASE_URL="postgres://u:hidden@127.0.0.1:1/x"
        ),
        ("nothing_there", "createdb"): await run(
            data_dir,
            "serve",
            PORT="0",
            DATABASE_URL=urls["DATABASE_URL"].replace("soundscore_platform", "nothing_there"),
        ),
        ("data folder", "set DATA_DIR"): await run(data_dir, "serve", PORT="0", DATA_DIR=str(data_dir.parent / "file")),
    }
    for (fault, remedy), ended in cases.items():
        lines = ended.err.splitlines()
        assert (ended.code, len(lines), ended.out) == (1, 1, ""), ended
        assert lines[0].startswith("error: ")
        assert fault in lines[0]
        assert remedy in lines[0]
        assert "hidden" not in lines[0]


async def test_production_waits_for_migrations_and_refuses_a_newer_schema(data_dir: Path, urls: dict[str, str]) -> None:
    production = {**urls, "ENVIRONMENT": "production", "SECRET_KEY": uuid7().hex * 2}
    older = await run(data_dir, "serve", PORT="0", **production)
    assert older.code == 1
    assert "python -m app migrate" in older.err
    assert (await run(data_dir, "migrate", **production)).code == 0
    async with served(data_dir, **production) as server:
        await health(server)
        await server.end()
    connection = await asyncpg.connect(driver_dsn(urls["DATABASE_URL"]))
    await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    await connection.close()
    for settings in (production, urls):
        newer = await run(data_dir, "serve", PORT="0", **settings)
        assert (newer.code, "newer than this program" in newer.err) == (1, True), newer.err
        assert len(newer.err.splitlines()) == 1


def loading(server: int) -> list[int]:
    """Processes of a server that load its demo."""
    try:
        return [child.pid for child in psutil.Process(server).children() if "seed" in child.cmdline()]
    except psutil.NoSuchProcess:
        return []


async def test_a_signal_while_the_demo_is_loaded_ends_that_too_and_the_next_start_loads_it(
    data_dir: Path, urls: dict[str, str]
) -> None:
    process = await begin(data_dir, "serve", PORT="0", **urls)
    async with asyncio.timeout(START_SECONDS):
        while not (loaders := loading(process.pid)):
            await asyncio.sleep(0.02)
    process.terminate()
    async with asyncio.timeout(6):
        _, err = await process.communicate()
    assert (process.returncode, err) == (128 + signal.SIGTERM, b"")
    assert not any(map(psutil.pid_exists, loaders))
    connection = await asyncpg.connect(driver_dsn(urls["DATABASE_URL"]))
    assert await connection.fetchval("SELECT count(*) FROM users") == 0
    await connection.close()
    async with served(data_dir, DEMO="true", **urls) as server:
        assert "Sign in as ana" in server.welcome
        assert loading(server.process.pid) == []
        await server.end()


async def test_a_demo_that_cannot_be_loaded_is_said_with_a_remedy(data_dir: Path, urls: dict[str, str]) -> None:
    assert (await run(data_dir, "migrate", **urls)).code == 0
    connection = await asyncpg.connect(driver_dsn(urls["DATABASE_URL"]))
    await connection.execute("ALTER TABLE albums ADD CONSTRAINT no_albums CHECK (false)")
    await connection.close()
    ended = await run(data_dir, "serve", PORT="0", **urls)
    assert (ended.code, ended.out) == (1, "")
    cause, remedy = ended.err.splitlines()
    assert "no_albums" in cause
    assert "--no-demo" in remedy
    async with served(data_dir, **urls) as server:
        assert "Sign in as" not in server.welcome
        await server.end()
