"""Failed log-ins in the audit log, so that no stranger can fill it by failing.

Each failure is a line of the process log (`attempts.note_failure`). Here it is also counted on the
cache, by person, purpose and hour; a task writes at most two records of each: the first failure
within seconds, and how many there were once the hour is over. At most PEOPLE_MAX people of an hour
get records of their own; the others are one record together, as are names that are nobody's.

The door only counts, which costs the same whoever is named: a record of its own would tell by its
time who is known here. What the cache loses is missing here, and stands in the process log.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import redis
import structlog
from django.db import transaction

from apps.common import audit
from apps.common.redis_clients import cache_client

HOUR_S, PEOPLE_MAX = 3600, 1_000
NOBODY = 0  # Whose name a name is that nobody has.
_KEPT_HOURS = 3  # How late the task may be.
_FAILED, _TOLD = "users:failed:{}", "users:failed:{}:told"
_SUMMED, _TOGETHER = ":sum", "together"

log = structlog.get_logger("fairbook.users")


def count(*, user_id: int, purpose: str, at: float) -> None:
    """Count one failure of a person's, or of `NOBODY`. Costs the same for both."""
    key = _FAILED.format(_hour(at))
    client = cache_client(socket_connect_timeout=0.5, socket_timeout=1)
    try:
        with client.pipeline(transaction=False) as pipe:
            pipe.hincrby(key, f"{user_id}:{purpose}", 1)
            pipe.expire(key, _KEPT_HOURS * HOUR_S)
            pipe.execute()
    except (redis.RedisError, OSError) as error:
        log.warning("users.failed_tries.cache_away", reason=str(error)[:200])
    finally:
        client.close()


def record(*, at: float) -> int:
    """Write what is due into the audit log, and return how many records that took."""
    this = _hour(at)
    client = cache_client()
    try:
        written = sum(_record_hour(client, hour) for hour in range(this - _KEPT_HOURS + 1, this))
        return written + _record_firsts(client, this, _failures(client, this))
    finally:
        client.close()


def _record_hour(client: redis.Redis, hour: int) -> int:
    """Record what is left of an hour that is over, and forget it."""
    found = _failures(client, hour)
    written = _record_firsts(client, hour, found)
    told = _told(client, hour)
    together: list[int] = []
    for field, times in found.items():
        if field not in told:
            together.append(times)
        elif times > told[field]:
            written += _record(client, hour, field + _SUMMED, times=times, so_far=told[field])
    if together:
        written += _record(client, hour, _TOGETHER, times=sum(together), people=len(together))
    client.delete(_FAILED.format(hour))  # What was told stays a while: for a task that is slower.
    return written


def _record_firsts(client: redis.Redis, hour: int, found: dict[str, int]) -> int:
    told = _told(client, hour)
    new = [field for field in found if field not in told]
    room = max(0, PEOPLE_MAX - len(told))
    return sum(_record(client, hour, field, times=found[field]) for field in new[:room])


def _record(client: redis.Redis, hour: int, name: str, *, times: int, **more: int) -> int:
    """Write one record, once: of two tasks at a time, one claims it."""
    if not client.hsetnx(_TOLD.format(hour), name, times):
        return 0
    user, _, purpose = name.removesuffix(_SUMMED).partition(":")
    subject = f"user:{user}" if user not in (str(NOBODY), _TOGETHER) else "strangers"
    words = {"purpose": purpose} if purpose else {}
    try:
        with transaction.atomic():
            audit.record(
                "log_in.failed",
                subject=subject,
                actor="strangers",
                times=times,
                hour_began=hour * HOUR_S,
                **words,
                **more,
            )
    except BaseException:
        client.hdel(_TOLD.format(hour), name)
        raise
    client.expire(_TOLD.format(hour), _KEPT_HOURS * HOUR_S)
    return 1


def _failures(client: redis.Redis, hour: int) -> dict[str, int]:
    return dict(_numbers(client, _FAILED.format(hour)))


def _told(client: redis.Redis, hour: int) -> dict[str, int]:
    """Return how many failures each record of the hour told of, without its sums."""
    rows = _numbers(client, _TOLD.format(hour))
    return {name: number for name, number in rows if ":" in name and not name.endswith(_SUMMED)}


def _numbers(client: redis.Redis, key: str) -> Iterator[tuple[str, int]]:
    for name, number in cast("dict[bytes, bytes]", client.hgetall(key)).items():
        yield name.decode(), int(number)


def _hour(at: float) -> int:
    return int(at) // HOUR_S
