"""Where a request comes from."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from app.core.addresses import client_address, trusted

__all__ = ["Caller", "From"]


@dataclass(frozen=True, slots=True)
class Caller:
    """The address (an IPv6 one by its network) and the program."""

    address: str
    user_agent: str


async def _caller(request: Request) -> Caller:
    address = client_address(request.scope, request.headers, trusted(tuple(request.app.state.settings.trusted_proxies)))
    # header bytes are Latin-1, in which a NUL may hide
    return Caller(address=address, user_agent=request.headers.get("user-agent", "").replace("\0", ""))


From = Annotated[Caller, Depends(_caller)]
