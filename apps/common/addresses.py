"""Whom an address stands for, wherever requests and sockets are counted."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Network, ip_address
from typing import Any

UNKNOWN = "unknown"  # Connections over a local socket have no address.


@lru_cache(maxsize=10_000)
def counted_as(address: str) -> str:
    """Name whom an address stands for: an IPv4 address itself, an IPv6 address its /64.

    A /64 is the least that anybody is given, so that its owner has as many addresses as they like.
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return UNKNOWN
    if isinstance(found, IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(IPv6Network((found, 64), strict=False))


def peer(scope: dict[str, Any]) -> str:
    """Return the address at the other end of a connection as it stands; "" if it has none."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def of_scope(scope: dict[str, Any]) -> str:
    """Return who is counted for a connection. Forwarded-for headers say nothing here."""
    client = scope.get("client")
    return counted_as(str(client[0])) if client else UNKNOWN
