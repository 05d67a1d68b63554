"""Candles and the rolling day, in whole ticks, lots and quote minor units. Pure."""

from collections.abc import Iterable, Iterator
from itertools import takewhile

import msgspec

from apps.common.kernel.money import Wide, wide
from apps.marketdata import intervals
from apps.marketdata.intervals import DAY_MS, MINUTE_MS

MINUTES_KEPT = 1_500  # 25 hours: the rolling day, and whole hours behind it.


class Candle(msgspec.Struct, array_like=True, gc=False):
    """What traded in one interval. Without trades it is flat, at the last price."""

    open_ms: int
    open: int
    high: int
    low: int
    close: int
    lots: int = 0
    quote: Wide = 0
    trades: int = 0
    taker_lots: int = 0  # Of takers that bought.
    taker_quote: Wide = 0
    first_id: int = -1
    last_id: int = -1

    def add(self, other: "Candle") -> None:
        """Take in a later candle (or trade) of the same interval."""
        if other.trades:
            self.first_id = self.first_id if self.trades else other.first_id
            if not self.trades:
                self.open = other.open
                self.high, self.low = other.high, other.low
            self.high, self.low = max(self.high, other.high), min(self.low, other.low)
            self.close, self.last_id = other.close, other.last_id
        self.lots += other.lots
        self.quote = wide(int(self.quote) + int(other.quote))
        self.trades += other.trades
        self.taker_lots += other.taker_lots
        self.taker_quote = wide(int(self.taker_quote) + int(other.taker_quote))


def copied(candle: Candle) -> Candle:
    """Return a candle that no longer changes with this one."""
    return msgspec.structs.replace(candle)


def flat(open_ms: int, ticks: int) -> Candle:
    """Return a candle without trades."""
    return Candle(open_ms, ticks, ticks, ticks, ticks)


def of_trade(
    *, at_ms: int, trade_id: int, ticks: int, lots: int, quote: int, taker_buys: bool
) -> Candle:
    """Return one trade as a candle, to be added to others."""
    bought = (lots, wide(quote)) if taker_buys else (0, 0)
    return Candle(
        at_ms, ticks, ticks, ticks, ticks, lots, wide(quote), 1, *bought, trade_id, trade_id
    )


def grouped(candles: Iterable[Candle], interval: str) -> Iterator[Candle]:
    """Join candles, oldest first, into those of a longer interval."""
    current: Candle | None = None
    for candle in candles:
        open_ms = intervals.opening(interval, candle.open_ms)
        if current is None or open_ms != current.open_ms:
            if current is not None:
                yield current
            current = flat(open_ms, candle.open)
        current.add(candle)
    if current is not None:
        yield current


def filled(
    candles: Iterable[Candle], interval: str, *, from_ms: int, until_ms: int
) -> Iterator[Candle]:
    """Add flat candles where nothing traded, from the first candle on. `until_ms` is inclusive."""
    last: Candle | None = None
    for candle in candles:
        if last is not None:
            yield from _flats(last, interval, from_ms, candle.open_ms - 1)
        if candle.open_ms >= from_ms:
            yield candle
        last = candle
    if last is not None:
        yield from _flats(last, interval, from_ms, until_ms)


def _flats(last: Candle, interval: str, from_ms: int, until_ms: int) -> Iterator[Candle]:
    open_ms = intervals.following(interval, last.open_ms)
    if open_ms < from_ms:
        open_ms = intervals.opening(interval, from_ms)
    while open_ms <= until_ms:
        if open_ms >= from_ms:
            yield flat(open_ms, last.close)
        open_ms = intervals.following(interval, open_ms)


