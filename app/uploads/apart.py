"""Reading a recording in a process of its own: a file made to be slow or large ends that process and nothing else."""

import asyncio
import json
import resource
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app.uploads.reading import Facts, Unreadable, read_facts

__all__ = ["read_apart"]

CPU_SECONDS = 30
MEMORY_BYTES = 2 * 1024**3
"""Of addresses: the file itself is mapped into them."""
CHECKOUT = Path(__file__).parents[2]


async def read_apart(path: Path, *, cpu_seconds: int = CPU_SECONDS) -> Facts:
    """What the file says of itself. Raises Unreadable, also for one that takes too much to read."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__, str(path), str(cpu_seconds)),
        cwd=CHECKOUT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(20 * cpu_seconds):
            told, _ = await process.communicate()
    except (TimeoutError, asyncio.CancelledError):
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        raise Unreadable("damaged", "The file is damaged: to read it takes too much time or memory.")
    answer: dict[str, Any] = json.loads(told)
    if "code" in answer:
        raise Unreadable(answer["code"], answer["detail"])
    return Facts(**answer)


def main(path: str, cpu_seconds: str) -> None:
    """Writes the facts, or why there are none, as JSON."""
    resource.setrlimit(resource.RLIMIT_CPU, (int(cpu_seconds), int(cpu_seconds)))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    try:
        answer = asdict(read_facts(Path(path)))
    except Unreadable as fault:
        answer = {"code": fault.code, "detail": fault.detail}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
