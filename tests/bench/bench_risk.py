"""How fast a partition is by itself, in memory: `python -m tests.bench.bench_risk`.

A day of orders: of each four one rests and is taken later, one takes, one rests and is canceled,
and one is refused for want of money. Commands are what the partition applies: orders from edges,
reports from the book, decoded from their bytes, with all outputs encoded, as its process does.
`risk.memory_p99_us` is the time of a batch of one frame: 64 orders and reports on the 64 before.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Sequence

import msgspec

from apps.common.kernel.ids import numbered_in
from apps.journals.contracts import LinkAdd
from apps.journals.machine import Input, Origin, Outputs
from apps.risk.contracts.commands import (
    AccountOpen,
    Deposit,
    MarketAdd,
    PlaceOrder,
    RiskCommand,
)
from apps.risk.engine import RiskMachine
from matching_worker.contracts.from_book import Execution, FirstReport, OrderEnd, ReportMessage
from tests.bench.figures import Figures, median_of, percentile
from tests.helpers.trading_stage import SMALL_MARKET

START_NS = 1_700_000_000_000_000_000
ACCOUNTS = 64
ORDERS = 20_000
FRAME = 64
RUNS = 3
FRAMES_PER_BATCH = 8  # About the 1,024 commands that a batch may take, reports included.
EDGE = Origin(Input.COMMANDS, (1, 0), b"an edge.", "", (0, 0), b"")
BOOK = Origin(Input.LINK, (1, 0), b"", "book:BTC-USDT", (1, 0), bytes(32))

_encode = msgspec.msgpack.Encoder().encode
_read_commands = msgspec.msgpack.Decoder(list[RiskCommand]).decode
_read_reports = msgspec.msgpack.Decoder(list[ReportMessage]).decode


def setup() -> list[msgspec.Struct]:
    """Make the commands that add one market, and accounts with funds."""
    commands: list[msgspec.Struct] = [LinkAdd("book:BTC-USDT"), MarketAdd(SMALL_MARKET)]
    for counter in range(1, ACCOUNTS + 1):
        account = numbered_in(0, counter=counter)
        commands += [
            AccountOpen(account),
            Deposit(account, "USDT", 10**15, f"u{counter}"),
            Deposit(account, "BTC", 10**15, f"b{counter}"),
        ]
    return commands


def opened() -> RiskMachine:
    """Return a partition with funded accounts and one market."""
    machine, out = RiskMachine(0), Outputs()
    machine.begin(START_NS, out)
    machine.apply(EDGE, setup(), START_NS, out)
    machine.end(START_NS, (1, 0), out)
    return machine


def order(number: int, *, deadline_ns: int = START_NS + 10**15) -> PlaceOrder:
    """Make the `number`-th order of the day; every fourth asks for more than its account has."""
    kind = number % 4
    return PlaceOrder(
        request=number,
        account=numbered_in(0, counter=1 + number % ACCOUNTS),
        market="BTC-USDT",
        client_id=f"client-order-{number:012}",
        derived=False,
        side="S" if kind == 1 else "B",
        kind="L",
        time_in_force="GTC",
        post_only=False,
        price_ticks=10**9 if kind == 3 else 100,
        lots=900_000_000 if kind == 3 else 10,
        quote_budget=0,
        deadline_ns=deadline_ns,
        response="ACK" if kind == 0 else "RESULT",
    )


def frames_of_orders() -> list[bytes]:
    """Return the day's command frames."""
    orders = [order(number) for number in range(ORDERS)]
    return [_encode(orders[at : at + FRAME]) for at in range(0, ORDERS, FRAME)]


def reports_on(held: Sequence[msgspec.Struct], trade: int) -> list[msgspec.Struct]:
    """Make what a book says of these held orders: rest and trade in turn, some canceled."""
    said: list[msgspec.Struct] = []
    for place, each in enumerate(held):
        number, at = each.order_id, START_NS  # type: ignore[attr-defined]
        seq = trade + place + 1
        if place % 3 == 0:
            said.append(FirstReport(number, 1, seq, at, [], None, ""))
            said.append(Execution(seq, number, 1, 100, 10, "M", 10, 1_000, "filled", seq, at))
        elif place % 3 == 1:
            fill = Execution(seq, number, 1, 100, 10, "T", 10, 1_000, "filled", seq, at)
            said.append(FirstReport(number, 1, seq, at, [fill], "filled", ""))
        else:
            said.append(FirstReport(number, 1, seq, at, [], None, ""))
            said.append(OrderEnd(number, 1, seq, at, "canceled", "", 0, 0))
    return said


def write(out: Outputs) -> int:
    """Encode a batch's outputs as the runtime does; return their size."""
    size = len(_encode(out.events))
    for messages in (*out.links.values(), *out.replies.values()):
        size += len(_encode([msgspec.Raw(_encode(message)) for message in messages]))
    return size


def run_day(frames_per_batch: int) -> tuple[float, list[float]]:
    """Run one day; return commands per second and each batch's microseconds."""
    machine, frames = opened(), frames_of_orders()
    spent, commands, trade, at_ns = 0.0, 0, 0, START_NS
    batches: list[float] = []
    waiting: bytes | None = None
    gc.collect()
    gc.disable()
    for first in range(0, len(frames), frames_per_batch):
        taken = frames[first : first + frames_per_batch]
        at_ns += 1_000_000
        started = time.perf_counter()
        out, before = Outputs(), machine.seq
        machine.begin(at_ns, out)
        if waiting is not None:
            machine.apply(BOOK, _read_reports(waiting), at_ns, out)
        for frame in taken:
            machine.apply(EDGE, _read_commands(frame), at_ns, out)
        machine.end(at_ns, (1, 0), out)
        write(out)
        took = time.perf_counter() - started
        batches.append(took * 1e6)
        spent += took
        commands += machine.seq - before
        held = out.links.get("book:BTC-USDT", [])
        waiting = _encode(reports_on(held, trade))
        trade += len(held)
    gc.enable()
    machine.check()
    return commands / spent, batches


def measure() -> Figures:
    """Run two days: one in full batches, one in batches of one frame."""
    commands_per_s, _ = run_day(FRAMES_PER_BATCH)
    _, batches = run_day(frames_per_batch=1)
    return {
        "risk.memory_commands_per_s": round(commands_per_s),
        "risk.memory_p99_us": round(percentile(batches, 0.99)),
    }


def run(*, quick: bool = False) -> Figures:
    """Return the median of some days."""
    return median_of(1 if quick else RUNS, measure)


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
