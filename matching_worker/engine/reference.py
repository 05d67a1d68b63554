"""The reference price: the mean of the last minutes' trades, and the band around it.

The band moves only when a reference is published, so whoever follows the market knows the band that
the next order meets.
"""

from collections import deque
from collections.abc import Sequence

from apps.common.kernel.invariants import ensure
from apps.common.kernel.money import PPM
from matching_worker.contracts.from_book import Execution
from matching_worker.contracts.market import MarketSpec
from matching_worker.engine.limits import SECOND_NS, Limits


class Reference:
    """Trades by the second of header time, what was last published, and the band it makes."""

    __slots__ = (
        "band_ppm",
        "count",
        "fallback",
        "high",
        "low",
        "pace_ns",
        "published",
        "published_ns",
        "seconds",
        "total",
        "window_s",
    )

    def __init__(self, spec: MarketSpec, limits: Limits) -> None:
        self.band_ppm = spec.band_ppm
        self.window_s = limits.reference_window_s
        self.pace_ns = limits.reference_pace_ns
        self.seconds: deque[list[int]] = deque()  # [second, sum of prices, trades], oldest first.
        self.total = 0
        self.count = 0
        self.fallback = (
            spec.reference_ticks
        )  # The last trade's price or the oracle's, what is newer.
        self.publish(at_ns=0)

    def note(self, executions: Sequence[Execution], at_ns: int) -> None:
        """Count one command's trades."""
        total = 0
        for execution in executions:
            total += execution.price_ticks
        second = at_ns // SECOND_NS
        if not self.seconds or self.seconds[-1][0] != second:
            self.seconds.append([second, 0, 0])
        newest = self.seconds[-1]
        newest[1] += total
        newest[2] += len(executions)
        self.total += total
        self.count += len(executions)
        self.fallback = executions[-1].price_ticks

    def age(self, at_ns: int) -> None:
        """Let go of the trades that left the window."""
        oldest_kept = at_ns // SECOND_NS - self.window_s + 1
        while self.seconds and self.seconds[0][0] < oldest_kept:
            _, total, count = self.seconds.popleft()
            self.total -= total
            self.count -= count

    def ticks(self) -> int:
        """Return the mean price of the window's trades (rounded down), else the newest price."""
        return self.total // self.count if self.count else self.fallback

    def publish(self, at_ns: int) -> None:
        """Make the price now the published one, and the band that around it, edges included."""
        self.published = self.ticks()
        self.published_ns = at_ns
        self.low = -(-self.published * (PPM - self.band_ppm) // PPM)
        self.high = self.published * (PPM + self.band_ppm) // PPM

    def publish_due(self, at_ns: int) -> bool:
        """Say whether the reference changed, and its last publication is long enough ago."""
        return at_ns >= self.published_ns + self.pace_ns and self.ticks() != self.published

    def due_ns(self) -> int | None:
        """Return when the reference may have to be published next, or None."""
        if self.ticks() != self.published:
            return self.published_ns + self.pace_ns
        return (self.seconds[0][0] + self.window_s) * SECOND_NS if self.seconds else None

    def dump(self) -> object:
        """Return the state as plain lists."""
        seconds = [list(second) for second in self.seconds]
        return [seconds, self.fallback, self.published, self.published_ns, self.low, self.high]

    def load(self, state: list) -> None:  # type: ignore[type-arg]
        """Take a dumped state's place."""
        seconds, self.fallback, self.published, self.published_ns, self.low, self.high = state
        self.seconds = deque(list(second) for second in seconds)
        self.total = sum(second[1] for second in self.seconds)
        self.count = sum(second[2] for second in self.seconds)

    def check(self) -> None:
        """Claim that the sums are the sums, and the band lies around the reference."""
        ensure(self.total == sum(second[1] for second in self.seconds), "the prices' sum is right")
        ensure(self.count == sum(second[2] for second in self.seconds), "so is the trades' number")
        ensure(len(self.seconds) <= self.window_s, "one bucket a second, inside the window")
        ensure(self.low <= self.published <= self.high, "a reference lies inside its band")
