"""All benches in turn: `python -m tests.bench [--only book,shard] [--quick]`, or `make bench`.

Writes $FAIRBOOK_VAR/bench.json, flat: a figure that was not taken is null, and `skipped` says why.
Exit codes: 0 all asked for were taken, 1 one failed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from apps.common.config import config
from tests.bench import (
    bench_book,
    bench_chain,
    bench_feed,
    bench_idle,
    bench_order,
    bench_peers,
    bench_recovery,
    bench_risk,
    bench_scale,
    bench_settle,
    bench_shard,
    bench_snapshot,
    report,
)
from tests.bench.figures import Figures, fsync_figures
from tests.bench.own_process import ROOT
from tests.helpers.dialect_client import Keys
from tests.helpers.stack import Stack

SCHEMA = "fairbook.bench/1"
ACCOUNTS = 64


class Exchange:
    """The whole exchange with its bots, brought up when the first part needs it."""

    def __init__(self) -> None:
        self._stack: Stack | None = None

    @cached_property
    def stack(self) -> Stack:
        """Bring it up."""
        self._stack = Stack(FAIRBOOK_ENV="demo", FAIRBOOK_BOTS="1")
        self._stack.up(seconds=300)
        return self._stack

    @cached_property
    def accounts(self) -> list[Keys]:
        """Make the people who trade."""
        done = self.stack.manage("make_traders", "--count", str(ACCOUNTS), "--prefix", "bench")
        if done.returncode != 0:
            raise RuntimeError(done.stderr[-2_000:])
        made = json.loads(done.stdout.splitlines()[-1])
        return [Keys(entry["api_key"], entry["api_secret"]) for entry in made]

    @property
    def urls(self) -> list[str]:
        return [self.stack.edge_url(1), self.stack.edge_url(2)]

    def down(self) -> None:
        """Take it down, if it ever came up."""
        if self._stack is not None:
            self._stack.down()


@dataclass(frozen=True)
class Part:
    """One bench: the figures that it owes the contract, and how to take them."""

    keys: str
    take: Callable[[Exchange, bool], Figures]
    if_none: str = "nothing was measured"

    @property
    def owed(self) -> list[str]:
        return self.keys.split()


def _up(_exchange: Exchange, _quick: bool) -> Figures:
    """Read what the starts of this directory's exchange took."""
    path = Path(config.path("FAIRBOOK_VAR")) / "up.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    return {f"up.{name}": known.get(name) for name in ("first_s", "again_s")}


PARTS = {
    "up": Part("up.first_s up.again_s", _up, "`make up` has not yet run here (twice, for again)"),
    "book": Part(
        "book.commands_per_s book.p50_us book.p99_us",
        lambda _, quick: bench_book.run(quick=quick),
    ),
    "scale": Part(
        "book.us_per_command_at_1k book.us_per_command_at_1m book.cost_ratio book.bytes_per_order "
        "book.worst_command_ms",
        lambda _, quick: bench_scale.run(quick=quick),
    ),
    "peers": Part(
        " ".join(bench_peers.KEYS),
        lambda _, quick: bench_peers.run(quick=quick),
        bench_peers.WHY_NOT,
    ),
    "shard": Part(
        "shard.orders_per_s shard.fills_per_s shard.commands_per_frame shard.orders_per_s_single "
        "shard.offered_per_s shard.decided_p50_us shard.decided_p99_us shard.durable_p50_us "
        "shard.durable_p99_us shard.durable_p999_us",
        lambda _, quick: bench_shard.run(quick=quick),
    ),
    "risk": Part("risk.memory_commands_per_s", lambda _, quick: bench_risk.run(quick=quick)),
    "chain": Part(
        "risk.commands_per_s risk.p99_us chain.orders_per_s",
        lambda _, quick: bench_chain.run(quick=quick),
    ),
    "recovery": Part(
        "recovery.from_snapshot_s recovery.from_genesis_s recovery.commands_per_s",
        lambda _, quick: bench_recovery.run(quick=quick),
    ),
    "snapshot": Part(
        "snapshot.durable_p50_us snapshot.durable_p99_us snapshot.durable_p999_us",
        lambda _, quick: bench_snapshot.run(quick=quick),
    ),
    "settle": Part("settle.fills_per_s settle.lag_p99_ms", lambda *_: bench_settle.run()),
    "idle": Part(
        "idle.cpu_percent idle.rss_mb",
        lambda exchange, quick: bench_idle.run(exchange.stack, quick=quick),
    ),
    "order": Part(
        "order.offered_per_s order.p50_ms order.p99_ms order.max_per_s_at_15ms",
        lambda exchange, quick: bench_order.run(exchange.urls, exchange.accounts, quick=quick),
    ),
    "feed": Part(
        "feed.clients feed.p50_ms feed.p99_ms",
        lambda exchange, quick: bench_feed.run(exchange.urls, exchange.accounts, quick=quick),
    ),
    "failover": Part(
        "recovery.failover_s",
        lambda exchange, quick: bench_recovery.run_failover(
            exchange.stack, exchange.accounts[:8], quick=quick
        ),
    ),
}


def _machine(*, quick: bool) -> dict[str, Any]:
    """Say what was measured, where and when, and what the disk can do."""
    folder = Path(config.path("FAIRBOOK_VAR"))
    folder.mkdir(parents=True, exist_ok=True)
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return {
        "schema": SCHEMA,
        "build": described.stdout.strip() or "unknown",
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "runs": 1 if quick else bench_shard.RUNS,
        "load": round(os.getloadavg()[0], 2),  # Of the minute before: above 0.5, figures suffer.
        **fsync_figures(folder),
    }


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _take(chosen: list[str], *, quick: bool) -> tuple[Figures, dict[str, str], bool]:
    """Run the parts in turn; return the figures, what was skipped and why, and if all went well."""
    figures: Figures = {}
    skipped: dict[str, str] = {}
    all_well = True
    exchange = Exchange()
    try:
        for name, part in PARTS.items():
            reason = "not measured this time (--only)"
            taken: Figures = {}
            if name in chosen:
                print(f"{name} …", file=sys.stderr, flush=True)
                started = time.monotonic()
                try:
                    taken = part.take(exchange, quick)
                    reason = part.if_none
                except Exception as error:
                    traceback.print_exc()
                    reason, all_well = f"{type(error).__name__}: {error}"[:300], False
                print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
            figures |= dict.fromkeys(part.owed) | taken
            skipped |= {key: reason for key in part.owed if figures[key] is None}
    finally:
        exchange.down()
    return figures, skipped, all_well


def main() -> int:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(prog="bench", description="Measure the exchange.")
    parser.add_argument("--only", default=",".join(PARTS), help=f"some of {','.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="small and once: does it run at all?")
    arguments = parser.parse_args()
    chosen = arguments.only.split(",")
    if unknown := set(chosen) - PARTS.keys():
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    document = _machine(quick=arguments.quick)
    figures, skipped, all_well = _take(chosen, quick=arguments.quick)
    document |= {**figures, "skipped": skipped}
    path = Path(config.path("FAIRBOOK_VAR")) / "bench.json"
    path.write_text(json.dumps(document, indent=1) + "\n")
    print(report.table(document))
    print(f"\n{path}")
    return 0 if all_well else 1


if __name__ == "__main__":
    sys.exit(main())
