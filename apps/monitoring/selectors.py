"""What the exchange knows about itself: the verifier's last word, and the journals from outside.

Nothing here asks an engine. The journals and the cache are read as anybody with their keys could.
"""

from __future__ import annotations

import time
from functools import cache
from typing import Any

import msgspec
import redis

from apps.common.errors import Unavailable
from apps.common.redis_clients import cache_client, journal_client
from apps.journals import keys

VERIFY_STATUS = "verify:status"


@cache
def _cache() -> redis.Redis:
    return cache_client(socket_timeout=1, socket_connect_timeout=1)


@cache
def _journal() -> redis.Redis:
    return journal_client(socket_timeout=2, socket_connect_timeout=1)


def trust() -> dict[str, Any]:
    """Return what the verifier last found, by the exchange's clock (`ok` is null before that)."""
    try:
        raw = _cache().get(VERIFY_STATUS)
    except redis.RedisError:
        raise Unavailable("The verifier's record") from None
    now_ms = time.time_ns() // 1_000_000
    if not isinstance(raw, bytes):
        return {
            "ok": None,
            "imbalance": {},
            "seqs": {},
            "at_ms": None,
            "now_ms": now_ms,
            "seconds": None,
        }
    found = msgspec.json.decode(raw)
    return {
        "ok": found["ok"],
        "imbalance": {asset: str(minor) for asset, minor in found.get("imbalance", {}).items()},
        "seqs": found.get("seqs", {}),
        "at_ms": int(float(found["at"]) * 1000),
        "now_ms": now_ms,
        "seconds": found.get("seconds"),
    }


def journals() -> list[dict[str, Any]]:
    """Return one row per worker: where its log stands, who writes it, and what waits for it."""
    try:
        names = sorted(_text(name) for name in _journal().smembers(keys.WORKERS))
        return [_worker(name) for name in names]
    except redis.RedisError:
        raise Unavailable("The journal") from None


def _worker(worker: str) -> dict[str, Any]:
    with _journal().pipeline(transaction=False) as pipe:
        pipe.hgetall(keys.cursor(worker))
        pipe.get(keys.epoch(worker))
        pipe.hgetall(keys.trimmed(worker))
        cursor, epoch, trimmed = pipe.execute()
    positions = {name.decode(): value for name, value in cursor.items()}
    own = [_stream(keys.log(worker), None, trimmed)]
    names = [name for name in positions if name not in {"batch", "hash"}]
    inputs = [_stream(name, positions[name].decode(), trimmed) for name in sorted(names)]
    batch = positions.get("batch")
    return {
        "worker": worker,
        "epoch": int(epoch) if epoch is not None else None,
        "batch": int(batch) if batch is not None else 0,
        "hash": positions.get("hash", b"").hex(),
        "owner": _owner(worker),
        "lag_ms": max((one["lag_ms"] for one in inputs), default=0),
        "streams": [*own, *inputs],
    }


def _owner(worker: str) -> str | None:
    """Return the member that holds the lease, or None when nobody does."""
    try:
        raw = _cache().get(keys.heartbeat(worker))
    except redis.RedisError:
        return None
    return raw.decode(errors="replace").rpartition(":")[2] if isinstance(raw, bytes) else None


def _stream(name: str, taken: str | None, trimmed: dict[bytes, bytes]) -> dict[str, Any]:
    """Describe one stream: how long, how large, and how far its reader is behind its newest."""
    journal = _journal()
    newest = journal.xrevrange(name, count=1)
    newest_id = _text(newest[0][0]) if newest else None
    behind = 0
    if taken is not None and newest_id is not None and _order(newest_id) > _order(taken):
        behind = max(1, _order(newest_id)[0] - _order(taken)[0])
    cut = trimmed.get(name.encode())
    return {
        "name": name,
        "entries": journal.xlen(name),
        "bytes": journal.memory_usage(name) or 0,
        "newest": newest_id,
        "taken": taken,
        "lag_ms": behind,
        "trimmed": cut.decode() if cut else None,
    }


def _text(raw: bytes | str | None) -> str:
    return raw.decode() if isinstance(raw, bytes) else str(raw)


def _order(entry: str) -> tuple[int, int]:
    ms, _, number = entry.partition("-")
    return int(ms), int(number or 0)
