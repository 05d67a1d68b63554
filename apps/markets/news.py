"""Telling edges that the catalogue changed, and learning that they know: both by `cache`.

Losing `cache` loses nothing: edges read the catalogue again every `READ_EVERY_S` in any case, so
after a little more than that each living edge knows what was committed before.
"""

from __future__ import annotations

import time
from typing import Any, cast

import msgspec
import redis
import structlog

from apps.common.redis_clients import cache_client
from apps.markets.contracts import Catalogue

CHANGED = "markets:changed"
KNOWN_BY = "markets:known_by"
"""Hash: edge → what it knows (`Knowledge`)."""
READ_EVERY_S = 15.0
SILENT_S = 2 * READ_EVERY_S + 5  # An edge that said nothing for so long is none.

log = structlog.get_logger("fairbook.markets")


class Knowledge(msgspec.Struct, frozen=True):
    """What an edge knows of markets, and when it read it (Unix seconds)."""

    at: float
    states: dict[str, str]


_decode = msgspec.msgpack.Decoder(Knowledge).decode


def knowledge_of(catalogue: Catalogue, *, at: float) -> bytes:
    """Return what an edge that has read this catalogue says of itself."""
    states: dict[str, str] = {market.spec.symbol: market.state for market in catalogue.markets}
    return msgspec.msgpack.encode(Knowledge(at, states))


def announce() -> None:
    """Tell every edge to read the catalogue now. Who does not hear reads it a little later."""
    client = cache_client(socket_connect_timeout=0.5, socket_timeout=1)
    try:
        client.publish(CHANGED, b"")
    except redis.RedisError as error:
        log.warning("markets.change.not_announced", reason=str(error))
    finally:
        client.close()


def edges_without(cache: redis.Redis, symbol: str, state: str, *, since: float) -> list[str]:
    """Name the edges that may not know yet that a market is in this state (since Unix seconds)."""
    now = time.time()
    try:
        said = cast("dict[bytes, bytes]", cache.hgetall(KNOWN_BY))
    except redis.RedisError:
        said = {}
    living: dict[str, Any] = {
        name.decode(): known
        for name, known in ((name, _decode(raw)) for name, raw in said.items())
        if now - known.at < SILENT_S
    }
    if not living:  # None speaks, or the cache forgot: each reads by itself.
        return [] if now - since > READ_EVERY_S + 2 else ["all edges"]
    return sorted(name for name, known in living.items() if known.states.get(symbol) != state)
