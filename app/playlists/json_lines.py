"""On which lines of a JSON text its values stand: what a parser does not keep."""

import re
from collections.abc import Collection
from json import JSONDecoder

__all__ = ["lines_of"]

_GAP = re.compile(r"[ \t\n\r]*")


def lines_of(text: str, pointers: Collection[str], decoder: JSONDecoder) -> dict[str, int]:
    """The lines at which the values begin, by JSON pointers, in a text that the decoder takes.

    What is not there is left out. Where a key comes twice, the last one counts, as it does for the decoder.
    """
    found: dict[str, int] = {}
    _Walk(text, decoder, pointers, found).value(_after_gap(text, 0), "")
    return {pointer: text.count("\n", 0, place) + 1 for pointer, place in found.items()}


class _Walk:
    """Goes into what holds a wanted value, and over everything else."""

    def __init__(self, text: str, decoder: JSONDecoder, wanted: Collection[str], found: dict[str, int]) -> None:
        self._text, self._decoder, self._found = text, decoder, found
        self._wanted = frozenset(wanted)
        steps = [pointer.split("/") for pointer in wanted]
        self._holders = {"/".join(step[:depth]) for step in steps for depth in range(1, len(step))}

    def value(self, at: int, pointer: str) -> int:
        """Walks the value that begins here; where it has ended."""
        if pointer in self._wanted:
            self._found[pointer] = at
        if pointer not in self._holders or self._text[at] not in "{[":
            return self._decoder.raw_decode(self._text, at)[1]
        text, is_object, place = self._text, self._text[at] == "{", 0
        at = _after_gap(text, at + 1)
        while text[at] not in "}]":
            key = str(place)
            if is_object:
                key, at = self._decoder.raw_decode(text, at)
                at = _after_gap(text, _after_gap(text, at) + 1)
            at = _after_gap(text, self.value(at, f"{pointer}/{_escaped(key)}"))
            if text[at] == ",":
                at = _after_gap(text, at + 1)
            place += 1
        return at + 1


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _after_gap(text: str, at: int) -> int:
    gap = _GAP.match(text, at)
    return gap.end() if gap else at
