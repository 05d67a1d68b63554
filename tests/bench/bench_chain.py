"""A durable risk partition by itself, and the chain risk → book → risk with real processes.

The partition runs as in `bench_shard`: its real owner in this process, a live producer that writes
an edge's frames of 64 orders and, a few frames later, what a book says of them (the day of
`bench_risk`). Commands are orders and the book's messages.

In the chain of each two orders one rests and the next takes it; it ends when the partition has
booked the last report. Four processes share the machine: producer, journal, partition, book; and
once more with the projector, which writes the read models, beside them.

    python -m tests.bench.bench_chain
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import redis

from apps.common.config import config
from apps.journals import directory, keys, wire
from apps.journals.contracts import LinkAdd
from apps.journals.machine import Outputs
from apps.risk.codec import RISK_CODEC
from apps.risk.engine import RiskMachine
from matching_worker.contracts.market import MarketStateSet
from matching_worker.contracts.to_book import MarketDefine
from tests.bench import bench_risk
from tests.bench.bench_shard import BOOK, EDGE, NEVER, OPERATOR, RISK
from tests.bench.durable import TimedOwner, fresh_servers
from tests.bench.figures import Figures, median_of, percentile
from tests.bench.own_process import ROOT, measured_alone
from tests.bench.producer import Producer, Step, packed_entry, step
from tests.helpers.trading_stage import SMALL_MARKET

RUNS = 3
PER_FRAME = 64
AHEAD = 16
OFFERED = 10_000  # Orders a second at which the partition's latency is taken.
COMMANDS, TO_BOOK, TO_RISK = keys.commands(RISK), keys.link(RISK, BOOK), keys.link(BOOK, RISK)
SETUP_FRAMES = 1
PATIENCE_S = 120


def _setup() -> bytes:
    return wire.encode(wire.CommandFrame(OPERATOR, 1, bench_risk.setup()))


def _orders(number: int) -> list[msgspec.Struct]:
    """Return the orders of a frame, with a deadline that never comes."""
    first = number * PER_FRAME
    return [bench_risk.order(each, deadline_ns=NEVER) for each in range(first, first + PER_FRAME)]


def _command_entry(number: int, orders: Sequence[msgspec.Struct]) -> bytes:
    frame = wire.encode(wire.CommandFrame(EDGE, number, orders))
    return packed_entry(COMMANDS, f"{number + SETUP_FRAMES}-0", {keys.FRAME_FIELD: frame})


# ── The partition by itself ─────────────────────────────────────────────────────────────────────


class Partition:
    """A day's frames in both directions, made by letting one partition live it in memory."""

    def __init__(self, frames: int) -> None:
        self._machine, self._trade = bench_risk.opened(), 0
        self._link_number, self._link_hash = 0, bytes(wire.HASH_BYTES)
        self.orders = frames * PER_FRAME
        orders, reports = [], []
        for number in range(frames):
            orders.append(_command_entry(number + 1, asked := _orders(number)))
            reports.append(self._live(asked))
        self.commands = self._machine.seq
        steps = [
            step([*orders[at : at + 1], *reports[max(0, at - AHEAD) : max(0, at - AHEAD + 1)]])
            for at in range(frames + AHEAD)
        ]
        self.producer = Producer(steps, worker=RISK, stream=COMMANDS)

    def _live(self, asked: list[msgspec.Struct]) -> bytes:
        """Apply a frame and the book's reports on it; return the reports' entry."""
        machine, out, at_ns = self._machine, Outputs(), self._machine.at_ns + 1_000_000
        machine.begin(at_ns, out)
        machine.apply(bench_risk.EDGE, asked, at_ns, out)
        held = out.links[BOOK]
        reports = bench_risk.reports_on(held, self._trade)
        self._trade += len(held)
        machine.apply(bench_risk.BOOK, reports, at_ns, Outputs())
        machine.end(at_ns, (1, 0), Outputs())
        return self._report_entry(reports)

    def _report_entry(self, reports: list[msgspec.Struct]) -> bytes:
        self._link_number += 1
        frame = wire.encode(wire.LinkFrame((1, 0), reports))
        self._link_hash = wire.link_hash(self._link_hash, number=self._link_number, body=frame)
        fields = {
            keys.FRAME_FIELD: frame,
            keys.LINK_HASH_FIELD: self._link_hash,
            keys.RECEIPT_FIELD: bytes(wire.HASH_BYTES),
        }
        return packed_entry(TO_RISK, f"{self._link_number}-0", fields)

    def opened(self, journal: redis.Redis) -> TimedOwner:
        """Return a funded partition, owned by this process."""
        risk = TimedOwner(
            journal, RISK, make_machine=lambda: RiskMachine(0), codec=RISK_CODEC, genesis=[]
        )
        journal.xadd(COMMANDS, {keys.FRAME_FIELD: _setup()}, id="1-0")
        risk.work_off(seq=len(bench_risk.setup()))
        return risk

    def run(self, *, per_s: float | None = None) -> tuple[TimedOwner, float]:
        """Let the day happen on a server of its own; return the partition and the start."""
        with fresh_servers("journal") as journal:
            risk = self.opened(journal)
            with risk.measured():
                start = self.producer.go(per_s=per_s, window=AHEAD, taken_before=SETUP_FRAMES)
                risk.work_off(seq=self.commands)
                self.producer.wait()
            risk.machine.check()
            return risk, start


