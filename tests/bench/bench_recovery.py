"""How fast a journal is replayed from genesis, and how soon a market trades after its owner died.

The journal is a shard's (see `bench_shard`): the resting orders, then the mixed flow. Failover is
what a client sees: `kill -9` on the owner under 50 orders a second, until an order that was sent
after it is acknowledged.

    python -m tests.bench.bench_recovery            # the replay only
"""

from __future__ import annotations

import asyncio
import gc
import json
import statistics
import sys
import time

import httpx

from apps.journals.replay import replay_with
from tests.bench.bench_shard import AHEAD, PER_FRAME, Shard
from tests.bench.durable import fresh_servers
from tests.bench.figures import Figures
from tests.bench.own_process import measured_alone
from tests.helpers.dialect_client import Keys
from tests.helpers.history import Load
from tests.helpers.stack import Stack

FRAMES = 1_560  # Of 64 orders, with their cancels: with what rests before, 200,000 commands.
KILLS = 3
RATE = 50.0
BEFORE_S, AFTER_S = 2.0, 8.0
SYMBOL = "BTCUSDT"
MEMBERS = ("book-BTC-USDT-a", "book-BTC-USDT-b")


def measure(*, quick: bool) -> Figures:
    """Let a shard write a journal, and replay it."""
    shard = Shard(frames=200 if quick else FRAMES, per_frame=PER_FRAME)
    with shard.producer, fresh_servers("journal") as journal:
        book = shard.opened(journal)
        shard.run(book, window=AHEAD)
        live = book.owner.replica.state_hash()
        gc.collect()
        gc.freeze()  # What made the journal is none of the replay's garbage.
        replayed = replay_with(book.blueprint, journal)
    if replayed.state_hash != live:
        raise RuntimeError("the replay led elsewhere")
    return {
        "recovery.commands_per_s": round(replayed.commands / replayed.seconds),
        "recovery.commands": replayed.commands,
    }


def run(*, quick: bool = False) -> Figures:
    """Measure the replay in a process of its own."""
    return measured_alone("tests.bench.bench_recovery", quick=quick)


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
    print(json.dumps(measure(quick=hurry) if "--measure" in sys.argv else run(quick=hurry)))
