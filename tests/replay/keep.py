"""Keep a day's journals for ever: `JOURNAL_URL=… python -m tests.replay.keep NAME`, empty server.

A build's kept journals stand in tests/replay/kept/<name>/ as the archiver writes them, with what
their replay must come to. Later builds replay them (test_kept_journals.py); none is made again.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

import redis

from apps.common.redis_clients import journal_client
from apps.journals.archiver import ArchivePace, WorkerArchiver
from tests.helpers.journal_world import JournalWorld

KEPT = Path(__file__).parent / "kept"
AT_ONCE = ArchivePace(read_s=0, read_batches=1, cut_s=0, trim_age_s=10**9, trim_bytes=10**12)


def a_day(journal: redis.Redis, *, seed: int) -> JournalWorld:
    """Trade for a while on two partitions: fills, cancels, refusals, cuts, checkpoints."""
    dice = random.Random(seed)
    world = JournalWorld(journal, partitions=2)
    people = [world.account(n, partition=n % 2, BTC=5, USDT=5_000) for n in range(1, 9)]
    world.run()
    for _ in range(400):
        who = dice.choice(people)
        if dice.random() < 0.1:
            world.cancel_all(who)
        else:
            force = dice.choice(["GTC", "GTC", "IOC", "FOK"])
            lots, price = dice.randint(1, 400), 10_000 + dice.randint(-60, 60)
            side = dice.choice("BS")
            world.place(who, side, lots=lots, at=price, time_in_force=force)
        world.run(seconds=dice.choice([0.0, 0.05, 3.0]))
    return world


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
