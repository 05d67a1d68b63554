"""Where every journal stands: the heads of the inside chains, straight from the journal server."""

from __future__ import annotations

from typing import Any

import redis

from apps.journals import directory, keys, wire


def heads(journal: redis.Redis) -> list[dict[str, Any]]:
    """Return each worker's newest batch with its sequence and hash; a worker without one says 0."""
    return [_head(journal, worker) for worker in directory.workers(journal)]


def _head(journal: redis.Redis, worker: str) -> dict[str, Any]:
    newest: Any = journal.xrevrange(keys.log(worker), count=1)
    if not newest:
        start = wire.genesis_hash(directory.genesis_of(journal, worker))
        return {"engine": worker, "batch": 0, "seq": 0, "at_ns": "0", "hash": start.hex()}
    sealed = wire.decode_sealed(newest[0][1][keys.LOG_FIELD_HEADER])
    header = wire.decode_header(sealed.core)
    return {
        "engine": worker,
        "batch": header.batch,
        "seq": header.last_seq,
        "at_ns": str(header.at_ns),
        "hash": sealed.hash().hex(),
    }
