"""One durable shard: a live producer writes, the real owner decides, the journal fsyncs each batch.

The flow is that of `bench_book`: of 100 commands 50 rest, 15 cross the spread, 35 cancel; 50,000
orders rest before it begins. Orders come in link frames of 64 as a partition writes them, their
cancels in frames as an edge writes them. Only orders count as orders; cancels come on top.

Speed is taken with a producer that stays a few frames ahead; latency with an open loop at 50,000
orders a second, from the moment a frame was read, per frame. `shard.due_*` counts from the moment
at which the frame was due, whatever became of those before it.

    python -m tests.bench.bench_shard
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from functools import partial

import msgspec
import redis

from apps.journals import keys, wire
from apps.journals.contracts import LinkAdd
from matching_worker.codec import BOOK_CODEC
from matching_worker.contracts.market import MarketStateSet
from matching_worker.contracts.to_book import CancelOrders, HeldOrder, MarketDefine
from matching_worker.engine import BookMachine
from matching_worker.engine.ways import PURE, Way, way_named
from tests.bench.bench_book import NEVER, RESTING, SPEC, Flow
from tests.bench.durable import Samples, TimedOwner, fresh_servers
from tests.bench.figures import Figures, median_of, percentile
from tests.bench.own_process import measured_alone
from tests.bench.producer import Producer, Step, packed_entry, step

RUNS = 5
BOOK, RISK = "book:BTC-USDT", "risk:0"
LINK, CANCELS, COMMANDS = keys.link(RISK, BOOK), keys.cancels(BOOK), keys.commands(BOOK)
EDGE, OPERATOR = b"an edge.", b"operator"
PER_FRAME = 64
AHEAD = 16  # Frames: 1,024 orders.
AHEAD_SINGLE = 1_024
OFFERED = 50_000  # Orders a second.
PASSIVE = 50 / 65  # Of the orders.
CANCELED = 35 / 65  # Cancels per order.


class FrameWriter:
    """Makes the frames of a flow, numbered and chained as their writers would."""

    def __init__(self) -> None:
        self.flow = Flow()
        self.link_number, self.link_hash = 0, bytes(wire.HASH_BYTES)
        self.cancel_frames = 0
        self.commands = 0

    def resting(self) -> Iterator[Step]:
        """Make the orders that fill the book."""
        for _ in range(0, RESTING, PER_FRAME):
            yield step([self._link_frame([self.flow.passive() for _ in range(PER_FRAME)])])

    def trading(self, frames: int, per_frame: int) -> Iterator[Step]:
        """Make frames of orders, each with its cancels."""
        for _ in range(frames):
            dice = self.flow.dice
            orders = [
                self.flow.passive() if dice.random() < PASSIVE else self.flow.crossing()
                for _ in range(per_frame)
            ]
            cancels = [self.flow.cancel() for _ in range(per_frame) if dice.random() < CANCELED]
            yield step([self._link_frame(orders), *self._cancel_frames(cancels)])

    def _link_frame(self, orders: Sequence[HeldOrder]) -> bytes:
        self.commands += len(orders)
        self.link_number += 1
        frame = wire.encode(wire.LinkFrame((NEVER, 0), orders))
        self.link_hash = wire.link_hash(self.link_hash, number=self.link_number, body=frame)
        fields = {
            keys.FRAME_FIELD: frame,
            keys.LINK_HASH_FIELD: self.link_hash,
            keys.RECEIPT_FIELD: bytes(wire.HASH_BYTES),
        }
        return packed_entry(LINK, f"{self.link_number}-0", fields)

    def _cancel_frames(self, cancels: Sequence[CancelOrders]) -> Iterator[bytes]:
        if cancels:
            self.commands += len(cancels)
            self.cancel_frames += 1
            frame = wire.encode(wire.CommandFrame(EDGE, self.cancel_frames, cancels))
            yield packed_entry(CANCELS, f"{self.cancel_frames}-0", {keys.FRAME_FIELD: frame})


class Shard:
    """The frames of one flow, their producer, and the book that takes them."""

    def __init__(self, *, frames: int, per_frame: int) -> None:
        writer = FrameWriter()
        self.per_frame = per_frame
        self.resting = list(writer.resting())
        self.commands_before = writer.commands + 1  # With the one that opens the market.
        steps = list(writer.trading(frames, per_frame))
        self.orders = frames * per_frame
        self.commands = writer.commands + 1
        self.producer = Producer(steps, worker=BOOK, stream=LINK)

    def opened(self, journal: redis.Redis, way: Way | None = None) -> TimedOwner:
        """Return the book with its resting orders, owned by this process, the way it runs here."""
        genesis: list[msgspec.Struct] = [MarketDefine(SPEC), LinkAdd(RISK)]
        make = partial(BookMachine, way=way or way_named("auto"))
        book = TimedOwner(journal, BOOK, make_machine=make, codec=BOOK_CODEC, genesis=genesis)
        opening = wire.CommandFrame(OPERATOR, 1, [MarketStateSet("trading", "bench")])
        journal.xadd(COMMANDS, {keys.FRAME_FIELD: wire.encode(opening)})
        book.work_off(seq=1)
        connection = journal.connection_pool.get_connection()
        for each in self.resting:
            connection.send_packed_command([each.packed])
            connection.read_response()
        journal.connection_pool.release(connection)
        book.work_off(seq=self.commands_before)
        return book

    def run(
        self, book: TimedOwner, *, per_s: float | None = None, window: int | None = None
    ) -> tuple[Samples, float, float]:
        """Let the producer write and the book take; return samples, start, the producer's end."""
        with book.measured() as samples:
            start = self.producer.go(per_s=per_s, window=window, taken_before=len(self.resting))
            book.work_off(seq=self.commands)
            ended = self.producer.wait()
        book.machine.check()
        return samples, start, ended

    def due_us(self, samples: Samples, start: float, per_s: float) -> list[float]:
        """Return, per frame, the time from its due moment until it was durable."""
        late, last = [], len(self.resting)
        for written, batch in samples.batches:
            number, _ = batch.cursor.get(LINK, (last, 0))
            late += [
                (written - start - (each - len(self.resting)) / per_s) * 1e6
                for each in range(last, number)
            ]
            last = number
        return late


