"""What is open: markets as a partition knows them, and the orders it holds value for."""

from typing import Literal

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
from matching_worker.contracts.to_book import OrderExtras

Waiting = tuple[bytes, int]
"""Who waits for an order's first report: source and request."""

Part = Literal["all", "none", "lost", "own"]
"""What a leg of a pair bears. While both are open and none has traded: one the whole shared hold,
the other none of it. Once one has traded: it its own, the other is lost. Once one ended: its own.
"""


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


class Leg(msgspec.Struct, gc=False, eq=False):
    """An order's place in its pair (one cancels the other)."""

    other: int  # The other order's number,
    other_client_id: str  # and its client id.
    part: Part


class Amend(msgspec.Struct, frozen=True, gc=False):
    """An amend on its way to the book: who asked, and what the order is once it is done."""

    source: bytes
    request: int
    version: int
    lots: int


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
    extras: OrderExtras | None = None  # None: a plain order.
    is_set_off: bool = False  # It had a trigger, and works in the book now.
    leg: Leg | None = None  # None: it is no part of a pair.
    amend: Amend | None = None  # The one that the book has not answered yet.
    lots_asked: int = 0  # The size it was placed with, once an amend made it smaller. Else 0.

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for its trigger, beside the book."""
        return self.extras is not None and self.extras.trigger != "" and not self.is_set_off

    def hold_for_rest(self) -> int:
        """Return what the open rest may still cost by itself."""
        if self.side != BUY:
            return (self.lots - self.filled_lots) * self.market.base_per_lot
        if self.kind == MARKET:
            return self.budget - self.cum_quote
        open_lots = self.lots - self.filled_lots
        return open_lots * self.price_ticks * self.market.quote_per_tick_lot
