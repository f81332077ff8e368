"""Which address a request comes from."""

import ipaddress
from collections.abc import Sequence
from functools import lru_cache

from starlette.datastructures import Headers
from starlette.types import Scope

__all__ = ["Proxies", "client_address", "trusted"]


class Proxies:
    """Networks whose word about addresses is believed."""

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks = [ipaddress.ip_network(network) for network in networks]

    def __contains__(self, address: str) -> bool:
        if not self._networks:
            return False
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)


@lru_cache(maxsize=8)
def trusted(networks: tuple[str, ...]) -> Proxies:
    """The proxies of these settings, read once and not for each request."""
    return Proxies(networks)


def client_address(scope: Scope, headers: Headers, proxies: Proxies) -> str:
    """The client's address: the nearest in X-Forwarded-For that is no trusted proxy. IPv6 counts by /64."""
    address = scope["client"][0] if scope.get("client") else "unknown"
    hops = [hop.strip() for hop in headers.get("x-forwarded-for", "").split(",") if hop.strip()]
    while address in proxies and hops:
        address = hops.pop()
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else address
