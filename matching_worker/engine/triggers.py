"""Orders that wait for a price, and which of them a price sets off.

Each fires when the price is at or above its trigger ("rising") or at or below it ("falling"): a
buy's stop and a sell's profit rise, the other two fall. Fixed triggers stand sorted, so that a
price that sets off nothing costs two comparisons. Trails move with the price and are looked at one
by one; their number is bounded.
"""

from collections.abc import Iterator

import msgspec
from sortedcontainers import SortedDict

from apps.common.kernel.invariants import ensure
from apps.common.kernel.money import PPM
from matching_worker.contracts.market import BUY, TriggerBy
from matching_worker.contracts.to_book import OrderExtras
from matching_worker.engine.orders import Order

SOURCES: tuple[TriggerBy, ...] = ("last", "mark")

Place = tuple[int, int]
"""Where a fixed trigger stands: its price (minus it if it falls), then its number."""


def extras_of(order: Order) -> OrderExtras:
    """Return a waiting order's extras: it has some, or it would not wait."""
    assert order.extras is not None
    return order.extras


def rises(order: Order) -> bool:
    """Say whether a high price sets the order off, not a low one."""
    return (order.terms.side == BUY) == (extras_of(order).trigger == "stop")


class _Waiting(msgspec.Struct, gc=False):
    """The orders that wait for prices of one source."""

    rising: SortedDict[Place, Order]
    falling: SortedDict[Place, Order]
    trails: dict[int, Order]  # By number: in the order they were placed.
    price: int = 0  # The newest of this source; 0: none yet.


class Triggers:
    """All waiting orders of a book by what sets them off."""

    __slots__ = ("counts", "last", "numbers", "sources", "trailing", "waiting")

    def __init__(self) -> None:
        self.numbers = 0  # Given so far: the order in which waiting orders were placed.
        self.waiting = 0
        self.trailing = 0
        self.counts: dict[int, int] = {}  # Waiting orders per account.
        self.sources = {source: _Waiting(SortedDict(), SortedDict(), {}) for source in SOURCES}
        self.last = self.sources["last"]

    def price_of(self, source: TriggerBy) -> int:
        """Return the newest price of a source, 0 before the first."""
        return self.sources[source].price

    def is_reached(self, order: Order, price: int) -> bool:
        """Say whether this price would set a fixed trigger off."""
        trigger = extras_of(order).trigger_ticks
        return price >= trigger if rises(order) else price <= trigger

    def add(self, order: Order) -> None:
        """Let an order wait, behind all others that wait."""
        self.numbers += 1
        order.number = self.numbers
        order.best = self.sources[extras_of(order).trigger_by].price
        self.put(order)

    def put(self, order: Order) -> None:
        """Enter a waiting order under the number and the best price that it has."""
        account = order.terms.account
        self.counts[account] = self.counts.get(account, 0) + 1
        self.waiting += 1
        if extras_of(order).trail_ppm:
            self.trailing += 1
        if not order.is_set_off:
            self._enter(order)

    def remove(self, order: Order) -> None:
        """Forget an order that waits no longer."""
        account = order.terms.account
        left = self.counts[account] - 1
        if left:
            self.counts[account] = left
        else:
            del self.counts[account]
        self.waiting -= 1
        if extras_of(order).trail_ppm:
            self.trailing -= 1
        if not order.is_set_off:
            self._leave(order)

    def see(self, source: TriggerBy, price: int) -> list[Order]:
        """Take note of a price. Returns what it sets off; `best` is then the price that did it."""
        waiting = self.sources[source]
        waiting.price = price
        fired: list[Order] = []
        rising, falling = waiting.rising, waiting.falling
        while rising and rising.peekitem(0)[0][0] <= price:
            fired.append(rising.popitem(0)[1])
        while falling and -falling.peekitem(0)[0][0] >= price:
            fired.append(falling.popitem(0)[1])
        if waiting.trails:
            fired += self._pull(waiting, price)
        for order in fired:
            order.is_set_off, order.best = True, price
        return fired

    def all(self) -> Iterator[Order]:
        """Go through the orders that a price may set off."""
        for waiting in self.sources.values():
            yield from waiting.rising.values()
            yield from waiting.falling.values()
            yield from waiting.trails.values()

    def check(self) -> None:
        """Claim that what waits stands where its trigger puts it."""
        ensure(sum(self.counts.values()) == self.waiting, "every waiting order has an owner")
        ensure(all(self.counts.values()), "no account without a waiting order is kept")
        for waiting in self.sources.values():
            for up, places in ((True, waiting.rising), (False, waiting.falling)):
                for place, order in places.items():
                    ensure(rises(order) == up, "a trigger stands on its side")
                    ensure(place == _place_of(order), "a trigger stands at its price")

    @staticmethod
    def _pull(waiting: _Waiting, price: int) -> list[Order]:
        """Move the trails' best with a price, and take out those that it sets off."""
        fired = []
        for order in waiting.trails.values():
            trail_ppm = extras_of(order).trail_ppm
            if rises(order):
                order.best = min(order.best or price, price)
                is_reached = price >= -(-order.best * (PPM + trail_ppm) // PPM)
            else:
                order.best = max(order.best, price)
                is_reached = price <= order.best * (PPM - trail_ppm) // PPM
            if is_reached:
                fired.append(order)
        for order in fired:
            del waiting.trails[order.number]
        return fired

    def _enter(self, order: Order) -> None:
        extras = extras_of(order)
        waiting = self.sources[extras.trigger_by]
        if extras.trail_ppm:
            waiting.trails[order.number] = order
        else:
            places = waiting.rising if rises(order) else waiting.falling
            places[_place_of(order)] = order

    def _leave(self, order: Order) -> None:
        extras = extras_of(order)
        waiting = self.sources[extras.trigger_by]
        if extras.trail_ppm:
            del waiting.trails[order.number]
        else:
            places = waiting.rising if rises(order) else waiting.falling
            del places[_place_of(order)]


def _place_of(order: Order) -> Place:
    trigger = extras_of(order).trigger_ticks
    return (trigger if rises(order) else -trigger), order.number
