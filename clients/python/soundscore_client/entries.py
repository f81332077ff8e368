"""What events do to the entries of a playlist."""

from collections.abc import Sequence

from soundscore_client.wire import EntriesMoved, EntriesOp, Entry

__all__ = ["changed"]


def changed(entries: Sequence[Entry], change: EntriesOp) -> Sequence[Entry] | None:
    """The entries after a change, or None if they have to be read again.

    They may be only the beginning of a long playlist, and are one afterwards: what comes to stand right behind it is
    taken in, and what cannot be known is cut off.
    """
    if change["op"] == "add":
        at = change["at"]
        return entries if at > len(entries) else [*entries[:at], *change["entries"], *entries[at:]]
    if change["op"] == "remove":
        gone = set(change["entry_ids"])
        return [entry for entry in entries if entry["id"] not in gone]
    if change["op"] == "move":
        return _moved(entries, change)
    if change["op"] == "replace":
        fresh = {entry["id"]: entry for entry in change["entries"]}
        return [fresh.get(entry["id"], entry) for entry in entries]
    return None  # an operation of later times is too much as well


def _moved(entries: Sequence[Entry], change: EntriesMoved) -> list[Entry]:
    start, end, to = change["start"], change["start"] + change["length"], change["to"]
    moved, others = entries[start:end], [*entries[:start], *entries[end:]]
    if to > len(others):
        return others
    # of a range that is not all known, what stands behind it is at unknown places
    behind = others[to:] if len(moved) == change["length"] else []
    return [*others[:to], *moved, *behind]
