"""The TypeScript client, built once and run by Node."""

import asyncio
import atexit
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

__all__ = ["TYPESCRIPT", "ask_node", "build", "node_command", "node_environment"]

TYPESCRIPT = Path(__file__).parents[2] / "clients" / "ts"
_OFFLINE = ("ENOTFOUND", "ECONNREFUSED", "ETIMEDOUT", "EAI_AGAIN", "ENETUNREACH", "ECONNRESET")


@cache
def build() -> Path:
    """The compiled client. Skips the test where there is no Node, or no way to get the compiler."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node is not installed")
    made = Path(tempfile.mkdtemp(prefix="soundscore-client-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    _run([str(_compiler()), "--project", str(TYPESCRIPT), "--outDir", str(made)])
    (made / "package.json").write_text('{"type": "module"}')
    return made


def _compiler() -> Path:
    """The compiler that package-lock.json names, kept for other runs."""
    lock = (TYPESCRIPT / "package-lock.json").read_bytes()
    folder = Path(tempfile.gettempdir()) / f"soundscore-tsc-{os.getuid()}-{hashlib.sha256(lock).hexdigest()[:16]}"
    folder.mkdir(mode=0o700, exist_ok=True)
    compiler = folder / "node_modules" / ".bin" / "tsc"
    with (folder / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not compiler.exists():
            for name in ("package.json", "package-lock.json"):
                shutil.copy(TYPESCRIPT / name, folder)
            _run(["npm", "ci", "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund"])
    return compiler


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    said = done.stdout + done.stderr
    if done.returncode and any(word in said for word in _OFFLINE):
        pytest.skip("the npm registry cannot be reached")
    assert done.returncode == 0, said


def node_command(script: str, *arguments: str) -> list[str]:
    """Runs a script of the client's tests. Before Node 22, its WebSocket hides behind a flag."""
    options = ["--experimental-websocket", "--disable-warning=ExperimentalWarning"]
    return ["node", *options, str(TYPESCRIPT / "test" / script), *arguments]


def node_environment() -> dict[str, str]:
    """Where the scripts find the compiled client."""
    return {**os.environ, "SOUNDSCORE_CLIENT_BUILD": build().as_uri()}


async def ask_node(subject: str, vectors: dict[str, Any]) -> dict[str, Any]:
    """The answers of the TypeScript client to conformance vectors."""
    pipe = asyncio.subprocess.PIPE
    command = node_command("answers.js", subject)
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, env=node_environment())
    out, _ = await asyncio.wait_for(process.communicate(json.dumps(vectors).encode()), 60)
    assert process.returncode == 0
    answers: dict[str, Any] = json.loads(out)
    return answers