def _speed(shard: Shard, *, window: int, way: Way | None = None) -> Figures:
    with fresh_servers("journal") as journal:
        book = shard.opened(journal, way)
        fills_before = book.machine.book.trades
        samples, start, _ = shard.run(book, window=window)
        took = samples.batches[-1][0] - start
        commands = shard.commands - shard.commands_before
        return {
            "orders": round(shard.orders / took),
            "commands": round(commands / took),
            "fills": round((book.machine.book.trades - fills_before) / took),
            "batch": round(commands / len(samples.batches)),
            "cpu_us": round(samples.cpu_s * 1e6 / commands, 2),
        }


def _latency(shard: Shard) -> Figures:
    per_s = OFFERED / PER_FRAME
    with fresh_servers("journal") as journal:
        book = shard.opened(journal)
        samples, start, ended = shard.run(book, per_s=per_s)
        due = shard.due_us(samples, start, per_s)
        return {
            "shard.offered_per_s": round(shard.orders / (ended - start)),
            "shard.decided_p50_us": round(percentile(samples.decided_us, 0.50)),
            "shard.decided_p99_us": round(percentile(samples.decided_us, 0.99)),
            "shard.durable_p50_us": round(percentile(samples.durable_us, 0.50)),
            "shard.durable_p99_us": round(percentile(samples.durable_us, 0.99)),
            "shard.durable_p999_us": round(percentile(samples.durable_us, 0.999)),
            "shard.due_p50_us": round(percentile(due, 0.50)),
            "shard.due_p99_us": round(percentile(due, 0.99)),
        }


def measure(*, quick: bool) -> Figures:
    """Measure once: speed in frames of 64 (in each way), latency, speed with one order a frame."""
    with (shard := Shard(frames=300 if quick else 3_000, per_frame=PER_FRAME)).producer:
        pure = _speed(shard, window=AHEAD, way=PURE)
        framed = _speed(shard, window=AHEAD)
        latency = _latency(shard)
    with (shard := Shard(frames=2_000 if quick else 40_000, per_frame=1)).producer:
        single = _speed(shard, window=AHEAD_SINGLE)
    return {
        "shard.orders_per_s": framed["orders"],
        "shard.fills_per_s": framed["fills"],
        "shard.commands_per_s": framed["commands"],
        "shard.commands_per_frame": PER_FRAME,
        "shard.commands_per_batch": framed["batch"],
        "shard.cpu_us_per_command": framed["cpu_us"],
        "shard.orders_per_s_single": single["orders"],
        "shard.orders_per_s_pure": pure["orders"],
        "shard.fills_per_s_pure": pure["fills"],
        **latency,
    }


def run(*, quick: bool = False) -> Figures:
    """Return the medians of several runs, each in a process of its own."""
    return median_of(
        1 if quick else RUNS, lambda: measured_alone("tests.bench.bench_shard", quick=quick)
    )


if __name__ == "__main__":
    hurry = "--quick" in sys.argv
    print(json.dumps(measure(quick=hurry) if "--measure" in sys.argv else run(quick=hurry)))
