"""Reading a recording in a process of its own: a file made to be slow or large ends that process and nothing else."""

import asyncio
import json
import resource
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app.uploads.reading import Facts, Unreadable, read_cover, read_facts

__all__ = ["MOST_OF_COVER", "read_apart"]

CPU_SECONDS = 30
MEMORY_BYTES = 2 * 1024**3
"""Of addresses: the file itself is mapped into them."""
MOST_OF_COVER = 5_000_000
"""Bytes of a picture in the tags of a recording."""
CHECKOUT = Path(__file__).parents[2]


async def read_apart(path: Path, *, cover: Path | None = None, cpu_seconds: int = CPU_SECONDS) -> Facts:
    """What the file says of itself. Raises Unreadable, also for one that takes too much to read.

    With `cover` the picture in its tags is written there, if there is one that is no larger than pictures may be:
    nothing says yet that it is a picture.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__, str(path), str(cpu_seconds), str(cover or "")),
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
    return _facts(told)


def _facts(told: bytes) -> Facts:
    line, end, _ = told.partition(b"\n")
    if not end:
        raise Unreadable("damaged", "The file is damaged: to read it takes too much time or memory.")
    answer: dict[str, Any] = json.loads(line)
    if "code" in answer:
        raise Unreadable(answer["code"], answer["detail"])
    return Facts(**answer)


def main(path: str, cpu_seconds: str, cover: str) -> None:
    """Writes the facts, or why there are none, as a line of JSON; then the picture, which may fail for itself."""
    resource.setrlimit(resource.RLIMIT_CPU, (int(cpu_seconds), int(cpu_seconds)))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    try:
        answer = asdict(read_facts(Path(path)))
    except Unreadable as fault:
        answer = {"code": fault.code, "detail": fault.detail}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    picture = read_cover(Path(path)) if cover and "code" not in answer else None
    if picture and len(picture) <= MOST_OF_COVER:
        part = Path(cover).with_suffix(".part")
        part.write_bytes(picture)
        part.replace(cover)


if __name__ == "__main__":
    main(*sys.argv[1:])
