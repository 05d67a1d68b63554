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

    def counts(self, now_s: float) -> list[tuple[str, int, int]]:
        """Return what to count: (key of the window, how much, how long to keep it)."""
        found = [(f"rate:w:{self.who}:{int(now_s) // MINUTE_S}", self.weight, MINUTE_S + 5)]
        if self.orders:
            found.append((f"rate:o:{self.who}:{int(now_s) // TEN_S}", self.orders, TEN_S + 5))
        return found

    def queue(self, pipe: Any, now_s: float) -> int:
        """Put the counting into a pipeline; return how many answers of it `used_of` reads."""
        counts = self.counts(now_s)
        for key, amount, keep_s in counts:
            pipe.incrby(key, amount)
            pipe.expire(key, keep_s)
        return 2 * len(counts)


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


def used_of(answers: list[Any]) -> Used:
    """Read the answers that `Spend.queue` asked for."""
    return Used(int(answers[0]), int(answers[2]) if len(answers) > 2 else None)


def wait_s(window_s: int, now_s: float) -> int:
    """Return how long until a window ends, in whole seconds, at least one."""
    return window_s - int(now_s) % window_s


class LocalCounter:
    """Counts in this process alone, while the cache does not answer."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._counts: dict[str, int] = {}
        self._seen: tuple[set[str], set[str]] = (set(), set())  # This minute's, and the last's.
        self._minute = 0

    def _turn(self) -> float:
        now_s = self._clock()
        if int(now_s) // MINUTE_S != self._minute:
            self._minute = int(now_s) // MINUTE_S
            self._counts.clear()
            self._seen = (set(), self._seen[0])
        return now_s

    def is_first(self, name: str) -> bool:
        """Say whether a name is new here, since a minute ago at least."""
        self._turn()
        if any(name in seen for seen in self._seen):
            return False
        self._seen[0].add(name)
        return True

    def spend(self, spend: Spend) -> Used:
        """Count one request."""
        now_s = self._turn()
        counts = spend.counts(now_s)
        for key, amount, _ in counts:
            self._counts[key] = self._counts.get(key, 0) + amount
        weight, *orders = (self._counts[key] for key, _, _ in counts)
        return Used(weight, orders[0] if orders else None)
