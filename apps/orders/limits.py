"""How fast one may ask: the limits that exchangeInfo states, counted on `cache` in fixed windows.

Signed and logged-in requests count against their account, everything else against its address. One
round trip asks for all of it, and brings along whether the journals take orders. While the cache
does not answer, each process counts for itself: the limits hold per edge then.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec

from apps.common.config import config

MINUTE_S, TEN_S = 60, 10
COUNT = """
local used = {}
for i, key in ipairs(KEYS) do
  used[i] = redis.call('INCRBY', key, ARGV[2 * i - 1])
  if used[i] == tonumber(ARGV[2 * i - 1]) then redis.call('EXPIRE', key, ARGV[2 * i]) end
end
return used
"""


class Limits(msgspec.Struct, frozen=True, gc=False):
    """The published limits."""

    weight_1m: int
    orders_10s: int


def configured() -> Limits:
    """Return the limits of this exchange."""
    return Limits(
        weight_1m=config.integer("FAIRBOOK_RATE_WEIGHT_1M"),
        orders_10s=config.integer("FAIRBOOK_RATE_ORDERS_10S"),
    )


class Spend(msgspec.Struct, frozen=True, gc=False):
    """What one request costs, and whom."""

    who: str  # "a:<account>" or "ip:<address>".
    weight: int
    orders: int = 0

    def call(self, now_s: float) -> tuple[list[str], list[int]]:
        """Return the keys and arguments of `COUNT`."""
        minute, ten = int(now_s) // MINUTE_S, int(now_s) // TEN_S
        keys, arguments = [f"rate:w:{self.who}:{minute}"], [self.weight, MINUTE_S + 5]
        if self.orders:
            keys.append(f"rate:o:{self.who}:{ten}")
            arguments += [self.orders, TEN_S + 5]
        return keys, arguments


class Used(msgspec.Struct, frozen=True, gc=False):
    """What was used up in the current windows, this request included."""

    weight: int
    orders: int | None = None

    def headers(self) -> dict[str, str]:
        """Return what the dialect tells its clients."""
        told = {"X-MBX-USED-WEIGHT-1M": str(self.weight), "X-MBX-USED-WEIGHT": str(self.weight)}
        if self.orders is not None:
            told["X-MBX-ORDER-COUNT-10S"] = str(self.orders)
        return told


def used_of(answer: list[Any]) -> Used:
    """Read the answer of `COUNT`."""
    return Used(int(answer[0]), int(answer[1]) if len(answer) > 1 else None)


def wait_s(window_s: int, now_s: float) -> int:
    """Return how long until a window ends, in whole seconds, at least one."""
    return window_s - int(now_s) % window_s


class LocalCounter:
    """Counts in this process alone, while the cache does not answer."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._counts: dict[str, int] = {}
        self._minute = 0

    def spend(self, spend: Spend) -> Used:
        """Count one request."""
        now_s = self._clock()
        if int(now_s) // MINUTE_S != self._minute:
            self._minute = int(now_s) // MINUTE_S
            self._counts.clear()
        keys, arguments = spend.call(now_s)
        for key, amount in zip(keys, arguments[::2], strict=True):
            self._counts[key] = self._counts.get(key, 0) + amount
        return used_of([self._counts[key] for key in keys])
