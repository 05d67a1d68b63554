"""What the dialect's streams say of one market, each encoded once, at its pace. Pure.

`at_once` is said with every read of the log, `each_tenth` and `each_second` only when something
changed since. Depth events of one pace follow each other without a gap: an event's `U` is the `u`
before it plus one, `pu` is that `u`; `lastUpdateId` of the REST snapshot is the same number.
"""

from collections.abc import Iterator
from typing import Any

from apps.marketdata import intervals
from apps.marketdata.candles import Candle, RollingDay
from apps.marketdata.depth import Diff, checksum
from apps.marketdata.dialect import Numbers, as_json, ms, percent
from apps.marketdata.view import MarketView, Print, levels_of

Event = tuple[str, str]  # Stream, text.
PARTIAL_LEVELS = (5, 10, 20)
DEPTH_REAL_TIME, DEPTH_TENTH, DEPTH_SECOND = "depth0", "depth100", "depth"
CLOSING_GRACE_MS = (
    300  # A candle is closed this long after its end: its last trades are on the way.
)


class MarketStreams:
    """Knows what each stream of one market has said, and says what is new."""

    def __init__(self, view: MarketView) -> None:
        self.view = view
        self._diffs = {
            name: Diff(view.update_id) for name in (DEPTH_REAL_TIME, DEPTH_TENTH, DEPTH_SECOND)
        }
        view.depth.diffs = list(self._diffs.values())
        self._partials = {pace: Diff(view.update_id) for pace in ("tenth", "second")}
        view.depth.diffs += self._partials.values()
        self._top: tuple[Any, ...] = ()
        self._day_at = 0
        self._traded = True
        self.day: RollingDay = view.day(ms(view.at_ns))

    @property
    def has_news(self) -> bool:
        """Whether the next tenth of a second has something to say."""
        update_id = self.view.update_id
        return self._diffs[DEPTH_TENTH].has_news(update_id) or self._partials["tenth"].has_news(
            update_id
        )

    def at_once(self) -> Iterator[Event]:
        """Say what must not wait: trades, real-time depth, best prices."""
        fresh, self.view.fresh = self.view.fresh, []
        self._traded = self._traded or bool(fresh)
        for printed in fresh:
            yield "trade", as_json(trade_event(printed, self.view.numbers))
        for prints in by_aggregate(fresh):
            yield "aggTrade", as_json(aggregate_event(prints, self.view.numbers))
        yield from self._depth(DEPTH_REAL_TIME)
        top = (self.view.depth.best_bids(1), self.view.depth.best_asks(1))
        if top != self._top:
            self._top = top
            yield "bookTicker", as_json(book_ticker_event(self.view))

    def each_tenth(self) -> Iterator[Event]:
        """Say what changed in 100 ms."""
        yield from self._depth(DEPTH_TENTH)
        yield from self._partial("tenth", "_100")

    def each_second(self, now_ms: int) -> Iterator[Event]:
        """Say what changed in a second, and close the candles whose time is over."""
        yield from self._depth(DEPTH_SECOND)
        yield from self._partial("second", "")
        traded, self._traded = self._traded, False
        minute = intervals.opening("1m", now_ms)
        if traded or minute != self._day_at:
            self._day_at = minute
            self.day = self.view.day(now_ms)
            yield "ticker", as_json(ticker_event(self.view, self.day, now_ms))
            yield "miniTicker", as_json(mini_ticker_event(self.view, self.day, now_ms))
        for interval in intervals.INTERVALS:
            yield from self._kline(interval, now_ms, traded)

    def _kline(self, interval: str, now_ms: int, traded: bool) -> Iterator[Event]:
        name, numbers = f"kline_{interval}", self.view.numbers
        closed = self.view.candles.roll(interval, now_ms - CLOSING_GRACE_MS)
        if closed is not None:
            yield name, as_json(kline_event(closed, interval, numbers, now_ms, closed=True))
        current = self.view.candles.now.get(interval)
        if current is not None and (traded or closed is not None):
            yield name, as_json(kline_event(current, interval, numbers, now_ms, closed=False))

    def _depth(self, name: str) -> Iterator[Event]:
        diff = self._diffs[name]
        if diff.has_news(self.view.update_id):
            yield name, as_json(depth_event(self.view, diff))

    def _partial(self, pace: str, suffix: str) -> Iterator[Event]:
        diff, view = self._partials[pace], self.view
        if not diff.has_news(view.update_id):
            return
        diff.take(view.depth, view.update_id)
        for count in PARTIAL_LEVELS:
            text = as_json({"lastUpdateId": view.update_id, **levels_of(view, count)})
            yield f"depth{count}l{suffix}", text


def by_aggregate(prints: list[Print]) -> Iterator[list[Print]]:
    """Group a tape into runs of one taker at one price."""
    run: list[Print] = []
    for printed in prints:
        if run and run[-1].aggregate != printed.aggregate:
            yield run
            run = []
        run.append(printed)
    if run:
        yield run


