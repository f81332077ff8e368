"""The npm client subsonic-api, installed once and run by Node."""

import asyncio
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest

__all__ = ["node_session"]

HERE = Path(__file__).parent / "node"
_OFFLINE = ("ENOTFOUND", "ECONNREFUSED", "ETIMEDOUT", "EAI_AGAIN", "ENETUNREACH", "ECONNRESET")


@cache
def _installed() -> Path:
    """The package that package-lock.json names, kept for other runs. Skips the test where there is no Node."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node is not installed")
    lock = (HERE / "package-lock.json").read_bytes()
    folder = Path(tempfile.gettempdir()) / f"soundscore-subsonic-{os.getuid()}-{hashlib.sha256(lock).hexdigest()[:16]}"
    folder.mkdir(mode=0o700, exist_ok=True)
    module = folder / "node_modules" / "subsonic-api" / "lib" / "index.js"
    with (folder / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not module.exists():
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / name, folder)
            _install(folder)
    return module


def _install(folder: Path) -> None:
    command = ["npm", "ci", "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    said = done.stdout + done.stderr
    if done.returncode and any(word in said for word in _OFFLINE):
        pytest.skip("the npm registry cannot be reached")
    assert done.returncode == 0, said


async def node_session(**order: Any) -> dict[str, Any]:
    """What the client saw."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        "node",
        str(HERE / "session.js"),
        json.dumps(order),
        stdout=pipe,
        stderr=pipe,
        env={**os.environ, "SUBSONIC_API": _installed().as_uri()},
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, err.decode()
    saw: dict[str, Any] = json.loads(out)
    return saw