def _partition(*, quick: bool) -> Figures:
    day = Partition(frames=50 if quick else 1_000)
    with day.producer:
        risk, start = day.run()
        commands = day.commands - len(bench_risk.setup())
        rate = commands / (risk.samples.batches[-1][0] - start)
        cpu_us = risk.samples.cpu_s * 1e6 / commands
        risk, _ = day.run(per_s=OFFERED / PER_FRAME)
        return {
            "risk.commands_per_s": round(rate),
            "risk.cpu_us_per_command": round(cpu_us, 2),
            "risk.p99_us": round(percentile(risk.samples.durable_us, 0.99)),
        }


# ── The chain ───────────────────────────────────────────────────────────────────────────────────


@contextlib.contextmanager
def _workers(journal: redis.Redis, *also: str) -> Iterator[None]:
    """Found a partition and a book, and run their real processes, and other modules beside."""
    directory.found(journal, RISK, [])
    directory.found(journal, BOOK, [MarketDefine(SMALL_MARKET), LinkAdd(RISK)])
    journal.xadd(COMMANDS, {keys.FRAME_FIELD: _setup()}, id="1-0")
    opening = wire.CommandFrame(OPERATOR, 1, [MarketStateSet("trading", "bench")])
    journal.xadd(keys.commands(BOOK), {keys.FRAME_FIELD: wire.encode(opening)})
    words = (
        ["apps.risk.worker", "--partition", "0"],
        ["matching_worker", "--market", SMALL_MARKET.symbol],
        *([module] for module in also),
    )
    log = Path(config.path("FAIRBOOK_VAR")) / "workers.log"
    with log.open("ab") as out, contextlib.ExitStack() as running:
        for each in words:
            child = subprocess.Popen(
                [sys.executable, "-m", *each], cwd=ROOT, stdout=out, stderr=out
            )
            running.callback(child.wait, timeout=30)
            running.callback(child.terminate)
        _wait_until_idle(journal, frames=0)
        yield


def _wait_until_idle(journal: redis.Redis, *, frames: int) -> float:
    """Return when everybody has taken everything, the partition's last frame included."""
    wanted = f"{frames + SETUP_FRAMES}-0".encode()
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        risk: Any = journal.hgetall(keys.cursor(RISK))
        book: Any = journal.hgetall(keys.cursor(BOOK))
        if (
            risk.get(COMMANDS.encode()) == wanted
            and book.get(TO_BOOK.encode()) == _last(journal, TO_BOOK)
            and risk.get(TO_RISK.encode()) == _last(journal, TO_RISK)
        ):
            return time.perf_counter()
        time.sleep(0.005)
    raise RuntimeError("the chain did not come to rest")


def _last(journal: redis.Redis, stream: str) -> bytes:
    info: Any = journal.xinfo_stream(stream) if journal.exists(stream) else {}
    return info.get("last-generated-id", b"0-0")


def _chain(*beside: str, quick: bool) -> int:
    """Return the orders per second, with these modules running beside."""
    frames = 50 if quick else 1_500
    steps: list[Step] = []
    for number in range(frames):
        orders = [
            msgspec.structs.replace(
                each, side="BS"[place % 2], lots=10, price_ticks=100, response="RESULT"
            )
            for place, each in enumerate(_orders(number))
        ]
        steps.append(step([_command_entry(number + 1, orders)]))
    with (
        Producer(steps, worker=RISK, stream=COMMANDS) as producer,
        fresh_servers("journal", "cache") as journal,
        _workers(journal, *beside),
    ):
        start = producer.go(window=AHEAD, taken_before=SETUP_FRAMES)
        producer.wait()
        took = _wait_until_idle(journal, frames=frames) - start
    return round(frames * PER_FRAME / took)


def measure(*, quick: bool) -> Figures:
    """Measure both once."""
    return {
        **_partition(quick=quick),
        "chain.orders_per_s": _chain(quick=quick),
        "chain.orders_per_s_projected": _chain("apps.orders.projector", quick=quick),
    }


def run(*, quick: bool = False) -> Figures:
    """Return the medians of several runs, each in a process of its own."""
    return median_of(
        1 if quick else RUNS, lambda: measured_alone("tests.bench.bench_chain", quick=quick)
    )


if __name__ == "__main__":
    hurry = "--quick" in sys.argv
    print(json.dumps(measure(quick=hurry) if "--measure" in sys.argv else run(quick=hurry)))
