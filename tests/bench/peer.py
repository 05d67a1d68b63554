"""One public order book on the bench's flow: `python peer.py <name> <flow.json>`.

Runs in the peers' own virtual environment (see `bench_peers`), so it imports nothing of ours. What
a book takes is made before the clock starts, as our commands are decoded before; only its calls are
timed. A book that can tell of its trades one by one is asked to, as ours does.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from pathlib import Path


class OrderlyChaos:
    """A C++ core, called through ctypes."""

    def __init__(self):
        from orderly_chaos import LimitOrderBook, Side
        from orderly_chaos.errors import UnknownOrderIdError

        self._trades = []
        self._book, self._gone = LimitOrderBook(on_trade=self._trades.append), UnknownOrderIdError
        self._sides = {True: Side.BUY, False: Side.SELL}

    def made(self, orders):
        return [(self._sides[buys], number, lots, price) for number, buys, price, lots in orders]

    def named(self, numbers):
        return numbers

    def run(self, orders, cancels):
        limit, cancel = self._book.limit, self._book.cancel
        for order in orders:
            limit(*order)
        for number in cancels:
            try:  # noqa: SIM105 - a context a cancel would be felt.
                cancel(number)
            except self._gone:
                pass

    def traded(self):
        return sum(trade.quantity for trade in self._trades)


class WithOrderObjects:
    """Books that take order objects, number them, and log their trades."""

    def __init__(self, module):
        self._order, self._side, self._book = module.Order, module.OrderSide, module.OrderBook()
        self._ids, self._takers, self._lots = {}, [], {}

    def made(self, orders):
        made = []
        for number, buys, price, lots in orders:
            side = self._side.BID if buys else self._side.ASK
            order = self._order(side=side, price=price, original_quantity=lots)
            self._ids[number] = order.order_id
            made.append(order)
        self._takers += made
        return made

    def named(self, numbers):
        return [self._ids[number] for number in numbers]

    def run(self, orders, cancels):
        add, cancel = self._book.add_limit_order, self._book.cancel_order
        for order in orders:
            add(order)
        for order_id in cancels:
            cancel(order_id)

    def traded(self):
        both = sum(order.original_quantity - order.remaining_quantity for order in self._takers)
        return both // 2


def _cython_orderbook():
    import cython_orderbook

    return WithOrderObjects(cython_orderbook)


def _akhil4n_orderbook():
    import orderbook

    return WithOrderObjects(orderbook)


BOOKS = {
    "orderly_chaos": OrderlyChaos,
    "cython_orderbook": _cython_orderbook,
    "akhil4n_orderbook": _akhil4n_orderbook,
}


def main(name: str, path: str) -> None:
    """Live through the flow, and print commands per second and the lots that traded."""
    flow = json.loads(Path(path).read_text())
    book = BOOKS[name]()
    book.run(book.made(flow["resting"]), [])
    spent, commands = 0.0, 0
    gc.collect()
    gc.freeze()
    gc.disable()
    for orders, cancels in flow["batches"]:
        made, named = book.made(orders), book.named(cancels)
        started = time.perf_counter()
        book.run(made, named)
        spent += time.perf_counter() - started
        commands += len(made) + len(named)
    print(json.dumps({"commands_per_s": round(commands / spent), "traded": book.traded()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
