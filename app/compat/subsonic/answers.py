"""What Subsonic clients are told: one description, written as JSON or as XML.

A description is made of dicts, lists and plain values. In XML, by the rules of Subsonic's schema, a plain value is an
attribute, a dict an element, a list as many elements as it has items; `value` is the text of its element, and so is an
item that is no dict. The few texts that the schema wants as elements are `Element`s. In JSON everything is a member.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from xml.sax.saxutils import escape, quoteattr

from pydantic_core import to_json
from starlette.responses import Response

from app import __version__

__all__ = ["VERSION", "Body", "Element", "told"]

VERSION = "1.16.1"
Body = Mapping[str, Any]
_NAMESPACE = "http://subsonic.org/restapi"
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BREAKS = {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
"""An attribute's plain line breaks are read as spaces."""


class Element(str):
    """A text that is an element in XML."""

    __slots__ = ()


def told(body: Body, *, as_json: bool, ok: bool = True, status: int = 200, headers: Any = None) -> Response:
    """The answer around a body."""
    answer = {
        "status": "ok" if ok else "failed",
        "version": VERSION,
        "type": "soundscore",
        "serverVersion": __version__,
        "openSubsonic": True,
        **body,
    }
    content = _json(answer) if as_json else _xml(answer)
    kind = "application/json" if as_json else "text/xml; charset=utf-8"
    return Response(content, status, headers, media_type=kind)


def _json(answer: Body) -> bytes:
    return to_json({"subsonic-response": _members(answer)})


def _members(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _members(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_members(item) for item in value]
    return value if isinstance(value, bool | int | float) else _text(value)


def _xml(answer: Body) -> str:
    root = {"xmlns": _NAMESPACE, **answer}
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + "".join(_element("subsonic-response", root))


def _element(name: str, value: Any) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"<{name}>{_content(value)}</{name}>"
        return
    yield f"<{name}{''.join(_attributes(value))}>"
    for inner, content in value.items():
        yield from _inside(inner, content)
    yield f"</{name}>"


def _attributes(value: Body) -> Iterator[str]:
    for name, content in value.items():
        if content is not None and name != "value" and not isinstance(content, Mapping | list | Element):
            yield f" {name}={quoteattr(_clean(content), _BREAKS)}"


def _inside(name: str, content: Any) -> Iterator[str]:
    if isinstance(content, list):
        for item in content:
            yield from _element(name, item)
    elif isinstance(content, Mapping | Element):
        yield from _element(name, content)
    elif name == "value":
        yield _content(content)


def _content(value: Any) -> str:
    return escape(_clean(value))


def _clean(value: Any) -> str:
    """Without the characters that XML cannot hold in any way."""
    return _NOT_IN_XML.sub("\ufffd", _text(value))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value) if isinstance(value, UUID | int | float) else value
