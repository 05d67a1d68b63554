"""Free ports on loopback, for servers of tests."""

from __future__ import annotations

import socket


def free_ports(count: int) -> list[int]:
    """Return that many different ports that were free a moment ago."""
    held = [socket.socket() for _ in range(count)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()


def free_port_range(count: int) -> int:
    """Return the first of `count` neighbouring ports that were all free a moment ago."""
    for _ in range(200):
        (first,) = free_ports(1)
        if first + count > 65535:
            continue
        held = [socket.socket() for _ in range(count)]
        try:
            for offset, one in enumerate(held):
                one.bind(("127.0.0.1", first + offset))
        except OSError:
            continue
        finally:
            for one in held:
                one.close()
        return first
    raise RuntimeError("no range of free ports found")
