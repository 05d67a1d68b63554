"""Free ports on loopback, for servers of tests.

They lie below the range from which the kernel gives ports to outgoing connections. Inside it, a
client that knocks before its server is there may be given that very port, and talk to itself.
"""

from __future__ import annotations

import random
import socket

_FIRST, _LAST = 15_000, 32_000
_dice = random.SystemRandom()  # Test runs beside each other must not draw the same ports.


def free_ports(count: int) -> list[int]:
    """Return that many different ports that were free a moment ago."""
    found: list[int] = []
    while len(found) < count:
        port = _dice.randrange(_FIRST, _LAST)
        if port not in found and _is_free(port):
            found.append(port)
    return found


def free_port_range(count: int) -> int:
    """Return the first of `count` neighbouring ports that were all free a moment ago."""
    for _ in range(200):
        first = _dice.randrange(_FIRST, _LAST - count)
        if all(_is_free(port) for port in range(first, first + count)):
            return first
    raise RuntimeError("no range of free ports found")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
