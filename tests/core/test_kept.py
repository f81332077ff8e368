"""Secrets that are made once, whoever starts first."""

import os
import stat
import threading
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path

from app.core.config import Settings
from app.core.kept import kept
from app.core.tokens import AccessTokens

PROCESSES = 2


def _kid(folder: Path, ready: Barrier) -> str:
    settings = Settings(environment="test", data_dir=folder, jwt_algorithm="RS256", _env_file=None)
    ready.wait(60)
    return AccessTokens(settings).kid


def _tell(folder: Path, ready: Barrier, told: Path) -> None:
    told.write_text(_kid(folder, ready))


def test_processes_that_start_at_once_sign_with_one_key(tmp_path: Path) -> None:
    context = get_context("spawn")
    ready, told = context.Barrier(PROCESSES), [tmp_path / f"kid{n}" for n in range(PROCESSES)]
    started = [context.Process(target=_tell, args=(tmp_path / "data", ready, path)) for path in told]
    for process in started:
        process.start()
    for process in started:
        process.join(120)
        assert process.exitcode == 0
    assert len({path.read_text() for path in told}) == 1
    files = list((tmp_path / "data").iterdir())
    assert {path.name for path in files} <= {"jwt_private_key.pem", "secret_key"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_nobody_reads_half_a_secret(tmp_path: Path) -> None:
    """Whoever comes while another makes one gets that one or their own, and from then on all the same."""
    path, ready, seen = tmp_path / "new" / "secret", threading.Barrier(8), []

    def start() -> None:
        ready.wait(10)
        seen.append(kept(path, lambda: os.urandom(32)))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(seen) == {path.read_bytes()}
    assert len(path.read_bytes()) == 32
    assert kept(path, lambda: b"another") == path.read_bytes()
