"""How far settlement is behind, on `cache`: written by each drain, read by edges.

`settlement:lag` is a hash worker → seconds, `settlement:at` a hash worker → when it was written
(Unix time). With PostgreSQL away there is no figure, so that trading goes on (the archive's disk is
the limit then). A settlement that says nothing for a while counts as behind since its last word.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import redis

LAG = "settlement:lag"
AT = "settlement:at"
QUIET_S = 3.0  # Beat nudges each second: so long may a worker say nothing without being late.


def publish(cache: redis.Redis, *, worker: str, lag_s: float) -> None:
    """Say how old the oldest unsettled batch of a worker is."""
    with cache.pipeline(transaction=True) as pipe:
        pipe.hset(LAG, worker, f"{max(lag_s, 0.0):.3f}")
        pipe.hset(AT, worker, f"{time.time():.3f}")
        pipe.execute()


def withdraw(cache: redis.Redis, *, worker: str) -> None:
    """Say nothing of a worker any more: PostgreSQL does not answer."""
    with cache.pipeline(transaction=True) as pipe:
        pipe.hdel(LAG, worker)
        pipe.hdel(AT, worker)
        pipe.execute()


def read(cache: redis.Redis) -> dict[str, float]:
    """Return each worker's lag in seconds as of now."""
    with cache.pipeline(transaction=False) as pipe:
        pipe.hgetall(LAG)
        pipe.hgetall(AT)
        lags, ats = pipe.execute()
    return current(lags, ats, now=time.time())


def current(
    lags: Mapping[bytes, bytes], ats: Mapping[bytes, bytes], *, now: float
) -> dict[str, float]:
    """Add to each published lag the time in which nothing was published. For edges' own clients."""
    return {
        worker.decode(): float(lag) + max(0.0, now - float(ats.get(worker, b"0")) - QUIET_S)
        for worker, lag in lags.items()
    }