def receipt(view: MarketView) -> dict[str, Any]:
    """Name the batch that a market event stands on."""
    return {
        "engine": f"book:{view.spec.symbol}",
        "engineSeq": view.seq,
        "journalHash": view.hash.hex(),
    }


def trade_event(printed: Print, numbers: Numbers) -> dict[str, Any]:
    """Write one trade."""
    return {
        "e": "trade",
        "E": ms(printed.at_ns),
        "s": numbers.symbol,
        "t": printed.trade_id,
        "p": numbers.price(printed.ticks),
        "q": numbers.size(printed.lots),
        "T": ms(printed.at_ns),
        "m": not printed.taker_buys,
        "M": True,
        "engineSeq": printed.seq,
        "journalHash": printed.receipt.hex(),
    }


def aggregate_event(prints: list[Print], numbers: Numbers) -> dict[str, Any]:
    """Write the fills of one taker at one price as one."""
    first, last = prints[0], prints[-1]
    return {
        "e": "aggTrade",
        "E": ms(last.at_ns),
        "s": numbers.symbol,
        "a": first.aggregate,
        "p": numbers.price(first.ticks),
        "q": numbers.size(sum(printed.lots for printed in prints)),
        "f": first.trade_id,
        "l": last.trade_id,
        "T": ms(last.at_ns),
        "m": not first.taker_buys,
        "M": True,
    }


def depth_event(view: MarketView, diff: Diff) -> dict[str, Any]:
    """Write what changed in the book since the diff last spoke."""
    first, bids, asks = diff.take(view.depth, view.update_id)
    return {
        "e": "depthUpdate",
        "E": ms(view.at_ns),
        "s": view.numbers.symbol,
        "U": first,
        "u": view.update_id,
        "pu": first - 1,
        "b": view.numbers.levels(bids),
        "a": view.numbers.levels(asks),
        "checksum": checksum(view.depth, view.numbers),
        **receipt(view),
    }


def best(view: MarketView) -> dict[str, str]:
    """Write the best prices and sizes; zeros where a side is empty."""
    (bid, bid_lots), *_ = view.depth.best_bids(1) or [(0, 0)]
    (ask, ask_lots), *_ = view.depth.best_asks(1) or [(0, 0)]
    numbers = view.numbers
    return {
        "b": numbers.price(bid),
        "B": numbers.size(bid_lots),
        "a": numbers.price(ask),
        "A": numbers.size(ask_lots),
    }


def book_ticker_event(view: MarketView) -> dict[str, Any]:
    """Write the best prices."""
    return {"u": view.update_id, "s": view.numbers.symbol, **best(view)}


def ticker_event(view: MarketView, day: RollingDay, now_ms: int) -> dict[str, Any]:
    """Write the rolling day in full."""
    numbers = view.numbers
    change = day.last - day.open
    return {
        "e": "24hrTicker",
        "E": now_ms,
        "s": numbers.symbol,
        "p": numbers.price(change),
        "P": percent(change, day.open),
        "w": numbers.average_price(int(day.quote), day.lots),
        "x": numbers.price(day.open),
        "c": numbers.price(day.last),
        "Q": numbers.size(day.last_lots),
        **best(view),
        "o": numbers.price(day.open),
        "h": numbers.price(day.high),
        "l": numbers.price(day.low),
        "v": numbers.size(day.lots),
        "q": numbers.quote(int(day.quote)),
        "O": day.open_ms,
        "C": now_ms,
        "F": day.first_id,
        "L": day.last_id,
        "n": day.trades,
    }


def mini_ticker_event(view: MarketView, day: RollingDay, now_ms: int) -> dict[str, Any]:
    """Write the rolling day in short."""
    numbers = view.numbers
    return {
        "e": "24hrMiniTicker",
        "E": now_ms,
        "s": numbers.symbol,
        "c": numbers.price(day.last),
        "o": numbers.price(day.open),
        "h": numbers.price(day.high),
        "l": numbers.price(day.low),
        "v": numbers.size(day.lots),
        "q": numbers.quote(int(day.quote)),
    }


def kline_event(
    candle: Candle, interval: str, numbers: Numbers, now_ms: int, *, closed: bool
) -> dict[str, Any]:
    """Write a candle that changed, or its last word."""
    return {
        "e": "kline",
        "E": now_ms,
        "s": numbers.symbol,
        "k": {
            "t": candle.open_ms,
            "T": intervals.following(interval, candle.open_ms) - 1,
            "s": numbers.symbol,
            "i": interval,
            "f": candle.first_id,
            "L": candle.last_id,
            "o": numbers.price(candle.open),
            "c": numbers.price(candle.close),
            "h": numbers.price(candle.high),
            "l": numbers.price(candle.low),
            "v": numbers.size(candle.lots),
            "n": candle.trades,
            "x": closed,
            "q": numbers.quote(int(candle.quote)),
            "V": numbers.size(candle.taker_lots),
            "Q": numbers.quote(int(candle.taker_quote)),
            "B": "0",
        },
    }
