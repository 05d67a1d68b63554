"""How often something may be tried: some at once, then one now and again.

Counts live on the cache, where all edges see them; while it is away each process counts by itself.
Asking takes the try, so that a thousand at once are counted before the first of them is done.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import redis
import structlog

from apps.common.redis_clients import cache_client

LOCAL_MAX = 20_000

# A bucket is one moment: when it is empty again. A refused try moves nothing, so that whoever goes
# on trying does not keep others out the longer.
_TAKE = """
local now, wait, ends = tonumber(ARGV[1]), 0, {}
for i, key in ipairs(KEYS) do
  local burst, every = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  ends[i] = math.max(now, tonumber(redis.call('GET', key) or '0')) + every
  wait = math.max(wait, ends[i] - now - burst * every)
end
if wait > 0 then return wait end
for i, key in ipairs(KEYS) do
  redis.call('SET', key, string.format('%.0f', ends[i]), 'PX', string.format('%.0f', ends[i] - now))
end
return 0
"""
_GIVE_BACK = """
local now, ends = tonumber(ARGV[1]), tonumber(redis.call('GET', KEYS[1]) or '0') - tonumber(ARGV[2])
if ends <= now then return redis.call('DEL', KEYS[1]) end
redis.call('SET', KEYS[1], string.format('%.0f', ends), 'PX', string.format('%.0f', ends - now))
return 0
"""
_PREFIX = "bucket:"

log = structlog.get_logger("fairbook.users")


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is counted, how many may come at once, and how long each is remembered."""

    name: str
    burst: int
    every_ms: int


class Buckets:
    """All counts of tries."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._local: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, buckets: Sequence[Bucket]) -> int:
        """Count one try in all buckets and return 0, or count none; the wait in milliseconds."""
        now = int(self._clock() * 1000)
        words = [now, *(word for each in buckets for word in (each.burst, each.every_ms))]
        try:
            return self._ask(_TAKE, [_PREFIX + each.name for each in buckets], words)
        except (redis.RedisError, OSError) as error:
            log.warning("users.buckets.cache_away", reason=str(error)[:200])
            return self._take_here(buckets, now)

    def give_back(self, bucket: Bucket) -> None:
        """Uncount one try: it was a good one."""
        now = int(self._clock() * 1000)
        with self._lock:
            if bucket.name in self._local:
                self._local[bucket.name] -= bucket.every_ms
        try:
            self._ask(_GIVE_BACK, [_PREFIX + bucket.name], [now, bucket.every_ms])
        except (redis.RedisError, OSError) as error:
            log.warning("users.buckets.cache_away", reason=str(error)[:200])

    def forget(self, bucket: Bucket) -> None:
        """Uncount all tries of a bucket."""
        with self._lock:
            self._local.pop(bucket.name, None)
        client = cache_client(socket_connect_timeout=0.5, socket_timeout=1)
        try:
            client.delete(_PREFIX + bucket.name)
        except (redis.RedisError, OSError) as error:
            log.warning("users.buckets.cache_away", reason=str(error)[:200])
        finally:
            client.close()

    @staticmethod
    def _ask(script: str, keys: list[str], words: list[int]) -> int:
        client = cache_client(socket_connect_timeout=0.5, socket_timeout=1)
        try:
            return int(client.eval(script, len(keys), *keys, *words))
        finally:
            client.close()

    def _take_here(self, buckets: Sequence[Bucket], now: int) -> int:
        with self._lock:
            ends = [max(now, self._local.get(each.name, 0)) + each.every_ms for each in buckets]
            waits = [
                end - now - each.burst * each.every_ms
                for end, each in zip(ends, buckets, strict=True)
            ]
            if (wait := max(waits)) > 0:
                return wait
            for end, each in zip(ends, buckets, strict=True):
                self._local[each.name] = end
                self._local.move_to_end(each.name)
            while len(self._local) > LOCAL_MAX:
                self._local.popitem(last=False)
        return 0


in_use = Buckets()
