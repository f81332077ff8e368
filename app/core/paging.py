"""Keyset pages: a signed cursor in, `{items, next_cursor}` and a Link header out."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Query, Request, Response
from msgspec.json import encode

from app.core.errors import Invalid
from app.core.schemas import Output

__all__ = ["LongPaged", "Page", "PageRequest", "Paged", "Sheet"]

M = TypeVar("M")
MAX_LIMIT = 100
_SIGNATURE_BYTES = 12


class Page(Output, Generic[M]):
    """A page of a list. `next_cursor` is null on the last page; it fits only the list that gave it."""

    items: list[M]
    next_cursor: str | None


@dataclass(slots=True)
class Sheet:
    """A page whose items go out as the database gave them: dicts that have the fields of their schema.

    For lists where schemas would cost more than everything else. `more` are fields of the answer beside these two.
    """

    items: list[dict[str, Any]]
    next_cursor: str | None
    more: dict[str, Any] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Its JSON."""
        return encode({"items": self.items, "next_cursor": self.next_cursor, **self.more})


class PageRequest:
    """What the client asked for: up to `limit` items after the keys in the cursor.

    `scope` names the list (path and filters), and is signed with the keys, so no other list takes a cursor of it.
    """

    __slots__ = ("_cursor", "_headers", "_scope", "_secret", "limit")

    def __init__(
        self, *, limit: int = 20, cursor: str | None = None, scope: str = "", secret: bytes = b"", headers: Any = None
    ) -> None:
        self.limit = limit
        self._cursor = cursor
        self._scope = scope
        self._secret = secret
        self._headers = headers

    def keys(self, count: int) -> list[Any] | None:
        """The sort keys after which the page starts, or None for the first page. Raises Invalid for a bad cursor."""
        if self._cursor is None:
            return None
        try:
            raw = base64.urlsafe_b64decode(self._cursor + "=" * (-len(self._cursor) % 4))
            signature, payload = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
            keys = json.loads(payload) if hmac.compare_digest(signature, self._sign(payload)) else None
        except (binascii.Error, ValueError):
            keys = None
        if not isinstance(keys, list) or len(keys) != count:
            raise Invalid.field("/query/cursor", "This cursor is not from this list. Start again without it.", "cursor")
        return keys

    def page(
        self, items: Sequence[M], *, next_keys: Sequence[Any] | None, kind: "type[Page[M]] | None" = None
    ) -> Page[M]:
        """The answer, with a cursor where `next_keys` says that more follows; of the `kind` that its items fit."""
        return (kind or Page[M]).model_construct(items=list(items), next_cursor=self.cursor(next_keys))

    def cursor(self, next_keys: Sequence[Any] | None) -> str | None:
        """What leads to the page after these keys, which the answer's Link header says too."""
        cursor = None if next_keys is None else self._encode(next_keys)
        if cursor and self._headers is not None:
            path, _, query = self._scope.partition("?")
            self._headers["link"] = f'<{path}?{query}{query and "&"}limit={self.limit}&cursor={cursor}>; rel="next"'
        return cursor

    def _encode(self, keys: Sequence[Any]) -> str:
        payload = json.dumps(list(keys), default=str, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._sign(payload) + payload).decode().rstrip("=")

    def _sign(self, payload: bytes) -> bytes:
        message = self._scope.encode() + b"\0" + payload
        return hmac.digest(self._secret, message, hashlib.sha256)[:_SIGNATURE_BYTES]


def _paged(usual: int, most: int) -> Any:
    async def page_request(
        request: Request,
        response: Response,
        limit: Annotated[int, Query(ge=1, le=most, description="Most items to answer")] = usual,
        cursor: Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before")] = None,
    ) -> PageRequest:
        filters = [(key, value) for key, value in request.query_params.multi_items() if key not in {"limit", "cursor"}]
        return PageRequest(
            limit=limit,
            cursor=cursor,
            scope=f"{request.scope['path']}?{urlencode(filters)}",
            secret=request.app.state.infra.settings.secret,
            headers=response.headers,
        )

    return Depends(page_request)


Paged = Annotated[PageRequest, _paged(20, MAX_LIMIT)]
LongPaged = Annotated[PageRequest, _paged(100, 500)]
"""For lists of many small things that are read as a whole."""
