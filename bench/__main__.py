"""`python -m bench [--small]`: everything is started here and everything is printed in one run."""

import argparse
import asyncio
import base64
import os
import pickle
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from itertools import cycle
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psutil

from app.catalog.search_rebuild import rebuild_search
from app.core.config import Settings
from app.core.database_url import driver_dsn
from app.core.ids import uuid7
from app.core.infra import open_infra, with_servers
from app.core.migrations import migrate
from app.core.tokens import AccessTokens
from app.main import create_app
from bench.bombs import explode, told
from bench.data import Sample, fill, fill_tracks
from bench.load import Load, Request, drive
from bench.playlists import a_shelf, check_shelf
from bench.recordings import finalise, listen, record
from bench.servers import Target, idle_memory, serving
from bench.statements import statements_of
from bench.sync import show

SECRET = "a secret of the benchmark and of nothing else"
READERS = 1000


class Bench:
    """One run: the servers, and the rows that were printed."""

    def __init__(self, settings: Settings, *, seconds: float, clients: int) -> None:
        self.settings = settings
        self.seconds, self._clients = seconds, clients
        self.results: dict[str, Load] = {}

    async def measure(self, name: str, target: Target, requests: Sequence[Request], *, limit: str = "") -> None:
        """Drives one kind of request and prints its row, with the ratio to a limit that was measured before."""
        load = await drive(
            target.host, target.port, requests, cpu=target.cpu, seconds=self.seconds, clients=self._clients
        )
        self.results[name] = load
        row = f"{name:34} {load.rate:9,.0f}/s {load.median_ms:8.2f} ms {load.cpu_us:8.0f} us CPU {load.bytes:7,} B"
        if limit:
            of = self.results[limit]
            row += f"   rate {load.rate / of.rate:5.2f}  CPU {of.cpu_us / load.cpu_us:5.2f}  of {limit}"
        print(row, flush=True)

    def environment(self, **more: str) -> dict[str, str]:
        """The variables of a server process on the servers of this run."""
        return {
            "DATABASE_URL": self.settings.database_url,
            "REDIS_URL": self.settings.redis_url,
            "DATA_DIR": str(self.settings.data_dir),
            "SECRET_KEY": SECRET,
            "PUBLIC_URL": self.settings.public_url,
            "WORKER": "false",
            "LOG_LEVEL": "WARNING",
            # limits are on, and a few readers may ask as often as a benchmark does
            "RATE_LIMIT_USER_PER_MINUTE": "60000",
            **more,
        }


async def run(*, small: bool, seconds: float, clients: int) -> None:
    """The whole benchmark."""
    sizes = [2_000, 10_000] if small else [10_000, 1_000_000]
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="soundscore-bench-"))
        Path(folder).chmod(0o755)
        settings = Settings(
            data_dir=Path(folder) / "data", secret_key=SECRET, public_url="http://bench", worker=False, _env_file=None
        )
        settings = await stack.enter_async_context(with_servers(settings))
        await migrate(settings.database_url)
        bench = Bench(settings, seconds=seconds, clients=clients)
        print(
            f"{psutil.cpu_count()} cores, Python {sys.version.split()[0]}, {clients} connections, {seconds} s a row\n"
        )
        for size in sizes:
            await _at_size(bench, size)
        _flatness(bench, sizes)
        await _playlists(bench)
        await _recordings(bench)
        await _search(bench, 20_000 if small else 500_000)
    show(small=small)
    await _memory()


async def _at_size(bench: Bench, size: int) -> None:
    sample = await fill(driver_dsn(bench.settings.database_url), size)
    tokens = AccessTokens(bench.settings)
    readers = await _readers(bench.settings)
    keys = [tokens.issue(reader, uuid7(), "user")[0] for reader in readers]
    print(f"--- {size:,} reviews ---")
    limits = bench.environment(
        BENCH_STATEMENTS=base64.b64encode(pickle.dumps(statements_of(sample, readers[0]))).decode(),
        BENCH_ALBUM=str(sample.album),
    )
    async with serving("bench.limits:make", limits, ready="/bare") as target:
        for name, path in (("bare ASGI", "/bare"), ("FastAPI + model", "/model")):
            await bench.measure(name, target, [Request("GET", path)])
        for name in ("row", "reviews", "album", "feed"):
            await bench.measure(f"asyncpg {name}", target, [Request("GET", f"/sql/{name}")])
        await bench.measure("selectinload reviews", target, [Request("GET", "/orm/reviews")])
    async with serving("app.main:create_app", bench.environment(), ready="/livez") as target:
        await _ours(bench, target, sample, keys, size)
    await _count_queries(bench.settings, sample, keys[0])


