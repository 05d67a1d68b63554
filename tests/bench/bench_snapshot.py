"""What snapshots cost those who trade: the durable latency while a standby makes them.

The shard and its open loop are those of `bench_shard`: 50,000 orders rest, 50,000 more come each
second. Beside its owner a real standby process follows the record on the same two cores, and saves
the state each 200,000 commands, as the settings have it: here, every third second.

    python -m tests.bench.bench_snapshot
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import redis

from apps.common.redis_clients import cache_client
from apps.journals.lease import Heartbeat
from apps.journals.process import settings
from apps.journals.standby import asked_key
from tests.bench.bench_shard import BOOK, OFFERED, PER_FRAME, SPEC, Shard
from tests.bench.durable import TimedOwner, fresh_servers
from tests.bench.figures import Figures, median_of, percentile
from tests.bench.own_process import ROOT, measured_alone

RUNS = 3
SECONDS = 8
READY_S = 60


class Seen:
    """Which snapshots were there at any time, by their names: only the newest three stay."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._names: set[str] = set()
        self._stopping = threading.Event()

    def look(self) -> int:
        """Look once; return how many were seen so far."""
        self._names |= {path.name for path in self._directory.glob("*.snapshot")}
        return len(self._names)

    @contextlib.contextmanager
    def looking(self) -> Iterator[None]:
        """Look again and again in the background."""

        def go_on() -> None:
            while not self._stopping.wait(0.1):
                self.look()

        thread = threading.Thread(target=go_on, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            thread.join()


@contextlib.contextmanager
def standby(book: TimedOwner, cache: redis.Redis, snapshots: Seen) -> Iterator[None]:
    """Run the market's second process; yield once it follows and has made a first snapshot."""
    heartbeat = Heartbeat(cache, BOOK, epoch=1, member="a", terms=settings().terms)
    heartbeat.start()
    words = ["-m", "matching_worker", "--market", SPEC.symbol, "--member", "b"]
    environ = os.environ | {"FAIRBOOK_ENGINE": "pure"}  # As the table of processes has it.
    process = subprocess.Popen(
        [sys.executable, *words], cwd=ROOT, env=environ, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for_a_snapshot(cache, snapshots)
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)
        heartbeat.stop(release=True)


def _wait_for_a_snapshot(cache: redis.Redis, snapshots: Seen) -> None:
    until = time.monotonic() + READY_S
    cache.set(asked_key(BOOK), b"1")
    while not snapshots.look():
        if time.monotonic() > until:
            raise RuntimeError("the standby made no snapshot")
        time.sleep(0.1)


def measure(*, quick: bool) -> Figures:
    """Measure once."""
    per_s = OFFERED / PER_FRAME
    shard = Shard(frames=int(per_s * (2 if quick else SECONDS)), per_frame=PER_FRAME)
    with (
        shard.producer,
        fresh_servers("journal", "cache") as journal,
        cache_client() as cache,
    ):
        book = shard.opened(journal)
        seen = Seen(book.blueprint.snapshot_dir / BOOK.replace(":", "-"))
        with standby(book, cache, seen):
            before = seen.look()
            with seen.looking():
                samples, _, _ = shard.run(book, per_s=per_s)
            taken = seen.look() - before
    if not taken:
        raise RuntimeError("no snapshot was made while the orders came")
    return {
        "snapshot.taken": taken,
        "snapshot.durable_p50_us": round(percentile(samples.durable_us, 0.50)),
        "snapshot.durable_p99_us": round(percentile(samples.durable_us, 0.99)),
        "snapshot.durable_p999_us": round(percentile(samples.durable_us, 0.999)),
    }


def run(*, quick: bool = False) -> Figures:
    """Return the medians of several runs, each in a process of its own."""
    return median_of(
        1 if quick else RUNS, lambda: measured_alone("tests.bench.bench_snapshot", quick=quick)
    )


if __name__ == "__main__":
    hurry = "--quick" in sys.argv
    print(json.dumps(measure(quick=hurry) if "--measure" in sys.argv else run(quick=hurry)))
