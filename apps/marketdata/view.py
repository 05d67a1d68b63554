"""One market as its book's log tells it: depth, tape, candles. Pure, and savable."""

from collections import deque
from collections.abc import Iterable
from typing import Any

import msgspec

from apps.common.kernel.invariants import ensure
from apps.common.kernel.money import Wide, wide
from apps.journals.wire import Header
from apps.marketdata.candles import Candle, Candles, RollingDay, of_trade, rolling_day
from apps.marketdata.depth import Depth
from apps.marketdata.dialect import Numbers, ms
from matching_worker.contracts.from_book import (
    OrderAdded,
    OrderReduced,
    OrderRemoved,
    StateChanged,
    Trade,
)
from matching_worker.contracts.market import BUY, SELL, MarketSpec

TRADES_KEPT = 2_000
CHANGES_LEVELS = (OrderAdded, OrderReduced, OrderRemoved, Trade)


class Print(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """One trade on the tape. Fills of one taker at one price share an aggregate number."""

    trade_id: int
    aggregate: int
    ticks: int
    lots: int
    quote: Wide
    at_ns: int
    taker_buys: bool
    taker_order: int
    seq: int
    receipt: bytes


class Saved(msgspec.Struct):
    """All that a `MarketView` needs to go on after a batch."""

    spec: MarketSpec
    batch: int
    at_ns: int
    seq: int
    timed: int
    hash: bytes
    state: str
    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]
    tape: list[Print]
    aggregate: int
    minutes: list[Candle]
    hours: list[Candle]
    now: dict[str, Candle]
    last_ticks: int


class MarketView:
    """Folds one book's log."""

    def __init__(self, spec: MarketSpec) -> None:
        self.spec, self.numbers = spec, Numbers(spec)
        self.batch = self.at_ns = self.seq = 0
        self.timed = 0  # Batches without a command that changed levels: a long mass cancel's rest.
        self.hash = b""
        self.state = "pre_open"
        self.depth = Depth()
        self.tape: deque[Print] = deque(maxlen=TRADES_KEPT)
        self.fresh: list[Print] = []  # Trades since they were last taken.
        self.candles = Candles()
        self._aggregate = 0

    @property
    def update_id(self) -> int:
        """Number the book: its sequence, plus the changes that no command of its own made."""
        return self.seq + self.timed

    def apply(self, header: Header, receipt: bytes, events: Iterable[msgspec.Struct]) -> None:
        """Fold one batch: the next one, or nothing at all."""
        ensure(header.batch == self.batch + 1, "a log has no gap")
        changed = False
        for event in events:
            changed = changed or isinstance(event, CHANGES_LEVELS)
            match event:
                case OrderAdded():
                    self.depth.change(event.side, event.price_ticks, event.lots)
                case OrderRemoved() | OrderReduced():
                    self.depth.change(event.side, event.price_ticks, -event.lots)
                case Trade():
                    self._trade(event, header.at_ns, receipt)
                case StateChanged():
                    self.state = event.state
                case _:
                    pass  # What waits, never rested or was refused is no part of the depth.
        self.batch, self.at_ns, self.hash = header.batch, header.at_ns, receipt
        if changed and header.last_seq <= self.seq:
            self.timed += 1
        self.seq = max(self.seq, header.last_seq)

    def _trade(self, trade: Trade, at_ns: int, receipt: bytes) -> None:
        taker_buys = trade.taker_side == BUY
        if self.depth.is_crossed:  # An auction's: both orders rested, at prices of their own.
            self.depth.trade_best(trade.lots)
        else:
            self.depth.change(SELL if taker_buys else BUY, trade.price_ticks, -trade.lots)
        quote = trade.price_ticks * trade.lots * self.spec.quote_per_tick_lot
        last = self.tape[-1] if self.tape else None
        goes_on = last is not None and (last.taker_order, last.ticks, last.seq) == (
            trade.taker_order,
            trade.price_ticks,
            trade.seq,
        )
        self._aggregate += 0 if goes_on else 1
        printed = Print(
            trade.trade_id,
            self._aggregate,
            trade.price_ticks,
            trade.lots,
            wide(quote),
            at_ns,
            taker_buys,
            trade.taker_order,
            trade.seq,
            receipt,
        )
        self.tape.append(printed)
        self.fresh.append(printed)
        self.candles.add(
            of_trade(
                at_ms=ms(at_ns),
                trade_id=trade.trade_id,
                ticks=trade.price_ticks,
                lots=trade.lots,
                quote=quote,
                taker_buys=taker_buys,
            )
        )

    def day(self, now_ms: int) -> RollingDay:
        """Return the rolling 24 hours."""
        last_lots = self.tape[-1].lots if self.tape else 0
        return rolling_day(self.candles, last_lots=last_lots, now_ms=now_ms)

    def save(self) -> Saved:
        """Return all that the next run needs to go on from here."""
        return Saved(
            spec=self.spec,
            batch=self.batch,
            at_ns=self.at_ns,
            seq=self.seq,
            timed=self.timed,
            hash=self.hash,
            state=self.state,
            bids=list(self.depth.bids.items()),
            asks=list(self.depth.asks.items()),
            tape=list(self.tape),
            aggregate=self._aggregate,
            minutes=list(self.candles.minutes.values()),
            hours=list(self.candles.hours.values()),
            now=self.candles.now,
            last_ticks=self.candles.last_ticks,
        )


def restored(saved: Saved) -> MarketView:
    """Return the view whose `save` this was."""
    view = MarketView(saved.spec)
    view.batch, view.at_ns, view.seq, view.timed = saved.batch, saved.at_ns, saved.seq, saved.timed
    view.hash, view.state = saved.hash, saved.state
    view.depth.bids.update(saved.bids)
    view.depth.asks.update(saved.asks)
    view.tape.extend(saved.tape)
    view._aggregate = saved.aggregate  # noqa: SLF001 - the other half of `save`
    view.candles.minutes = {candle.open_ms: candle for candle in saved.minutes}
    view.candles.hours = {candle.open_ms: candle for candle in saved.hours}
    view.candles.now = saved.now
    view.candles.last_ticks = saved.last_ticks
    return view


def levels_of(view: MarketView, count: int) -> dict[str, Any]:
    """Return the best levels as the dialect's snapshot writes them."""
    return {
        "bids": view.numbers.levels(view.depth.best_bids(count)),
        "asks": view.numbers.levels(view.depth.best_asks(count)),
    }
