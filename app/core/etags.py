"""Strong ETags on details: who sends the tag back in If-None-Match gets 304 in place of what they already have."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Header, Response
from msgspec.json import encode

from app.core.schemas import Output

__all__ = ["NOT_MODIFIED", "IfNoneMatch", "known_tag", "tagged"]

IfNoneMatch = Annotated[
    str | None, Header(alias="If-None-Match", max_length=1000, description="`ETag` of the answer that you have")
]
"""A route's parameter: `known: IfNoneMatch = None`, then `return tagged(detail, known)`."""

NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "It has not changed since you got this ETag"}}
"""For `responses=` of such a route, which also needs `response_model=`."""


def tagged(output: Output | dict[str, Any], known: str | None, *, headers: Mapping[str, str] | None = None) -> Response:
    """The answer with its ETag, or 304 without a body. `headers` are added to either.

    A dict has the fields of the schema already, as `Query.plain` gives them.
    """
    body = encode(output) if isinstance(output, dict) else output.model_dump_json().encode()
    tag = f'"{base64.urlsafe_b64encode(hashlib.sha256(body).digest()[:15]).decode()}"'
    # what a person sees depends on who they are, and may have changed by the next request
    sent = {"etag": tag, "cache-control": "private, no-cache", "vary": "Authorization", **(headers or {})}
    if known is not None and known_tag(known, tag):
        return Response(status_code=304, headers=sent)
    return Response(body, headers=sent, media_type="application/json")


def known_tag(known: str, tag: str) -> bool:
    """RFC 9110, 13.1.2: any of the tags, compared weakly, or `*`."""
    tags = {item.strip().removeprefix("W/") for item in known.split(",")}
    return tag in tags or tags == {"*"}
