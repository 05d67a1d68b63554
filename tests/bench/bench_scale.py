"""What a full book costs: per command, in memory per resting order, and its longest command.

Memory is the process's growth while the book fills, the bench's own list of what stands included.

The flow is that of `bench_book`, over more accounts, so that a million orders find owners. A book
takes a million orders at most; a little room is left for the flow.

    python -m tests.bench.bench_scale
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
from pathlib import Path

from apps.journals.machine import Outputs
from matching_worker.contracts.market import Side
from matching_worker.contracts.to_book import HeldOrder
from matching_worker.engine import BookMachine
from matching_worker.engine.ways import way_named
from tests.bench import bench_book
from tests.bench.bench_book import (
    BATCH,
    FROM_EDGE,
    FROM_RISK,
    MIDDLE,
    NEVER,
    Flow,
    decode_cancels,
    decode_orders,
)
from tests.bench.figures import Figures, median_of
from tests.bench.own_process import measured_alone

FEW, MANY = 1_000, 990_000
COMMANDS = 20_000
FILLS = 1_000  # As many as one command may make.
RUNS = 3
PAGE = 4_096


class WideFlow(Flow):
    """The bench's flow over ten thousand accounts; other ten thousand cross."""

    def _order(self, side: Side, price: int, *, accounts: tuple[int, int]) -> HeldOrder:
        first = 1 if accounts[0] == 1 else 20_000
        return super()._order(side, price, accounts=(first, first + 10_000))


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def _filled(flow: Flow, resting: int) -> BookMachine:
    """Return a trading book in which so many orders rest, each as a frame would bring it."""
    book = bench_book.empty_book(way_named("auto"))
    for _ in range(resting // BATCH):
        frame = bench_book.encode([flow.passive() for _ in range(BATCH)])
        book.apply(FROM_RISK, decode_orders(frame), 1, Outputs())
    return book


def _us_per_command(book: BookMachine, flow: Flow) -> float:
    """Return the median over the flow's batches."""
    batches = [flow.batch(BATCH) for _ in range(COMMANDS // BATCH)]
    gc.collect()
    gc.freeze()
    gc.disable()
    took = []
    for number, (orders, cancels) in enumerate(batches, start=1):
        held, named, at_ns = decode_orders(orders), decode_cancels(cancels), number * 5_000_000
        started = time.perf_counter()
        out = Outputs()
        book.begin(at_ns, out)
        book.apply(FROM_RISK, held, at_ns, out)
        book.apply(FROM_EDGE, named, at_ns, out)
        book.end(at_ns, (0, 0), out)
        took.append((time.perf_counter() - started) * 1e6 / BATCH)
    gc.enable()
    gc.unfreeze()
    return statistics.median(took)


def _worst_command_ms() -> float:
    """Return what one order costs that trades with as many others as it may."""
    book = bench_book.empty_book(way_named("auto"))
    plain = ("L", "GTC", False)
    makers = [
        HeldOrder(
            each * 1_024,
            1,
            each * 1_024,
            f"c{each}",
            "S",
            *plain,
            MIDDLE + each,
            1,
            0,
            NEVER,
            (1, 0),
        )
        for each in range(1, FILLS + 1)
    ]
    book.apply(FROM_RISK, makers, 1, Outputs())
    number = (FILLS + 1) * 1_024
    taker = HeldOrder(
        number, 1, number, "taker", "B", *plain, MIDDLE + FILLS, FILLS, 0, NEVER, (1, 0)
    )
    out = Outputs()
    gc.collect()
    started = time.perf_counter()
    book.apply(FROM_RISK, [taker], 2, out)
    took = time.perf_counter() - started
    if book.book.trades != FILLS:
        raise RuntimeError(f"{book.book.trades} trades, not {FILLS}")
    return took * 1e3


def measure() -> Figures:
    """Measure once."""
    few = WideFlow()
    few_us = _us_per_command(_filled(few, FEW), few)
    many = WideFlow()
    gc.collect()
    gc.disable()
    before = _resident_bytes()
    book = _filled(many, MANY)
    bytes_per_order = (_resident_bytes() - before) / MANY
    gc.enable()
    many_us = _us_per_command(book, many)
    return {
        "book.us_per_command_at_1k": round(few_us, 2),
        "book.us_per_command_at_1m": round(many_us, 2),
        "book.cost_ratio": round(many_us / few_us, 2),
        "book.bytes_per_order": round(bytes_per_order),
        "book.worst_command_ms": round(statistics.median(_worst_command_ms() for _ in range(5)), 2),
    }


def run(*, quick: bool = False) -> Figures:
    """Return the medians of several runs, each in a process of its own."""
    return median_of(1 if quick else RUNS, lambda: measured_alone("tests.bench.bench_scale"))


if __name__ == "__main__":
    print(json.dumps(measure() if "--measure" in sys.argv else run(quick="--quick" in sys.argv)))