async def _ours(bench: Bench, target: Target, sample: Sample, keys: list[str], size: int) -> None:
    tokens = AccessTokens(bench.settings)
    few, many = ([tokens.issue(reader, uuid7(), "user")[0] for _ in range(50)] for reader in (sample.few, sample.many))
    album, list_path = f"/api/v1/albums/{sample.album}", f"/api/v1/albums/{sample.album}/reviews?limit=20"
    await bench.measure(
        f"our review list {size}", target, [Request("GET", list_path, key) for key in keys], limit="asyncpg reviews"
    )
    ours, slow = bench.results[f"our review list {size}"], bench.results["selectinload reviews"]
    print(f"{'':34} {ours.rate / slow.rate:.1f} times the rate of selectinload, {slow.cpu_us / ours.cpu_us:.1f} in CPU")
    await bench.measure(
        f"our album page {size}", target, [Request("GET", album, key) for key in keys], limit="asyncpg album"
    )
    feed = "/api/v1/feed?limit=20"
    await bench.measure(
        f"our feed, 10 followed {size}", target, [Request("GET", feed, key) for key in few], limit="asyncpg feed"
    )
    await bench.measure(
        f"our feed, 1,000 followed {size}", target, [Request("GET", feed, key) for key in many], limit="asyncpg feed"
    )
    review = await _a_review(bench.settings, sample.album)
    likes = [Request(method, f"/api/v1/reviews/{review}/like", key) for key in keys for method in ("PUT", "DELETE")]
    await bench.measure(f"our like {size}", target, likes)


async def _readers(settings: Settings) -> list[UUID]:
    async with open_infra(settings) as infra:
        rows = await infra.db.fetch("SELECT id FROM users WHERE username LIKE 'person_%' LIMIT $1", [READERS])
    return [row["id"] for row in rows]


async def _a_review(settings: Settings, album: UUID) -> UUID:
    async with open_infra(settings) as infra:
        rows = await infra.db.fetch("SELECT id FROM reviews WHERE album_id = $1 LIMIT 1", [album])
    review: UUID = rows[0]["id"]
    return review


async def _count_queries(settings: Settings, sample: Sample, key: str) -> None:
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://bench/api/v1", headers=headers) as client:
            counts = []
            for path in (f"/albums/{sample.album}/reviews", f"/albums/{sample.album}", "/feed", "/search?q=album"):
                before = app.state.infra.db.statements
                (await client.get(path)).raise_for_status()
                counts.append(
                    f"{path.split('?')[0].replace(str(sample.album), '{id}')} {app.state.infra.db.statements - before}"
                )
    print("statements: " + ", ".join(counts) + "\n")


def _flatness(bench: Bench, sizes: list[int]) -> None:
    small, large = sizes
    print("--- growth ---")
    for name in ("review list", "album page", "feed, 10 followed", "feed, 1,000 followed", "like"):
        before, after = bench.results[f"our {name} {small}"], bench.results[f"our {name} {large}"]
        print(
            f"{name:34} {after.median_ms / before.median_ms:5.2f} times the median time, {small:,} -> {large:,} reviews"
        )
    print()


async def _playlists(bench: Bench) -> None:
    """A list of 500 tracks: read by strangers, and changed by twenty people at once."""
    shelf = await a_shelf(bench.settings)
    tokens = AccessTokens(bench.settings)
    keys = [tokens.issue(person, uuid7(), "user")[0] for person in shelf.editors]
    print("--- a playlist of 500 tracks, 20 editors ---")
    statements = base64.b64encode(pickle.dumps({"entries": [shelf.page]})).decode()
    limits = bench.environment(BENCH_STATEMENTS=statements, BENCH_ALBUM=str(uuid7()))
    async with serving("bench.limits:make", limits, ready="/bare") as target:
        await bench.measure("asyncpg entries", target, [Request("GET", "/sql/entries")])
    async with serving("app.main:create_app", bench.environment(RATE_LIMITS="false"), ready="/livez") as target:
        path = f"/api/v1/playlists/{shelf.playlist_id}"
        page = Request("GET", f"{path}/entries?limit=500")
        await bench.measure("playlist page of 500 tracks", target, [page], limit="asyncpg entries")
        moves = [
            Request("POST", f"{path}/move", key, body) for key, body in zip(cycle(keys), shelf.moves, strict=False)
        ]
        await bench.measure("concurrent moves", target, moves)
    await check_shelf(bench.settings, shelf)


