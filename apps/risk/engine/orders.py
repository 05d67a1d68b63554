"""What is open: markets as a partition knows them, and the orders it holds value for."""

import msgspec

from apps.common.kernel.ids import StreamId
from apps.journals.keys import worker_of_market
from apps.risk.contracts.replies import OrderResult
from apps.risk.engine.accounts import Account, Balance
from matching_worker.contracts.market import (
    BUY,
    MARKET,
    MarketSpec,
    MarketState,
    OrderKind,
    Side,
    TimeInForce,
)

Waiting = tuple[bytes, int]
"""Who waits for an order's first report: source and request."""


class Market:
    """A market's numbers, its book's last word, and the clearing balances of its trades here."""

    __slots__ = (
        "band_ppm",
        "base",
        "base_per_lot",
        "clearing_base",
        "clearing_quote",
        "maker_ppm",
        "max_lots",
        "min_lots",
        "min_notional",
        "orders_per_account_max",
        "peer",
        "quote",
        "quote_per_tick_lot",
        "reference_ticks",
        "spec",
        "state",
        "symbol",
        "taker_ppm",
    )

    def __init__(self, spec: MarketSpec) -> None:
        self.spec = spec
        self.symbol = spec.symbol
        self.peer = worker_of_market(spec.symbol)
        self.base = spec.base
        self.quote = spec.quote
        self.quote_per_tick_lot = spec.quote_per_tick_lot
        self.base_per_lot = spec.base_per_lot
        self.min_lots = spec.min_lots
        self.max_lots = spec.max_lots
        self.min_notional = spec.min_notional
        self.orders_per_account_max = spec.orders_per_account_max
        self.band_ppm = spec.band_ppm
        self.maker_ppm = spec.maker_ppm
        self.taker_ppm = spec.taker_ppm
        self.reference_ticks = 0  # 0: the book has not told one yet.
        self.state: MarketState | None = None  # None: the book has not told; it decides by itself.
        self.clearing_base = 0
        self.clearing_quote = 0


class Order(msgspec.Struct, gc=False, eq=False):
    """An open order and what is held for it. It ends with its one terminal report."""

    order_id: int
    version: int
    account: Account
    market: Market
    pays_from: Balance  # What the hold is on: quote for a buy, base for a sell.
    client_id: str
    side: Side
    kind: OrderKind
    time_in_force: TimeInForce
    post_only: bool
    price_ticks: int
    lots: int
    asked_budget: int  # The quote amount that was asked for, else 0.
    budget: int  # Market buys: what the book may spend; all of the first hold.
    command: StreamId
    seq: int
    at_ns: int
    held: int
    filled_lots: int = 0
    cum_quote: int = 0
    waiting: list[Waiting] = []
    first: OrderResult | None = None  # What the first report said, once it came.
    derived: bool = False  # The edge made the client id from the signed bytes.

    def hold_for_rest(self) -> int:
        """Return what the open rest may still cost."""
        if self.side != BUY:
            return (self.lots - self.filled_lots) * self.market.base_per_lot
        if self.kind == MARKET:
            return self.budget - self.cum_quote
        open_lots = self.lots - self.filled_lots
        return open_lots * self.price_ticks * self.market.quote_per_tick_lot
