"""The other commands, as people type them."""

import asyncio
import json
import re
from pathlib import Path

import asyncpg
import pytest

from app.core.database_url import driver_dsn
from app.core.migrations import newest_revision
from tests.platform.program import begin, left_behind, run, served
from tests.rules.sources import ROOT

COMMANDS = ["serve", "worker", "consumer", "migrate", "seed", "import", "openapi", "asyncapi", "env", "doctor"]
COMMANDS += ["create-admin"]


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS), ["import", "albums"], ["import", "tracks"]])
async def test_help_says_what_it_does(data_dir: Path, command: list[str]) -> None:
    ended = await run(data_dir, *command, "--help", COLUMNS="200")
    assert ended.code == 0, ended.err
    assert "Usage: python -m app" in ended.out
    if command and command != ["import"]:
        assert re.search(r"Examples?: |\.env\.example", ended.out), "an example is the best help"
    if not command:
        assert all(re.search(rf"^\W*{name}\s+\w", ended.out, re.MULTILINE) for name in COMMANDS)


async def test_migrate_goes_up_and_down_and_says_where_it_is(data_dir: Path, urls: dict[str, str]) -> None:
    head = newest_revision()
    assert f"went to {head}" in (await run(data_dir, "migrate", **urls)).out
    assert f"is at {head}" in (await run(data_dir, "migrate", **urls)).out
    assert "went to nothing" in (await run(data_dir, "migrate", "--to", "base", **urls)).out
    connection = await asyncpg.connect(driver_dsn(urls["DATABASE_URL"]))
    left = await connection.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    )
    await connection.close()
    assert left == []
    unknown = await run(data_dir, "migrate", "--to", "nowhere", **urls)
    assert (unknown.code, len(unknown.err.splitlines())) == (1, 1)
    assert "nowhere" in unknown.err


async def test_a_migration_that_fails_changes_nothing_and_says_why(data_dir: Path, urls: dict[str, str]) -> None:
    connection = await asyncpg.connect(driver_dsn(urls["DATABASE_URL"]))
    await connection.execute("CREATE TABLE users (id integer)")
    failed = await run(data_dir, "migrate", **urls)
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    await connection.close()
    assert failed.code == 1
    assert 'relation "users" already exists' in failed.err
    assert [row[0] for row in tables] == ["users"]


async def test_doctor_finds_nothing_wrong_with_a_server_that_runs(data_dir: Path) -> None:
    async with served(data_dir) as server:
        running = await run(data_dir, "doctor", PORT=server.url.rpartition(":")[2])
        await server.end()
    alone = await run(data_dir, "doctor", PORT="0")
    for ended in (running, alone):
        assert ended.code == 0, ended.out
        assert re.search(r"^ok +database +PostgreSQL \d+", ended.out, re.MULTILINE)
        assert re.search(r"^ok +schema +up to date", ended.out, re.MULTILINE)
        assert re.search(r"^ok +redis +(Valkey|Redis) \d", ended.out, re.MULTILINE)
        assert re.search(r"^note +mail +kept in .*SMTP_URL", ended.out, re.MULTILINE)
        assert re.search(r"^note +storage +files are kept in .*S3_BUCKET", ended.out, re.MULTILINE)
        assert re.search(r"^note +broker +none: .*RABBITMQ_URL", ended.out, re.MULTILINE)
    assert "the server runs there" in running.out
    assert left_behind(data_dir) == []


async def test_doctor_says_whether_ffmpeg_is_there(data_dir: Path, tmp_path: Path) -> None:
    away = {"DATABASE_URL": "postgres://u:p@127.0.0.1:1/x", "REDIS_URL": "redis://127.0.0.1:1", "PORT": "0"}
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    there = await run(data_dir, "doctor", PATH=str(tmp_path), **away)
    missing = await run(data_dir, "doctor", PATH=str(data_dir), **away)
    assert re.search(rf"^ok +renditions +{re.escape(str(program))}$", there.out, re.MULTILINE), there.out
    assert re.search(r"^note +renditions +none.*install ffmpeg$", missing.out, re.MULTILINE), missing.out


async def test_doctor_names_what_is_wrong(data_dir: Path) -> None:
    stores = {"DATABASE_URL": "postgres://u:hidden@127.0.0.1:1/x", "REDIS_URL": "redis://127.0.0.1:1"}
    bucket = {"S3_BUCKET": "b", "S3_ENDPOINT_URL": "http://127.0.0.1:1", "S3_ACCESS_KEY_ID": "a"}
    others = {"RABBITMQ_URL": "amqp://u:hidden@127.0.0.1:1/", "S3_SECRET_ACCESS_KEY": "hidden", **bucket}
    ended = await run(data_dir, "doctor", PORT="0", **stores, **others)
    assert ended.code == 1
    assert re.search(r"^fail +database .*127\.0\.0\.1:1", ended.out, re.MULTILINE)
    assert re.search(r"^fail +redis .*REDIS_URL", ended.out, re.MULTILINE)
    assert re.search(r"^fail +broker .*127\.0\.0\.1:1: .*unset RABBITMQ_URL", ended.out, re.MULTILINE)
    assert re.search(r"^fail +storage +Cannot use the object store: ", ended.out, re.MULTILINE)
    assert "hidden" not in ended.out + ended.err
    assert "Traceback" not in ended.err


