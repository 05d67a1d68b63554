"""Public order books beside ours: the flow of `bench_book`, in one run, each in its turn.

They are the three fastest of those in Python that we found, of any language underneath. None checks
who asks, for what and with which right, or reports to owners: they match, and ours does all. They
live in an environment of their own, made by `make bench-peers`; without it they are skipped.

    python -m tests.bench.bench_peers
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from apps.journals.machine import Outputs
from matching_worker.contracts.from_book import Trade
from matching_worker.contracts.to_book import HeldOrder
from matching_worker.engine.ways import way_named
from tests.bench import bench_book
from tests.bench.bench_book import BATCH, COMMANDS, FROM_EDGE, FROM_RISK, RESTING, Flow
from tests.bench.figures import Figures, median_of
from tests.bench.own_process import ROOT
from tests.bench.peer import BOOKS

PYTHON = ROOT / ".venv-peers/bin/python"
WHY_NOT = "the public books are not installed: `make bench-peers`"
OURS = "fairbook"
KEYS = [f"peers.{name}.commands_per_s" for name in (OURS, *BOOKS)]


def _plain(order: HeldOrder) -> list[int | bool]:
    return [order.order_id, order.side == "B", order.price_ticks, order.lots]


def _write_flow(path: Path) -> None:
    """Write the flow as plain lists: what rests, then batches of orders and cancels."""
    flow = Flow()
    resting = [_plain(flow.passive()) for _ in range(RESTING)]
    batches = []
    for _ in range(COMMANDS // BATCH):
        orders, cancels = flow.batch(BATCH)
        batches.append(
            (
                [_plain(order) for order in bench_book.decode_orders(orders)],
                [cancel.order_id for cancel in bench_book.decode_cancels(cancels)],
            )
        )
    path.write_text(json.dumps({"resting": resting, "batches": batches}))


def _traded_by_ours() -> int:
    """Return the lots that trade in our book on this flow: they must in each."""
    flow = Flow()
    book = bench_book.opened_book(flow)
    lots = 0
    for number in range(1, COMMANDS // BATCH + 1):
        orders, cancels = flow.batch(BATCH)
        out = Outputs()
        book.apply(FROM_RISK, bench_book.decode_orders(orders), number * 5_000_000, out)
        book.apply(FROM_EDGE, bench_book.decode_cancels(cancels), number * 5_000_000, out)
        lots += sum(event.lots for event in out.events if isinstance(event, Trade))
    return lots


def _run_peer(name: str, flow: Path, *, traded: int) -> int:
    done = subprocess.run(
        [PYTHON, ROOT / "tests/bench/peer.py", name, flow],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{name}: {done.stderr[-1_000:]}")
    figures: dict[str, int] = json.loads(done.stdout)
    if figures["traded"] != traded:
        raise RuntimeError(f"{name} traded {figures['traded']} lots where we trade {traded}")
    return figures["commands_per_s"]


def _run_ours() -> int:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.bench_peers", "--ours"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


def run(*, quick: bool = False) -> Figures:
    """Return the medians of some rounds, each book in each round in a process of its own."""
    if not PYTHON.exists():
        return {}
    traded = _traded_by_ours()
    with tempfile.TemporaryDirectory(prefix="fairbook-bench-") as folder:
        flow = Path(folder) / "flow.json"
        _write_flow(flow)

        def one_round() -> Figures:
            rates = {name: _run_peer(name, flow, traded=traded) for name in BOOKS}
            rates[OURS] = _run_ours()
            return {f"peers.{name}.commands_per_s": rate for name, rate in rates.items()}

        return median_of(1 if quick else bench_book.RUNS, one_round)


if __name__ == "__main__":
    if "--ours" in sys.argv:
        print(bench_book.run_once(way_named("auto"))["book.commands_per_s"])
    else:
        for key, figure in run(quick="--quick" in sys.argv).items():
            print(f"{key:42} {figure:>10,}")