class Candles:
    """The minutes of the last day, and the candle of each interval that is still open."""

    def __init__(self) -> None:
        self.minutes: dict[int, Candle] = {}  # Oldest first.
        self.hours: dict[int, Candle] = {}  # The same, of the last two days.
        self._now: dict[str, Candle] = {}
        self._recent: Candle | None = None  # Trades of one minute that `_now` does not hold yet.
        self.touched: set[int] = set()  # Minutes that changed since they were last taken.
        self.dropped: list[int] = []  # Minutes that were forgotten since then.
        self.last_ticks = 0

    def add(self, trade: Candle) -> None:
        """Take in one trade."""
        minute = _add_to(self.minutes, intervals.opening("1m", trade.open_ms), trade)
        self.touched.add(minute)
        self.dropped += _forget(self.minutes, minute - MINUTES_KEPT * MINUTE_MS)
        hour = _add_to(self.hours, intervals.opening("1h", trade.open_ms), trade)
        _forget(self.hours, hour - 2 * DAY_MS)
        if self._recent is None or self._recent.open_ms != minute:
            self._settle()
            self._recent = flat(minute, trade.open)
        self._recent.add(trade)
        self.last_ticks = trade.close

    @property
    def now(self) -> dict[str, Candle]:
        """The candle of each interval that is still open."""
        self._settle()
        return self._now

    @now.setter
    def now(self, candles: dict[str, Candle]) -> None:
        self._now, self._recent = candles, None

    def _settle(self) -> None:
        """Put the last trades into the candles of all intervals at once: no interval is shorter."""
        recent, self._recent = self._recent, None
        if recent is None:
            return
        for interval in intervals.INTERVALS:
            open_ms = intervals.opening(interval, recent.open_ms)
            current = self._now.get(interval)
            if current is None or current.open_ms < open_ms:
                current = self._now[interval] = flat(open_ms, recent.open)
            if current.open_ms == open_ms:  # A late trade changes only the minute it belongs to.
                current.add(recent)

    def take_touched(self) -> list[int]:
        """Return the minutes that changed since the last call."""
        touched, self.touched = sorted(self.touched), set()
        return touched

    def take_dropped(self) -> list[int]:
        """Return the minutes that were forgotten since the last call."""
        dropped, self.dropped = self.dropped, []
        return dropped

    def roll(self, interval: str, now_ms: int) -> Candle | None:
        """Close the interval's candle if its time is over, and return it; a flat one follows."""
        current = self.now.get(interval)
        if current is None or intervals.following(interval, current.open_ms) > now_ms:
            return None
        self.now[interval] = flat(intervals.opening(interval, now_ms), current.close)
        return current


def _add_to(kept: dict[int, Candle], open_ms: int, trade: Candle) -> int:
    if (candle := kept.get(open_ms)) is None:
        candle = kept[open_ms] = flat(open_ms, trade.open)
    candle.add(trade)
    return open_ms


def _forget(kept: dict[int, Candle], before_ms: int) -> list[int]:
    old = list(takewhile(lambda open_ms: open_ms < before_ms, kept))
    for open_ms in old:
        del kept[open_ms]
    return old


class RollingDay(msgspec.Struct, gc=False):
    """Sums over the minutes of the last 24 hours."""

    open_ms: int
    close_ms: int
    open: int = 0
    high: int = 0
    low: int = 0
    last: int = 0
    last_lots: int = 0
    lots: int = 0
    quote: Wide = 0
    trades: int = 0
    first_id: int = -1
    last_id: int = -1


def rolling_day(candles: Candles, *, last_lots: int, now_ms: int) -> RollingDay:
    """Sum the last 1,440 minutes afresh: a millisecond, once a second, and obviously right."""
    since = intervals.opening("1m", now_ms) - DAY_MS + MINUTE_MS
    total = flat(since, candles.last_ticks)
    for minute, candle in candles.minutes.items():
        if minute >= since:
            total.add(candle)
    return RollingDay(
        open_ms=since,
        close_ms=now_ms,
        open=total.open,
        high=total.high,
        low=total.low,
        last=candles.last_ticks,
        last_lots=last_lots,
        lots=total.lots,
        quote=total.quote,
        trades=total.trades,
        first_id=total.first_id,
        last_id=total.last_id,
    )
