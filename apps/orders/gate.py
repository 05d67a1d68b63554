"""May this request go on? Limits, the state of the journals, and the lag of settlement.

All of it is asked of `cache` in one round trip per request. New orders stop when the journals are
under pressure, when nobody has said for 2 s how they are, or when settlement lags too far; cancels
and reads pass. While the cache itself does not answer, trading goes on with limits per process:
losing the cache must not stop the exchange, and the journal server's own limits still hold.
"""

from __future__ import annotations

import hashlib
import time

import msgspec
import redis
import redis.asyncio
import structlog

from apps.common.config import config
from apps.journals import pressure
from apps.ledger import lag
from apps.orders import limits
from apps.orders.contracts import Caller
from apps.orders.dialect import refusals

SILENCE_MAX_S = 2.0
AWAY_S = 0.5  # After a failure, so long is the cache not asked again.
TIMEOUT_S = 0.25
ONCE_KEPT_S = 65  # Longer than any window a signature can have.

# One command for all of it: a client library's cost is per command, and this is the hot path.
COUNT = """
local counted = tonumber(ARGV[1])
local told = {}
for i = 1, counted do
  told[i] = redis.call('INCRBY', KEYS[i], ARGV[2 * i])
  redis.call('EXPIRE', KEYS[i], ARGV[2 * i + 1])
end
if #KEYS > counted then
  told[counted + 1] = redis.call('GET', KEYS[counted + 1])
  told[counted + 2] = redis.call('HGETALL', KEYS[counted + 2])
  told[counted + 3] = redis.call('HGETALL', KEYS[counted + 3])
end
return told
"""
COUNT_SHA = hashlib.sha1(COUNT.encode(), usedforsecurity=False).hexdigest()  # As servers name it.
SIGNS = [pressure.KEY, lag.LAG, lag.AT]

log = structlog.get_logger("fairbook.edge")


class Sign(msgspec.Struct, frozen=True, gc=False):
    """What matters here of what the archiver says every 100 ms (`apps.journals.pressure`)."""

    refuse: bool = False
    reason: str = ""


_decode = msgspec.msgpack.Decoder(Sign).decode


def _pairs(flat: list[bytes]) -> dict[bytes, bytes]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


class Gate:
    """Counts, and looks at the signs, for one edge process."""

    def __init__(self, cache: redis.asyncio.Redis) -> None:
        self._cache = cache
        self._local = limits.LocalCounter()
        self._limits = limits.configured()
        self._lag_stop_s = config.integer("FAIRBOOK_SETTLEMENT_LAG_STOP_S")
        self._heard_at = time.monotonic()
        self._away_until = float("-inf")

    async def admit(self, spend: limits.Spend, *, is_new_order: bool = False) -> limits.Used:
        """Count a request; refuse what is over a limit, and orders the journals cannot take."""
        if time.monotonic() < self._away_until:
            used = self._local.spend(spend)
        else:
            try:
                used = await self._ask(spend, is_new_order=is_new_order)
            except (redis.ConnectionError, redis.TimeoutError, OSError) as error:
                self._away_until = time.monotonic() + AWAY_S
                self._heard_at = self._away_until
                log.warning("edge.cache.away", reason=str(error)[:200])
                used = self._local.spend(spend)
        self._check(used)
        return used

    async def _ask(self, spend: limits.Spend, *, is_new_order: bool) -> limits.Used:
        counts = spend.counts(time.time())
        keys = [key for key, _, _ in counts] + (SIGNS if is_new_order else [])
        arguments = [word for _, amount, keep_s in counts for word in (amount, keep_s)]
        words = (len(keys), *keys, len(counts), *arguments)
        try:
            answers = await self._cache.execute_command("EVALSHA", COUNT_SHA, *words)
        except redis.exceptions.NoScriptError:
            answers = await self._cache.execute_command("EVAL", COUNT, *words)
        weight, *orders = (int(used) for used in answers[: len(counts)])
        used = limits.Used(weight, orders[0] if orders else None)
        if is_new_order:
            self._check(used)  # Who is too fast hears so, whatever else is the matter.
            sign, lags, ats = answers[len(counts) :]
            self._check_signs(sign, _pairs(lags), _pairs(ats))
        return used

    async def is_first(self, caller: Caller) -> bool:
        """Whether these signed bytes are here for the first time (a repeat has no second effect).

        Only for what no engine can tell apart, a cancel of everything; a log-in's requests are not
        signed, and no one else can repeat them.
        """
        if not caller.key:
            return True
        name = hashlib.sha256(caller.key.encode() + b"\x00" + caller.signed).hexdigest()
        if not self._local.is_first(name):
            return False
        try:
            return bool(await self._cache.set(f"once:{name}", b"1", nx=True, ex=ONCE_KEPT_S))
        except (redis.ConnectionError, redis.TimeoutError, OSError):
            return True

    def _check(self, used: limits.Used) -> None:
        check(used, self._limits)

    def _check_signs(
        self, raw: bytes | None, lags: dict[bytes, bytes], ats: dict[bytes, bytes]
    ) -> None:
        now = time.monotonic()
        if raw is not None:
            self._heard_at = now
            sign = _decode(raw)
            if sign.refuse:
                raise refusals.not_now(f"New orders wait: {sign.reason}. Cancels pass.")
        elif now - self._heard_at > SILENCE_MAX_S:
            raise refusals.not_now("New orders wait: the journals are not watched. Cancels pass.")
        behind = lag.current(lags, ats, now=time.time())
        if max(behind.values(), default=0.0) > self._lag_stop_s:
            raise refusals.not_now("New orders wait: settlement is behind. Cancels pass.")


def check(used: limits.Used, most: limits.Limits) -> None:
    """Refuse what is over a limit, and say when to come again."""
    now_s = time.time()
    if used.weight > most.weight_1m:
        wait_s = limits.wait_s(limits.MINUTE_S, now_s)
        refusal = refusals.too_much_weight(most.weight_1m, wait_s)
    elif used.orders is not None and used.orders > most.orders_10s:
        wait_s = limits.wait_s(limits.TEN_S, now_s)
        refusal = refusals.too_many_new_orders(most.orders_10s, wait_s)
    else:
        return
    refusal.headers = used.headers()
    raise refusal


class ThreadGate:
    """The same counts, for views that run in threads. They place no orders."""

    def __init__(self, cache: redis.Redis) -> None:
        self._cache = cache
        self._local = limits.LocalCounter()
        self._limits = limits.configured()
        self._away_until = float("-inf")

    def admit(self, spend: limits.Spend, most: limits.Limits | None = None) -> limits.Used:
        """Count a request; refuse what is over a limit: the published one, unless told another."""
        used = None
        if time.monotonic() >= self._away_until:
            used = self._ask(spend)
        if used is None:
            used = self._local.spend(spend)
        check(used, most or self._limits)
        return used

    def _ask(self, spend: limits.Spend) -> limits.Used | None:
        try:
            with self._cache.pipeline(transaction=False) as pipe:
                spend.queue(pipe, time.time())
                return limits.used_of(pipe.execute())
        except (redis.ConnectionError, redis.TimeoutError, OSError):
            self._away_until = time.monotonic() + AWAY_S
            return None
