"""What a call was given: parameters of the address and of a form, of which some repeat."""

from collections import defaultdict
from datetime import UTC, datetime
from urllib.parse import parse_qsl
from uuid import UUID

from starlette.requests import Request

from app.compat.subsonic.errors import Code, SubsonicError
from app.core.errors import NotFound

__all__ = ["MOST_DIGITS", "Given", "parse_id", "read_parameters"]

MOST_DIGITS = 9
"""Of a number: Python refuses thousands of them with an error of its own."""

_FORM = "application/x-www-form-urlencoded"
_MOST_VALUES = 20_000
_TRUE, _FALSE = frozenset({"true", "1", "yes", "on"}), frozenset({"false", "0", "no", "off"})
_PREFIXES = ("al-", "ar-", "mf-", "pl-", "si-")


class Given:
    """The parameters, each asked for by its kind. Wrong ones raise what the client is told."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._values: defaultdict[str, list[str]] = defaultdict(list)
        for name, value in pairs:
            self._values[name].append(value.replace("\0", ""))

    def __contains__(self, name: str) -> bool:
        return bool(self._values.get(name))

    def many(self, name: str) -> list[str]:
        """Every value, in order."""
        return self._values.get(name, [])

    def text(self, name: str, default: str = "") -> str:
        """A text, or what stands for a missing one."""
        return next(iter(self.many(name)), default)

    def needed(self, name: str) -> str:
        """A text that must be there, though it may be empty."""
        if name not in self:
            raise SubsonicError(Code.MISSING, f"Required parameter '{name}' is missing.")
        return self.text(name)

    def number(self, name: str, default: int, *, most: int, least: int = 0) -> int:
        """A whole number, held to what is possible."""
        written = self.text(name)
        try:
            return max(least, min(int(written), most)) if written else default
        except ValueError:
            raise SubsonicError(Code.GENERIC, f"Parameter '{name}' must be a whole number.") from None

    def maybe_number(self, name: str, *, most: int, least: int = 0) -> int | None:
        """A whole number, or None."""
        return self.number(name, 0, least=least, most=most) if self.text(name) else None

    def flag(self, name: str, default: bool) -> bool:
        """Yes or no, as clients spell it: `true`, `True`, `1`."""
        written = self.text(name).strip().lower()
        if not written:
            return default
        if written not in _TRUE | _FALSE:
            raise SubsonicError(Code.GENERIC, f"Parameter '{name}' must be true or false.")
        return written in _TRUE

    def id(self, name: str = "id") -> UUID:
        """The id of something, which must be there."""
        return parse_id(self.needed(name))

    def ids(self, name: str) -> list[UUID]:
        """The ids of several things."""
        return [parse_id(value) for value in self.many(name) if value]

    def moments(self, name: str) -> list[datetime]:
        """Moments, in milliseconds since 1970."""
        try:
            return [datetime.fromtimestamp(int(value) / 1000, UTC) for value in self.many(name) if value]
        except (ValueError, OverflowError, OSError):
            raise SubsonicError(Code.GENERIC, f"Parameter '{name}' must be in milliseconds since 1970.") from None


def parse_id(written: str) -> UUID:
    """The id itself; what stands around it says what it is of. Raises NotFound for one that is not ours."""
    bare = written[3:] if written.startswith(_PREFIXES) else written
    try:
        return UUID(bare.partition("_")[0])
    except ValueError:
        raise NotFound(f"There is nothing with the id {written[:80]}.") from None


async def read_parameters(request: Request) -> Given:
    """Parameters of the address, then those of a form. Raises SubsonicError for too many."""
    text = request.scope["query_string"].decode("latin-1")
    if request.method == "POST" and request.headers.get("content-type", _FORM).startswith(_FORM):
        text += "&" + (await request.body()).decode("utf-8", "replace")
    try:
        return Given(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_VALUES))
    except ValueError:
        raise SubsonicError(Code.GENERIC, f"A call takes at most {_MOST_VALUES} parameters.") from None
