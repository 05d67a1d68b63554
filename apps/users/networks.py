"""From where a key may be used: IPv4 and IPv6 networks, written one way each.

An IPv4 address that comes in an IPv6 coat (`::ffff:192.0.2.1`) counts as the IPv4 address, in a
list and on a connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    collapse_addresses,
    ip_address,
    ip_network,
)

NETWORKS_MAX = 20
WIDEST_V4, WIDEST_V6 = 8, 16  # A network with fewer fixed bits names nobody in particular.
_COAT = IPv6Network("::ffff:0:0/96")

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


@lru_cache(maxsize=10_000)
def address(word: str) -> Address | None:
    """Read the address of a connection; None for what is none (a local socket has no address)."""
    try:
        found = ip_address(word.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


def network(word: str) -> Network:
    """Read one address or network; bits behind its prefix are dropped. Raises `ValueError`."""
    found = ip_network(word.strip(), strict=False)
    if isinstance(found, IPv6Network) and found.subnet_of(_COAT):
        inner = IPv4Address(int(found.network_address) & 0xFFFF_FFFF)
        return IPv4Network((inner, found.prefixlen - 96))
    return found


def normalised(words: Iterable[str]) -> tuple[str, ...]:
    """Write a list the one way: sorted, without repeats, neighbours joined.

    Raises `ValueError` for what is no network, and for one so wide that it names nobody.
    """
    found = {network(word) for word in words}
    four = collapse_addresses(net for net in found if isinstance(net, IPv4Network))
    six = collapse_addresses(net for net in found if isinstance(net, IPv6Network))
    joined: list[Network] = [*four, *six]
    for net in joined:
        if net.prefixlen < (WIDEST_V4 if net.version == 4 else WIDEST_V6):
            raise ValueError(f"{net} is too wide")
    return tuple(str(net) for net in joined)


def of_words(words: Iterable[str]) -> tuple[Network, ...]:
    """Read a list that `normalised` wrote."""
    return tuple(ip_network(word) for word in words)


def allow(networks: Sequence[Network], word: str) -> bool:
    """Say whether a connection's address lies in one of the networks; none allow every address."""
    if not networks:
        return True
    found = address(word)
    return found is not None and any(
        found.version == net.version and found in net for net in networks
    )


def are_within(inner: Iterable[Network], outer: Iterable[Network]) -> bool:
    """Say whether each of some networks lies in one of the others."""
    held = tuple(outer)
    return all(any(_lies_in(net, other) for other in held) for net in inner)


def _lies_in(net: Network, other: Network) -> bool:
    if isinstance(net, IPv4Network) and isinstance(other, IPv4Network):
        return net.subnet_of(other)
    if isinstance(net, IPv6Network) and isinstance(other, IPv6Network):
        return net.subnet_of(other)
    return False