async def at_work(url: str) -> None:
    """Waits until a worker looks for jobs."""
    looks = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'soundscore jobs' AND datname = current_database()"
    connection = await asyncpg.connect(driver_dsn(url))
    try:
        async with asyncio.timeout(30):
            while not await connection.fetch(looks):
                await asyncio.sleep(0.1)
    finally:
        await connection.close()
    await asyncio.sleep(1)


async def test_worker_runs_beside_and_ends_on_a_signal(data_dir: Path, urls: dict[str, str]) -> None:
    too_early = await run(data_dir, "worker", **urls)
    assert (too_early.code, "python -m app migrate" in too_early.err) == (1, True)
    await run(data_dir, "migrate", **urls)
    worker = await begin(data_dir, "worker", **urls)
    await at_work(urls["DATABASE_URL"])
    assert worker.returncode is None
    worker.terminate()
    async with asyncio.timeout(5):
        _, err = await worker.communicate()
    assert worker.returncode == 0, err.decode()
    assert b"Traceback" not in err


async def test_consumer_says_what_it_needs(data_dir: Path, urls: dict[str, str]) -> None:
    without = await run(data_dir, "consumer", **urls)
    wrong = await run(data_dir, "consumer", RABBITMQ_URL="http://localhost", **urls)
    too_early = await run(data_dir, "consumer", RABBITMQ_URL="amqp://127.0.0.1:1", **urls)
    for ended, word in ((without, "RABBITMQ_URL"), (wrong, "amqp://"), (too_early, "python -m app migrate")):
        assert (ended.code, len(ended.err.splitlines())) == (1, 1), ended.err
        assert word in ended.err


async def test_create_admin_makes_an_admin(data_dir: Path, urls: dict[str, str]) -> None:
    words = ("create-admin", "root_person", "root@example.org", "--password-stdin")
    made = await run(data_dir, *words, said="correct horse battery\n", **urls)
    assert made.code == 0, made.err
    connection = await asyncpg.connect(driver_dsn(urls["DATABASE_URL"]))
    role = await connection.fetchval("SELECT role FROM users WHERE username = 'root_person'")
    await connection.close()
    assert role == "admin"
    again = await run(data_dir, *words, said="correct horse battery\n", **urls)
    weak = await run(data_dir, "create-admin", "other", "other@example.org", "--password-stdin", said="short\n", **urls)
    for ended in (again, weak):
        assert (ended.code, len(ended.err.splitlines())) == (1, 1), ended.err


async def test_import_reports_bad_rows_and_changes_nothing_the_second_time(
    data_dir: Path, urls: dict[str, str]
) -> None:
    file = data_dir.parent / "albums.csv"
    file.write_text(
        "title,artist,year,genres\n"
        "Kind of Blue,Miles Davis,1959,Jazz; Modal\n"
        ",Nobody,1960,\n"
        "Blue Train,John Coltrane,next year,Jazz\n"
        "Giant Steps,John Coltrane,1960,Jazz\n"
    )
    first = await run(data_dir, "import", "albums", str(file), **urls)
    assert first.code == 0, first.err
    assert "2 created" in first.out
    assert "2 bad" in first.out
    assert f"{file}:3: " in first.err
    assert f"{file}:4: " in first.err
    second = await run(data_dir, "import", "albums", str(file), **urls)
    assert (second.code, "0 created" in second.out, "2 unchanged" in second.out) == (0, True, True), second.out
    file.write_text("colour,shape\nred,round\n")
    unusable = await run(data_dir, "import", "albums", str(file), **urls)
    assert unusable.code == 1
    assert "Traceback" not in unusable.err


async def test_generated_files_are_up_to_date(data_dir: Path) -> None:
    for name, command in {"openapi.json": "openapi", "docs/asyncapi.json": "asyncapi", ".env.example": "env"}.items():
        made = data_dir.parent / Path(name).name
        ended = await run(data_dir, command, "--output", str(made))
        assert ended.code == 0, ended.err
        assert made.read_text() == (ROOT / name).read_text(), f"{name} is out of date: make generate"
    json.loads((data_dir.parent / "openapi.json").read_text())
