"""How soon a market is back: from its snapshot, from its genesis, and after its owner died.

The journal is a shard's (see `bench_shard`): 50,000 resting orders, a snapshot, then 1,000,000
commands of the mixed flow. As in life, most of it is in the archive's segments, the end in the
journal server. Each coming up is a process of its own, and takes the one way that a worker takes.

Failover is what a client sees: `kill -9` on the owner under 50 orders a second, until an order that
was sent after it is acknowledged.

    python -m tests.bench.bench_recovery            # without the failover
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable

import httpx
import msgspec

from apps.common.config import config
from apps.common.redis_clients import journal_client
from apps.journals.archiver import ArchivePace, WorkerArchiver
from apps.journals.process import blueprint_of
from apps.journals.recovery import bring_up
from apps.journals.snapshots import Snapshots
from matching_worker.codec import BOOK_CODEC
from matching_worker.engine import BookMachine
from tests.bench.bench_shard import AHEAD, BOOK, PER_FRAME, Shard
from tests.bench.durable import TimedOwner, fresh_servers
from tests.bench.figures import Figures
from tests.bench.own_process import ROOT, measured_alone
from tests.helpers.dialect_client import Keys
from tests.helpers.history import Load
from tests.helpers.stack import Stack

FRAMES = 10_160  # Of 64 orders, with their cancels: 1,000,000 commands.
PART = 100_000  # Commands between two looks of the archiver, and those left to the journal server.
RUNS = 3
KILLS = 3
RATE = 50.0
BEFORE_S, AFTER_S = 2.0, 8.0
SYMBOL = "BTCUSDT"
MEMBERS = ("book-BTC-USDT-a", "book-BTC-USDT-b")


class CameUp(msgspec.Struct):
    """Where a worker stood when it had come up, and what that took."""

    seq: int
    state_hash: str
    seconds: float
    cpu_s: float


def measure(*, quick: bool) -> Figures:
    """Let a shard live, and come up from what it left: from its snapshot and from its genesis."""
    runs = 1 if quick else RUNS
    shard = Shard(frames=200 if quick else FRAMES, per_frame=PER_FRAME)
    with shard.producer, fresh_servers("journal"), journal_client() as journal:
        book = shard.opened(journal)
        snapshots = Snapshots(book.blueprint.snapshot_dir, BOOK)
        snapshots.save(book.owner.replica)
        _live(shard, book)
        replica = book.owner.replica
        live, commands = replica.state_hash().hex(), shard.commands - shard.commands_before
        kept = config.path("FAIRBOOK_SNAPSHOT_DIR")
        from_snapshot = [_come_up(snapshot_dir=str(kept)) for _ in range(runs)]
        from_genesis = [_come_up(snapshot_dir=f"{kept}-none") for _ in range(runs)]
    for each in (*from_snapshot, *from_genesis):
        if (each.seq, each.state_hash) != (replica.machine.seq, live):
            raise RuntimeError("coming up led elsewhere")
    return {
        "recovery.commands": commands,
        "recovery.from_snapshot_s": _median(each.seconds for each in from_snapshot),
        "recovery.from_snapshot_best_s": round(min(each.seconds for each in from_snapshot), 2),
        "recovery.from_snapshot_cpu_s": _median(each.cpu_s for each in from_snapshot),
        "recovery.from_genesis_s": _median(each.seconds for each in from_genesis),
        "recovery.from_genesis_best_s": round(min(each.seconds for each in from_genesis), 2),
        "recovery.commands_per_s": round(
            shard.commands / statistics.median(each.seconds for each in from_genesis)
        ),
    }


def _median(values: Iterable[float]) -> float:
    return round(statistics.median(values), 2)


def _live(shard: Shard, book: TimedOwner) -> None:
    """Let the shard decide everything; archive and trim all but the last part of it."""
    pace = ArchivePace(read_s=0, cut_s=10**6, trim_s=10**6, trim_bytes=2**62)
    archiver = WorkerArchiver(book.owner._journal, book.blueprint.archive_dir, BOOK, pace)
    shard.producer.go(window=AHEAD, taken_before=len(shard.resting))
    for seq in range(shard.commands_before + PART, shard.commands, PART):
        book.work_off(seq=seq)
        _archive(archiver, up_to=book.owner.replica.batch)
    book.work_off(seq=shard.commands)
    shard.producer.wait()


def _archive(archiver: WorkerArchiver, *, up_to: int) -> None:
    while archiver._read_to < up_to:
        archiver.turn(newest_batch=up_to, now=time.monotonic())
    archiver.cut()
    ahead_ns = 3600 * 10**9  # Everything is old enough.
    archiver.trim(now_ns=time.time_ns() + ahead_ns)


def _come_up(*, snapshot_dir: str) -> CameUp:
    """Come up in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.bench_recovery", "--come-up"],
        cwd=ROOT,
        env=os.environ | {"FAIRBOOK_SNAPSHOT_DIR": snapshot_dir},
        stdout=subprocess.PIPE,
        check=True,
    )
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=CameUp)


def come_up() -> CameUp:
    """Come up as a worker's process does."""
    blueprint = blueprint_of(BOOK, BookMachine, BOOK_CODEC)
    started, cpu = time.perf_counter(), time.process_time()
    replica = bring_up(blueprint, journal_client())
    took, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    return CameUp(replica.machine.seq, replica.state_hash().hex(), took, cpu_s)


def run(*, quick: bool = False) -> Figures:
    """Measure in processes of their own."""
    return measured_alone("tests.bench.bench_recovery", quick=quick, seconds=2_400)


# ── Failover ────────────────────────────────────────────────────────────────────────────────────


def run_failover(stack: Stack, accounts: list[Keys], *, quick: bool = False) -> Figures:
    """Kill the owner some times; return the median."""
    took = []
    for seed in range(1 if quick else KILLS):
        rows = stack.services()
        owner = next(name for name in MEMBERS if rows[name]["role"] == "owner")
        took.append(asyncio.run(_fail_over(stack, owner, accounts, seed)))
        stack.wait_ready(seconds=60)
    return {"recovery.failover_s": round(statistics.median(took), 2)}


async def _fail_over(stack: Stack, owner: str, accounts: list[Keys], seed: int) -> float:
    async with httpx.AsyncClient() as http:
        ticker = await http.get(f"{stack.url}/api/v3/ticker/price", params={"symbol": SYMBOL})
    urls = [stack.edge_url(1), stack.edge_url(2)]
    async with Load(urls, accounts, seed=seed, symbols=(SYMBOL,)) as load:
        load.at_prices({SYMBOL: ticker.json()["price"]})
        running = asyncio.create_task(load.run(rate=RATE, seconds=BEFORE_S + AFTER_S))
        await asyncio.sleep(BEFORE_S)
        struck_at = time.time()
        stack.kill(owner)
        await running
    took_s = load.history.recovery_s(struck_at)
    if took_s == float("inf"):
        raise RuntimeError(f"no order was acknowledged within {AFTER_S} s")
    return took_s


if __name__ == "__main__":
    hurry = "--quick" in sys.argv
    if "--come-up" in sys.argv:
        print(msgspec.json.encode(come_up()).decode())
    else:
        print(json.dumps(measure(quick=hurry) if "--measure" in sys.argv else run(quick=hurry)))