async def _recordings(bench: Bench) -> None:
    """A recording that eight people hear at once, as fast as they can; and the third step of uploads."""
    owner = (await _readers(bench.settings))[0]
    shelf = await record(bench.settings, owner)
    print("--- recordings: 40 MB, 8 listeners ---")
    heard: dict[str, float] = {}
    for name, application, ready, path in (
        ("the same file bare", "bench.recordings:bare", "/docs", "/file"),
        ("stream throughput", "app.main:create_app", "/livez", shelf.path),
    ):
        environment = bench.environment(RATE_LIMITS="false", BENCH_FILE=str(shelf.file))
        async with serving(application, environment, ready=ready) as target:
            heard[name], cpu_ms = await listen(target, path, seconds=bench.seconds)
            print(f"{name:34} {heard[name]:9,.0f} MB/s {cpu_ms:27.2f} ms CPU a MB", flush=True)
            if name == "stream throughput":
                token = AccessTokens(bench.settings).issue(owner, uuid7(), "user")[0]
                rate, cpu_us = await finalise(target, shelf.uploads, token)
                print(f"{'upload finalise':34} {rate:9,.0f}/s {cpu_us:20.0f} us CPU", flush=True)
    print(f"{'':34} {heard['stream throughput'] / heard['the same file bare']:.2f} of the file bare\n")


async def _search(bench: Bench, tracks: int) -> None:
    await fill_tracks(driver_dsn(bench.settings.database_url), tracks)
    await rebuild_search(bench.settings.database_url)
    print(f"--- search in {tracks:,} tracks ---")
    kinds = {
        "a prefix": "gol",
        "one letter": "s",
        "two words": "golden river",
        "a typo": "goldne rivre",
        "nothing": "zzyzx",
    }
    async with serving("app.main:create_app", bench.environment(RATE_LIMITS="false"), ready="/livez") as target:
        for name, words in kinds.items():
            path = f"/api/v1/search?q={words.replace(' ', '%20')}"
            await bench.measure(f"search, {name}", target, [Request("GET", path)])
        await _login(bench, target)


async def _login(bench: Bench, target: Target) -> None:
    base = f"http://{target.host}:{target.port}/api/v1"
    person = {"username": "somebody", "email": "somebody@bench.example", "password": "correct horse battery"}
    async with httpx.AsyncClient() as client:
        (await client.post(f"{base}/auth/register", json=person)).raise_for_status()
    form = b"username=somebody&password=correct%20horse%20battery"
    request = Request("POST", "/api/v1/auth/login", body=form, content_type="application/x-www-form-urlencoded")
    await bench.measure("login", target, [request])
    async with httpx.AsyncClient() as client:
        form = {"username": person["username"], "password": person["password"]}
        answer = (await client.post(f"{base}/auth/login", data=form)).raise_for_status()
    token = answer.json()["access_token"]
    print(told(*await explode(f"http://{target.host}:{target.port}", token, target.process)), flush=True)


async def _memory() -> None:
    """An idle server with its embedded databases: one that has just made the demo, and the same one started again."""
    print("\n--- memory of an idle server ---")
    with tempfile.TemporaryDirectory(prefix="soundscore-bench-") as folder:
        Path(folder).chmod(0o755)
        environment = {**os.environ, "DATA_DIR": f"{folder}/data", "PORT": "0", "LOG_LEVEL": "WARNING"}
        for what, seconds in (("after it made the demo", 20), ("started again", 8)):
            server, databases = await idle_memory(environment, seconds)
            print(f"{what}: server {server:.0f} MB (at most 200), embedded servers {databases:.0f} MB (at most 150)")


def main() -> None:
    """Reads the options and runs."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--small", action="store_true", help="small sizes and short rows, for a check that it works")
    parser.add_argument("--seconds", type=float, default=0.0, help="time of each row (default 4, small 0.7)")
    parser.add_argument("--clients", type=int, default=8, help="connections at once")
    options: Any = parser.parse_args()
    seconds = options.seconds or (0.7 if options.small else 4.0)
    asyncio.run(run(small=options.small, seconds=seconds, clients=options.clients))


if __name__ == "__main__":
    main()
