"""A book against the partitions that trade on it: the same orders, the same trades.

The two sides are compared where they have the same past: at the link frame of the book that the
partition has read last. A book's batch tells a partition of everything that happened to its orders,
so between two frames nothing of them changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from apps.common.kernel.ids import partition_of
from apps.journals.recorded import RecordedBatch
from apps.journals.replica import Replica
from apps.monitoring.findings import Findings
from apps.monitoring.walk import number_of
from apps.risk.contracts.events import FillBooked
from matching_worker.contracts.from_book import Trade

_MODULUS = 2**64
TAPE = 1_000


class OpenOrder(msgspec.Struct, frozen=True):
    """What both sides must agree on."""

    side: str
    price_ticks: int
    filled_lots: int
    open_lots: int


class Sides:
    """How many sides of trades one partition has in one market, and a sum over all of them."""

    def __init__(self) -> None:
        self.count = 0
        self.sum = 0

    def add(
        self, trade: int, order: int, account: int, price: int, lots: int, *, buys: bool
    ) -> None:
        """Count one side."""
        self.count += 1
        self.sum = (self.sum + hash((trade, order, account, price, lots, buys))) % _MODULUS


class PartitionView:
    """What one partition knows of one book, after a link frame of it."""

    def __init__(self, market: str, frame: int) -> None:
        self.market = market
        self.frame = frame
        self.orders: dict[int, OpenOrder] = {}
        self.sides: Sides | None = None  # None: not counted since genesis.


class FillCount:
    """Counts the sides of trades that a partition has booked, by market."""

    def __init__(self) -> None:
        self.by_market: dict[str, Sides] = {}

    def fold(self, events: Sequence[Any]) -> None:
        """Take one batch's events."""
        for event in events:
            if isinstance(event, FillBooked):
                self.by_market.setdefault(event.market, Sides()).add(
                    event.trade_id,
                    event.order_id,
                    event.account,
                    event.price_ticks,
                    event.lots,
                    buys=event.side == "B",
                )


def views_of(partition: Replica, fills: FillCount | None) -> dict[str, PartitionView]:
    """Return what a partition's replica knows of each book it is linked with, by book."""
    views = {
        peer: PartitionView(peer.removeprefix("book:"), frame)
        for peer, (frame, _) in partition.links.read.items()
        if peer.startswith("book:")
    }
    for view in views.values():
        if fills is not None:
            view.sides = fills.by_market.get(view.market, Sides())
    for order in partition.machine.orders.values():  # type: ignore[attr-defined]
        if order.first is None:
            continue  # On its way to the book.
        views[order.market.peer].orders[order.order_id] = OpenOrder(
            order.side, order.price_ticks, order.filled_lots, order.lots - order.filled_lots
        )
    return views


class BookWatch:
    """Follows a book, and compares it with each partition at that partition's link frame."""

    def __init__(self, book: Replica, views: dict[str, PartitionView], findings: Findings) -> None:
        self._book = book
        self._findings = findings
        self._views = {  # By partition: those that are still to be compared.
            partition: view
            for partition, view in views.items()
            if view.frame >= self._written_to(partition)  # Else the book was taken up later.
        }
        self._sides: dict[int, Sides] = {}
        self.trades = 0
        self.tape: dict[int, Trade] = {}  # The newest trades.
        self._compare_where_due()

    def fold(self, _batch: RecordedBatch, events: Sequence[Any]) -> None:
        """Take one batch of the book's log."""
        for event in events:
            if isinstance(event, Trade):
                self._count(event)
        self._compare_where_due()

    @property
    def waits(self) -> bool:
        """Whether a partition has read on: the book was not read to that frame yet."""
        return bool(self._views)

    def finish(self) -> None:
        """Claim that nobody read what was never written, and that the book is in order."""
        for partition, view in self._views.items():
            written = self._written_to(partition)
            if written < view.frame:
                book = self._book.worker
                what = f"{partition} read frame {view.frame} of {book}, which wrote {written}"
                self._findings.violated("I7", what)

    def _count(self, trade: Trade) -> None:
        self.trades += 1
        self.tape[trade.trade_id] = trade
        if len(self.tape) > TAPE:
            del self.tape[next(iter(self.tape))]
        for order, account, is_taker in (
            (trade.taker_order, trade.taker_account, True),
            (trade.maker_order, trade.maker_account, False),
        ):
            self._sides.setdefault(partition_of(account), Sides()).add(
                trade.trade_id,
                order,
                account,
                trade.price_ticks,
                trade.lots,
                buys=(trade.taker_side == "B") == is_taker,
            )

    def _written_to(self, partition: str) -> int:
        return self._book.links.written.get(partition, (0, b""))[0]

    def _compare_where_due(self) -> None:
        due = [name for name, v in self._views.items() if v.frame == self._written_to(name)]
        for partition in due:
            self._compare(partition, self._views.pop(partition))

    def _compare(self, partition: str, view: PartitionView) -> None:
        here = {
            order.terms.order_id: OpenOrder(
                order.terms.side, order.terms.price_ticks, order.filled_lots, order.open_lots
            )
            for order in self._book.machine.book.orders.values()  # type: ignore[attr-defined]
            if partition_of(order.terms.account) == number_of(partition)
        }
        for order_id in sorted(here.keys() | view.orders.keys()):
            book, risk = here.get(order_id), view.orders.get(order_id)
            what = f"order {order_id} of {view.market}: {book} in the book, {risk} at {partition}"
            self._findings.claim("I9", book == risk, what)
        if view.sides is not None:
            made = self._sides.get(number_of(partition), Sides())
            same = (made.count, made.sum) == (view.sides.count, view.sides.sum)
            what = (
                f"{view.market} made {made.count} sides of trades for {partition},"
                f" which booked {view.sides.count} (or others)"
            )
            self._findings.claim("I8", same, what)
