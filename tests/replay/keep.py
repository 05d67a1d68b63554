"""Keep a day's journals for ever: `JOURNAL_URL=… python -m tests.replay.keep NAME`, empty server.

A build's kept journals stand in tests/replay/kept/<name>/ as the archiver writes them, with what
their replay must come to. Later builds replay them (test_kept_journals.py); none is made again.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

import redis

from apps.common.kernel.ids import partition_of
from apps.common.redis_clients import journal_client
from apps.journals.archiver import ArchivePace, WorkerArchiver
from apps.journals.contracts import RulesSet
from apps.risk.contracts.commands import (
    AccountFreeze,
    AmendOrder,
    PlaceExtra,
    PlaceOrder,
    PlacePair,
)
from matching_worker.contracts.market import RULES_NEWEST, BreakerSet, MarketStateSet
from matching_worker.contracts.to_book import OrderExtras
from tests.helpers.journal_world import SECOND_NS, JournalWorld

BOOK = "book:BTC-USDT"
KEPT = Path(__file__).parent / "kept"
AT_ONCE = ArchivePace(read_s=0, read_batches=1, cut_s=0, trim_age_s=10**9, trim_bytes=10**12)


def a_day(journal: redis.Redis, *, seed: int) -> JournalWorld:
    """Trade for a while on two partitions, by the newest rules, with all that people can ask."""
    dice = random.Random(seed)
    world = JournalWorld(journal, partitions=2)
    for worker in world.replicas:
        world.tell(worker, RulesSet(RULES_NEWEST))
    world.tell(BOOK, BreakerSet(ppm=4_000, cancel_only_s=20, post_only_s=5))
    people = [world.account(n, partition=n % 2, BTC=5, USDT=5_000) for n in range(1, 9)]
    world.run()
    for _ in range(600):
        _something(world, dice, dice.choice(people))
        world.run(seconds=dice.choice([0.0, 0.05, 3.0]))
    return world


def _something(world: JournalWorld, dice: random.Random, who: int) -> None:
    """Let one person, or the operator, do one thing."""
    luck = dice.random()
    partition = f"risk:{partition_of(who)}"
    if luck < 0.60:
        force = dice.choice(["GTC", "GTC", "IOC", "FOK"])
        world.tell(partition, _order(world, dice, who, time_in_force=force))
    elif luck < 0.75:
        world.tell(partition, PlaceExtra(_order(world, dice, who), _extras(world, dice)))
    elif luck < 0.80:
        world.tell(partition, _pair(world, dice, who))
    elif luck < 0.88:
        _amend(world, dice, who)
    elif luck < 0.95:
        world.cancel_all(who)
    elif luck < 0.97:
        frozen = dice.random() < 0.5
        world.tell(partition, AccountFreeze(who, frozen, "kept"))
    elif luck < 0.99:
        world.tell(BOOK, MarketStateSet("trading", "kept"))
    else:
        world.tell(BOOK, MarketStateSet("auction", "kept"))


def _order(world: JournalWorld, dice: random.Random, who: int, **terms: str) -> PlaceOrder:
    price = 10_000 + dice.randint(-60, 60)
    return world.order(who, dice.choice("BS"), lots=dice.randint(1, 400), at=price, **terms)


def _extras(world: JournalWorld, dice: random.Random) -> OrderExtras:
    """Choose what an order asks for besides: a trigger, a trail, an end, a self-trade mode."""
    kind = dice.choice(["stop", "profit", "trail", "till", "mode"])
    if kind == "till":
        return OrderExtras(expires_ns=world.now_ns + 30 * SECOND_NS)
    if kind == "mode":
        return OrderExtras(self_trade=dice.choice("MBN"))
    if kind == "trail":
        return OrderExtras(trigger="stop", trail_ppm=dice.choice([1_000, 2_000]))
    ticks = 10_000 + dice.randint(-60, 60)
    return OrderExtras(trigger="stop" if kind == "stop" else "profit", trigger_ticks=ticks)


def _pair(world: JournalWorld, dice: random.Random, who: int) -> PlacePair:
    """Make a sale above the market with a stop below it."""
    lots = dice.randint(1, 100)
    above = world.order(who, "S", lots=lots, at=10_000 + dice.randint(10, 60))
    below = world.order(who, "S", lots=lots, at=9_900)
    stop = OrderExtras(trigger="stop", trigger_ticks=10_000 - dice.randint(10, 60))
    return PlacePair(PlaceExtra(above, OrderExtras()), PlaceExtra(below, stop))


def _amend(world: JournalWorld, dice: random.Random, who: int) -> None:
    """Make one of somebody's resting orders smaller, if they have one."""
    book: Any = world.replicas[BOOK].machine
    resting = book.book.resting_of(who)
    if not resting:
        return
    terms = dice.choice(resting).terms
    until = world.now_ns + 10 * SECOND_NS
    lots = max(1, terms.lots - dice.randint(0, 50))
    asked = AmendOrder(0, who, "BTC-USDT", terms.order_id, "", lots, until)
    world.tell(f"risk:{partition_of(who)}", asked)


def keep(journal: redis.Redis, folder: Path) -> None:
    """Archive a day into a folder, with the hashes that its replay must reach."""
    world = a_day(journal, seed=1)
    expected = {}
    for worker, replica in world.replicas.items():
        archiver = WorkerArchiver(journal, folder, worker, AT_ONCE)
        turn = 0
        while archiver.archive.last_batch < replica.batch:
            archiver.turn(newest_batch=replica.batch, now=float(turn := turn + 1))
            archiver.cut()
        expected[worker] = {
            "batch": replica.batch,
            "seq": replica.machine.seq,
            "hash": replica.hash.hex(),
            "state_hash": replica.state_hash().hex(),
        }
    (folder / "expected.json").write_text(json.dumps(expected, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    keep(journal_client(), KEPT / sys.argv[1])
