"""Which workers there are: each is founded once, with the configuration it starts from."""

from collections.abc import Sequence
from typing import cast

import msgspec
import redis

from apps.common.kernel.invariants import ensure
from apps.journals import keys, wire

ANNOUNCEMENT = "workers:new"
"""The pub/sub channel on the cache server that tells mailboxes of a new worker's name."""


class NotFounded(Exception):
    """There is no such worker: nobody has written its genesis."""


def found(
    journal: redis.Redis,
    worker: str,
    genesis_commands: Sequence[msgspec.Struct],
    *,
    cache: redis.Redis | None = None,
) -> bool:
    """Write a worker's genesis, once for ever. True if it is new; never another one."""
    genesis = wire.encode(list(genesis_commands))
    is_new = bool(journal.set(keys.genesis(worker), genesis, nx=True))
    ensure(is_new or journal.get(keys.genesis(worker)) == genesis, f"{worker} has one genesis")
    journal.sadd(keys.WORKERS, worker)
    if cache is not None:
        cache.publish(ANNOUNCEMENT, worker)
    return is_new


def workers(journal: redis.Redis) -> list[str]:
    """Return the names of all workers, sorted."""
    return sorted(name.decode() for name in cast("set[bytes]", journal.smembers(keys.WORKERS)))


def genesis_of(journal: redis.Redis, worker: str) -> bytes:
    """Return the configuration frame that a worker starts from."""
    genesis = cast("bytes | None", journal.get(keys.genesis(worker)))
    if genesis is None:
        raise NotFounded(f"{worker} has no genesis on the journal server")
    return genesis
