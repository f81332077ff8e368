"""The terminal: what is said scrolls by, and below it stay a line of progress and the line that is being typed."""

import asyncio
import os
import shutil
import sys
import threading
import unicodedata
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

__all__ = ["Screen"]

_CLEAR_DOWN = "\r\x1b[J"
_UP = "\x1b[A"
_ENTER, _ERASE, _ERASE_LINE, _ERASE_WORD, _END = ("\r", "\n"), ("\x7f", "\b"), "\x15", "\x17", "\x04"


class Screen:
    """On a terminal the two lowest lines are drawn anew with every change; into a pipe, lines are just written."""

    def __init__(self, take: Callable[[str], None], leave: Callable[[], None]) -> None:
        self.is_live = sys.stdin.isatty() and sys.stdout.isatty() and os.name == "posix"
        self._take, self._leave = take, leave
        self._status, self._typed, self._drawn = "", "", False
        self._decoder = getincrementaldecoder("utf-8")("ignore")
        self._escape = ""

    @contextmanager
    def open(self) -> Iterator[None]:
        """Reads keys, or lines, until it is left."""
        loop = asyncio.get_running_loop()
        if not self.is_live:
            threading.Thread(target=self._read_lines, args=(loop,), daemon=True).start()
            yield
            return
        with _single_keys():
            loop.add_reader(sys.stdin.fileno(), self._read_keys)
            try:
                yield
            finally:
                loop.remove_reader(sys.stdin.fileno())
                self._clear()
                sys.stdout.flush()

    def say(self, line: str) -> None:
        """Writes a line for good."""
        self._clear()
        sys.stdout.write(_printable(line) + "\n")
        self._draw()

    def show(self, status: str) -> None:
        """Draws the line of progress."""
        if status != self._status:
            self._clear()
            self._status = status
            self._draw()

    def _clear(self) -> None:
        if self._drawn:
            sys.stdout.write(_CLEAR_DOWN + _UP + _CLEAR_DOWN)
            self._drawn = False

    def _draw(self) -> None:
        if self.is_live:
            width = shutil.get_terminal_size().columns - 1
            typed = _last(f"> {self._typed}", width)
            sys.stdout.write(f"{_first(_printable(self._status), width)}\n{typed}")
            self._drawn = True
        sys.stdout.flush()

    def _read_lines(self, loop: asyncio.AbstractEventLoop) -> None:
        with suppress(RuntimeError):  # the loop has ended
            for line in sys.stdin:
                loop.call_soon_threadsafe(self._take, line.rstrip("\n"))

    def _read_keys(self) -> None:
        data = os.read(sys.stdin.fileno(), 1024)
        if not data:
            self._leave()
        for key in self._decoder.decode(data):
            self._press(key)
        self._clear()
        self._draw()

    def _press(self, key: str) -> None:
        if self._escape or key == "\x1b":  # arrows and the like
            self._escape += key
            if key.isalpha() or key == "~" or len(self._escape) > 8:
                self._escape = ""
        elif key in _ENTER:
            line, self._typed = self._typed, ""
            self._take(line)
        elif key in _ERASE:
            self._typed = self._typed[:-1]
        elif key == _ERASE_LINE:
            self._typed = ""
        elif key == _ERASE_WORD:
            self._typed = self._typed.rstrip().rpartition(" ")[0]
        elif key == _END and not self._typed:
            self._leave()
        elif key.isprintable():
            self._typed += key


@contextmanager
def _single_keys() -> Iterator[None]:
    """Has the terminal give each key at once, and not draw it."""
    import termios  # noqa: PLC0415 -- there is none on Windows
    import tty  # noqa: PLC0415

    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _printable(text: str) -> str:
    """What others wrote must not steer the terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _width(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def _first(text: str, width: int) -> str:
    for place, letter in enumerate(text):
        width -= _width(letter)
        if width < 0:
            return text[:place]
    return text


def _last(text: str, width: int) -> str:
    return _first(text[::-1], width)[::-1]
