"""An order as a book keeps it, and the price level at which it stands."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from matching_worker.contracts.to_book import HeldOrder, OrderExtras

ANY_PRICE = 2**62  # A market order's limit: every real price is at or before it.
ANY_LOTS = 2**62  # What a market buy by budget alone still wants.


class Order(msgspec.Struct, gc=False, eq=False):
    """An order as it stands: its terms, and what became of it so far."""

    terms: HeldOrder
    open_lots: int
    filled_lots: int = 0
    cum_quote: int = 0  # Quote minor units of all its fills.
    level: Level | None = None  # Where it rests, and its neighbours there: right while it rests.
    older: Order | None = None
    newer: Order | None = None
    extras: OrderExtras | None = None  # None: a plain order.
    other: int = 0  # The other order of its pair, while both stand.
    number: int = 0  # While it waits for a price: its turn among those that wait.
    best: int = 0  # While it trails: the best price since it was placed, 0 if there was none.
    is_set_off: bool = False  # While it waits: a price set it off, and it has yet to act.

    @property
    def expires_ns(self) -> int:
        """Return the header time at which it is gone, 0 for never."""
        return 0 if self.extras is None else self.extras.expires_ns


class Level:
    """All orders at one price, oldest first."""

    __slots__ = ("first", "key", "last", "lots")

    def __init__(self, key: int, order: Order) -> None:
        self.key = key  # Of its side: the less, the better.
        self.first = self.last = order
        self.lots = order.open_lots

    def orders(self) -> Iterator[Order]:
        """Go through the orders, oldest first."""
        order: Order | None = self.first
        while order is not None:
            yield order
            order = order.newer
