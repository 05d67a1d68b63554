"""The book alone, in memory: how many commands a second it decides, and how long one takes.

50,000 orders rest; of what comes 50 % rest, too, 15 % cross the spread and 35 % cancel. Commands
are decoded just before they are applied, as in a worker; only what the book does is timed.
The figures are the pure way's, but for the one that says compiled.

    python -m tests.bench.bench_book
"""

from __future__ import annotations

import gc
import random
import time

import msgspec

from apps.journals.contracts import LinkAdd
from apps.journals.machine import Input, Origin, Outputs
from matching_worker.contracts.market import MarketSpec, MarketStateSet, Side
from matching_worker.contracts.to_book import CancelOrders, HeldOrder, MarketDefine
from matching_worker.engine import BookMachine
from matching_worker.engine.ways import PURE, Way, compiled
from tests.bench.figures import Figures, median_of, percentile

RESTING = 50_000
COMMANDS = 150_000
ONE_BY_ONE = 20_000
BATCH = 500
RUNS = 5
MIDDLE = 1_000_000  # Ticks.
NEVER = 2**62

SPEC = MarketSpec(
    symbol="BTC-USDT",
    base="BTC",
    quote="USDT",
    base_decimals=8,
    quote_decimals=8,
    price_decimals=2,
    size_decimals=5,
    quote_per_tick_lot=10,
    base_per_lot=1_000,
    min_lots=1,
    max_lots=1_000_000,
    min_notional=1,
    reference_ticks=MIDDLE,
)
FROM_RISK = Origin(Input.LINK, (1, 0), b"", "risk:0", (NEVER, 0), bytes(32))
FROM_EDGE = Origin(Input.CANCELS, (1, 0), bytes(8), "", (0, 0), b"")
OPERATOR = Origin(Input.COMMANDS, (1, 0), bytes(8), "", (0, 0), b"")

encode = msgspec.msgpack.encode
decode_orders = msgspec.msgpack.Decoder(list[HeldOrder]).decode
decode_cancels = msgspec.msgpack.Decoder(list[CancelOrders]).decode


class Flow:
    """Makes commands like those of a busy market. The seed is fixed: every run sees the same."""

    def __init__(self) -> None:
        self.dice = random.Random(1)
        self.orders = 0
        self.standing: list[tuple[int, int]] = []

    def passive(self) -> HeldOrder:
        """Make an order that rests, mostly near the middle."""
        side: Side = self.dice.choice(("B", "S"))
        away = 1 + int(self.dice.expovariate(1 / 300))
        order = self._order(
            side, MIDDLE - away if side == "B" else MIDDLE + away, accounts=(1, 2_000)
        )
        self.standing.append((order.order_id, order.account))
        return order

    def crossing(self) -> HeldOrder:
        """Make an order that trades with the best of the other side."""
        side: Side = self.dice.choice(("B", "S"))
        return self._order(
            side, MIDDLE + (5_000 if side == "B" else -5_000), accounts=(3_000, 5_000)
        )

    def cancel(self) -> CancelOrders:
        """Cancel an order at random. Some have traded by then."""
        chosen = self.dice.randrange(len(self.standing))
        self.standing[chosen], self.standing[-1] = self.standing[-1], self.standing[chosen]
        order_id, account = self.standing.pop()
        return CancelOrders(1, account, order_id, "", (1, 0), NEVER)

    def batch(self, commands: int) -> tuple[bytes, bytes]:
        """Return encoded orders and cancels."""
        luck = [self.dice.random() for _ in range(commands)]
        cancels = [self.cancel() for _ in range(sum(number >= 0.65 for number in luck))]
        orders = [
            self.passive() if number < 0.50 else self.crossing() for number in luck if number < 0.65
        ]
        return encode(orders), encode(cancels)

    def _order(self, side: Side, price: int, *, accounts: tuple[int, int]) -> HeldOrder:
        self.orders += 1
        account = self.dice.randrange(*accounts) * 1_024
        lots = self.dice.randrange(1, 100)
        terms = (side, "L", "GTC", False, price, lots, 0, NEVER, (self.orders, 0))
        return HeldOrder(self.orders * 1_024, 1, account, f"c{self.orders}", *terms)


def empty_book(way: Way = PURE) -> BookMachine:
    """Return a trading market in which nothing rests."""
    book = BookMachine(way=way)
    book.configure([MarketDefine(SPEC), LinkAdd("risk:0")])
    book.set_rules(2)
    book.apply(OPERATOR, [MarketStateSet("trading", "bench")], 1, Outputs())
    return book


def opened_book(flow: Flow, way: Way = PURE) -> BookMachine:
    """Return a trading market in which orders rest."""
    book = empty_book(way)
    for _ in range(RESTING // BATCH):
        book.apply(FROM_RISK, [flow.passive() for _ in range(BATCH)], 1, Outputs())
    return book


def run_once(way: Way = PURE) -> Figures:
    """Measure one flow: first whole batches, then commands one by one."""
    flow = Flow()
    book = opened_book(flow, way)
    batches = [flow.batch(BATCH) for _ in range(COMMANDS // BATCH)]
    singles = [flow.batch(BATCH) for _ in range(ONE_BY_ONE // BATCH)]
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        rate = _commands_per_second(book, batches)
        took_us = _each_command_us(book, singles)
    finally:
        gc.enable()
        gc.unfreeze()
    book.check()
    return {
        "book.commands_per_s": round(rate),
        "book.p50_us": round(percentile(took_us, 0.50), 2),
        "book.p99_us": round(percentile(took_us, 0.99), 2),
    }


def _commands_per_second(book: BookMachine, batches: list[tuple[bytes, bytes]]) -> float:
    spent = 0.0
    for number, (orders, cancels) in enumerate(batches, start=1):
        held, named, at_ns = decode_orders(orders), decode_cancels(cancels), number * 5_000_000
        started = time.perf_counter()
        out = Outputs()
        book.begin(at_ns, out)
        book.apply(FROM_RISK, held, at_ns, out)
        book.apply(FROM_EDGE, named, at_ns, out)
        book.end(at_ns, (0, 0), out)
        spent += time.perf_counter() - started
    return len(batches) * BATCH / spent


def _each_command_us(book: BookMachine, batches: list[tuple[bytes, bytes]]) -> list[float]:
    took_us = []
    at_ns = book.at_ns
    for orders, cancels in batches:
        held = [(FROM_RISK, [order]) for order in decode_orders(orders)]
        named = [(FROM_EDGE, [cancel]) for cancel in decode_cancels(cancels)]
        out = Outputs()
        for origin, command in held + named:
            started = time.perf_counter()
            book.apply(origin, command, at_ns, out)
            took_us.append((time.perf_counter() - started) * 1e6)
    return took_us


def run(*, quick: bool = False) -> Figures:
    """Return the medians of several runs, each on the pure way and on the compiled one."""

    def in_each_way() -> Figures:
        figures = run_once()
        if (way := compiled()) is not None:
            figures["book.compiled_commands_per_s"] = run_once(way)["book.commands_per_s"]
        return figures

    return median_of(1 if quick else RUNS, in_each_way)


if __name__ == "__main__":
    for name, figure in run().items():
        print(f"{name:24} {figure}")
