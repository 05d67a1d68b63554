"""The bounds of an order that is plainly fine, worked out whenever the market changes.

They are narrow: an order outside them may still be let in, but has to be asked one thing at a time.
"""

from matching_worker.contracts.market import MarketSpec, MarketState
from matching_worker.engine.reference import Reference

SHUT = (1, 0)  # No price lies between these.


class Gate:
    """Prices and sizes of limit orders that need no closer look."""

    __slots__ = (
        "high",
        "low",
        "max_lots",
        "min_lots",
        "orders_per_account",
        "orders_per_book",
    )

    def __init__(self) -> None:
        self.low, self.high = SHUT
        self.min_lots = self.max_lots = self.orders_per_account = self.orders_per_book = 0

    def move(self, spec: MarketSpec, reference: Reference, state: MarketState) -> None:
        """Take on the numbers of a market as it is now."""
        if state != "trading":
            self.low, self.high = SHUT
            return
        self.low, self.high = max(reference.low, 1), reference.high
        unit = self.low * spec.quote_per_tick_lot
        self.min_lots = max(spec.min_lots, -(-spec.min_notional // unit))  # At any price inside.
        self.max_lots = spec.max_lots
