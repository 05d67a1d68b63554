"""Heartbeats on the cache server: they decide when a standby tries, never who writes.

The epoch on the journal server decides that (`atomic.claim_epoch`). So losing the cache server, or
a heartbeat that comes late, costs a try at most, and no takeover happens while it is down.
"""

import contextlib
import threading
from pathlib import Path
from typing import cast

import msgspec
import redis

from apps.journals import keys

CACHE_SETTLED_S = 3
"""How long the cache server must be up before a missing heartbeat means anything."""

_BEAT = (Path(__file__).parent / "beat.lua").read_text()


class LeaseTerms(msgspec.Struct, frozen=True):
    """How often an owner beats, and after what silence a standby may try."""

    beat_s: float = 0.3
    lease_ms: int = 1_500


class Heartbeat:
    """The owner's sign of life, renewed by a thread of its own."""

    def __init__(
        self, cache: redis.Redis, worker: str, *, epoch: int, member: str, terms: LeaseTerms
    ) -> None:
        self._cache = cache
        self._key = keys.heartbeat(worker)
        self._value = f"{epoch}:{member}".encode()
        self._script = cache.register_script(_BEAT)
        self._epoch = epoch
        self._terms = terms
        self._stopping = threading.Event()
        self.is_overtaken = threading.Event()  # A later owner beats: the epoch will say so, too.
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Beat once, then go on in the background."""
        self.beat()
        self._thread.start()

    def stop(self, *, release: bool) -> None:
        """End. With `release`, take the sign away: a standby need not wait for the lease."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        with contextlib.suppress(redis.RedisError):
            if release and self._cache.get(self._key) == self._value:
                self._cache.delete(self._key)

    def beat(self) -> None:
        """Renew the sign of life. A cache that is down changes nothing: we go on owning."""
        with contextlib.suppress(redis.RedisError):
            words = (self._epoch, self._value, self._terms.lease_ms)
            if not self._script(keys=[self._key], args=words):
                self.is_overtaken.set()

    def _run(self) -> None:
        while not self._stopping.wait(self._terms.beat_s):
            self.beat()


def owner_is_silent(cache: redis.Redis, worker: str, *, member: str = "") -> bool:
    """Tell whether a standby may try: the cache answers, has settled, and knows no heartbeat.

    A heartbeat of this very member is that of its former life, which is over.
    """
    try:
        beat = cast("bytes | None", cache.get(keys.heartbeat(worker)))
        if beat is not None and not (member and beat.endswith(f":{member}".encode())):
            return False
        return int(cache.info("server")["uptime_in_seconds"]) >= CACHE_SETTLED_S
    except redis.RedisError:
        return False
