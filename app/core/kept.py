"""Secrets that are made once and kept in a file."""

import os
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

__all__ = ["kept"]


def kept(path: Path, make: Callable[[], bytes]) -> bytes:
    """The contents of `path`; at the first call what `make` makes, readable by its owner alone.

    Of processes that start at once all get the same: the file appears complete, and the first to bring one wins.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        mine = path.with_name(f".{path.name}.{uuid4().hex}")
        try:
            with open(mine, "xb", opener=_private) as file:
                file.write(make())
                file.flush()
                os.fsync(file.fileno())
            os.link(mine, path)
        except FileExistsError:
            pass  # a sibling was faster: theirs is the one to use
        finally:
            mine.unlink(missing_ok=True)
    return path.read_bytes()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
