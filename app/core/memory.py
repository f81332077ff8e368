"""Memory that is not needed any more goes back to the system."""

import ctypes
import gc

__all__ = ["give_back"]


def give_back(*, collect: bool = False) -> None:
    """Has glibc return what was freed: it would keep as much as was ever needed at once. Others have no such call.

    `collect` first frees what only refers to itself.
    """
    if collect:
        gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
