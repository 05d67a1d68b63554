"""Market data on `cache`: the keys, the values, and how the process writes them.

`selectors.py` and `feeds.py` read them. Everything here can be written again at any moment from the
process's memory, which is how a restarted cache is filled.
"""

from typing import Any

import msgspec

from apps.marketdata.candles import Candle, RollingDay
from apps.marketdata.dialect import Numbers
from apps.marketdata.view import TRADES_KEPT, MarketView, Print
from matching_worker.contracts.market import MarketSpec

READY = "md:ready"
SYMBOLS = "md:symbols"  # Set of dialect symbols.
DEPTH_LEVELS = 5_000
SMALL_BOOK_LEVELS = 600  # Up to here the snapshot is written with every read of the log.


def spec_key(symbol: str) -> str:
    """The market's specification, from its book's genesis."""
    return f"md:{symbol}:spec"


def depth_key(symbol: str) -> str:
    """The best levels of both sides, as of a book's sequence number."""
    return f"md:{symbol}:depth"


def top_key(symbol: str) -> str:
    """Best prices, last price, and the market's state."""
    return f"md:{symbol}:top"


def trades_key(symbol: str) -> str:
    """List of the newest trades, oldest first."""
    return f"md:{symbol}:trades"


def ticker_key(symbol: str) -> str:
    """The rolling 24 hours."""
    return f"md:{symbol}:ticker"


def minutes_key(symbol: str) -> str:
    """Hash: opening time → candle, of those minutes of the last 25 hours that had trades."""
    return f"md:{symbol}:candles:1m"


class DepthNow(msgspec.Struct, array_like=True, gc=False):
    """A snapshot of the book. Depth events go on from `update_id`."""

    update_id: int
    seq: int
    at_ns: int
    hash: bytes
    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]


class Top(msgspec.Struct, array_like=True, gc=False):
    """What changes with every trade or best price. Zero where there is none."""

    update_id: int
    at_ns: int
    state: str
    bid: int
    bid_lots: int
    ask: int
    ask_lots: int
    last: int
    last_lots: int


encode = msgspec.msgpack.Encoder().encode
decode_spec = msgspec.msgpack.Decoder(MarketSpec).decode
decode_depth = msgspec.msgpack.Decoder(DepthNow).decode
decode_top = msgspec.msgpack.Decoder(Top).decode
decode_print = msgspec.msgpack.Decoder(Print).decode
decode_day = msgspec.msgpack.Decoder(RollingDay).decode
decode_candle = msgspec.msgpack.Decoder(Candle).decode


class MarketWriter:
    """Puts what changed in one market on a pipeline."""

    def __init__(self, view: MarketView) -> None:
        self.view = view
        self.numbers = Numbers(view.spec)
        self.symbol = self.numbers.symbol
        self._depth_at = -1
        self._top_at = (-1, "")
        self._minutes: set[int] = set()

    def everything(self, pipe: Any, day: RollingDay) -> None:
        """Write all there is, over whatever is there."""
        view, symbol = self.view, self.symbol
        pipe.set(spec_key(symbol), encode(view.spec))
        pipe.delete(trades_key(symbol), minutes_key(symbol))
        if view.tape:
            pipe.rpush(trades_key(symbol), *map(encode, view.tape))
        self._write_minutes(pipe, list(view.candles.minutes))
        self._write_depth(pipe)
        self._write_top(pipe)
        self.ticker(pipe, day)
        pipe.sadd(SYMBOLS, symbol)

    def at_once(self, pipe: Any, fresh: list[Print], touched: list[int]) -> None:
        """Write what a read of the log changed. The snapshot of a large book waits for its pace."""
        if fresh:
            pipe.rpush(trades_key(self.symbol), *map(encode, fresh))
            pipe.ltrim(trades_key(self.symbol), -TRADES_KEPT, -1)
            self._write_minutes(pipe, touched)
            if dropped := self.view.candles.take_dropped():
                pipe.hdel(minutes_key(self.symbol), *map(str, dropped))
        if (self.view.update_id, self.view.state) != self._top_at:  # A pause ends by itself.
            self._write_top(pipe)
        if self.view.depth.size() <= SMALL_BOOK_LEVELS:
            self.depth(pipe)

    def depth(self, pipe: Any) -> None:
        """Write the snapshot of the book, if it is another one."""
        if self.view.batch != self._depth_at:
            self._write_depth(pipe)

    def ticker(self, pipe: Any, day: RollingDay) -> None:
        """Write the rolling day."""
        pipe.set(ticker_key(self.symbol), encode(day))

    def _write_depth(self, pipe: Any) -> None:
        view = self.view
        self._depth_at = view.batch
        now = DepthNow(
            view.update_id,
            view.seq,
            view.at_ns,
            view.hash,
            view.depth.best_bids(DEPTH_LEVELS),
            view.depth.best_asks(DEPTH_LEVELS),
        )
        pipe.set(depth_key(self.symbol), encode(now))

    def _write_top(self, pipe: Any) -> None:
        view = self.view
        self._top_at = (view.update_id, view.state)
        bids, asks = view.depth.best_bids(1), view.depth.best_asks(1)
        last_lots = view.tape[-1].lots if view.tape else 0
        top = Top(
            view.update_id,
            view.at_ns,
            view.state,
            *(bids[0] if bids else (0, 0)),
            *(asks[0] if asks else (0, 0)),
            view.candles.last_ticks,
            last_lots,
        )
        pipe.set(top_key(self.symbol), encode(top))

    def _write_minutes(self, pipe: Any, minutes: list[int]) -> None:
        kept = self.view.candles.minutes
        values = {str(minute): encode(kept[minute]) for minute in minutes if minute in kept}
        if values:
            pipe.hset(minutes_key(self.symbol), mapping=values)
