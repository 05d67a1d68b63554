"""`manage.py replay`: the state hash of any worker at any point of its journal."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from typing import Any

import msgspec
import redis
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.common.config import config
from apps.common.redis_clients import journal_client
from apps.journals import directory
from apps.journals.reader import LogReader
from apps.journals.recorded import Damage, Diverged
from apps.journals.replay import Replayed, replay
from apps.journals.snapshots import Snapshots
from apps.monitoring.walk import Walk, machine_of


class Stream(msgspec.Struct, frozen=True):
    """One replayed stream, as the contract names its parts."""

    stream: str
    seq: int
    hash: str
    commands: int
    seconds: float


class Command(BaseCommand):
    """Replay journals and print where they lead."""

    help = "Replay journals and print where they lead."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take where from, which stream, how far, and how to print."""
        parser.add_argument("--from", dest="start", choices=["genesis", "snapshot"], required=True)
        parser.add_argument("--stream", help="one worker, like book:BTC-USDT; all without it")
        parser.add_argument("--at", help="a sequence number, or a moment as ISO 8601")
        parser.add_argument("--hash", action="store_true", help="(always printed)")
        parser.add_argument("--json", action="store_true")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Replay, print; exit code 1 names damage, 2 says the journal is away."""
        try:
            with journal_client(socket_timeout=30) as journal:
                workers = [options["stream"]] if options["stream"] else directory.workers(journal)
                streams = [
                    self._replay(journal, worker, options["start"], options["at"])
                    for worker in workers
                ]
        except (Damage, Diverged) as damage:
            self.stderr.write(str(damage))
            sys.exit(1)
        except directory.NotFounded as unknown:
            raise CommandError(str(unknown), returncode=2) from None
        except redis.RedisError as away:
            raise CommandError(f"could not replay: {away}", returncode=2) from None
        if options["json"]:
            self.stdout.write(msgspec.json.encode({"streams": streams}).decode())
            return
        for one in streams:
            self.stdout.write(f"{one.stream} #{one.seq} {one.hash} ({one.commands} commands)")

    def _replay(self, journal: redis.Redis, worker: str, start: str, at: str | None) -> Stream:
        at_seq = int(at) if at and at.isdecimal() else None
        if at_seq is not None and (batch := _batch_of_snapshot(worker, at_seq)):
            return _walk(journal, worker, start, batch)
        at_batch = _batch_at(journal, worker, at) if at and at_seq is None else None
        make_machine, codec = machine_of(worker)
        found: Replayed = replay(
            worker,
            make_machine,
            codec,
            from_="snapshot" if start == "snapshot" else "genesis",
            at_seq=at_seq,
            at_batch=at_batch,
            journal=journal,
        )
        seconds = round(found.seconds, 3)
        return Stream(worker, found.seq, found.state_hash.hex(), found.commands, seconds)


def _batch_of_snapshot(worker: str, seq: int) -> int | None:
    """Return the batch at which a snapshot of this sequence was made: both name the same state."""
    snapshots = Snapshots(config.path("FAIRBOOK_SNAPSHOT_DIR"), worker).whole(seq_max=seq)
    newest = next(snapshots, None)
    return newest.batch if newest is not None and newest.seq == seq else None


def _walk(journal: redis.Redis, worker: str, start: str, batch: int) -> Stream:
    """Replay to a batch, from genesis or from a snapshot before it."""
    began = time.perf_counter()
    walk = Walk(worker, journal, from_snapshot=start == "snapshot", batch_max=batch - 1)
    walk.to(batch)
    state_hash, seconds = walk.replica.state_hash().hex(), time.perf_counter() - began
    return Stream(worker, walk.machine.seq, state_hash, walk.commands, round(seconds, 3))


def _batch_at(journal: redis.Redis, worker: str, moment: str) -> int:
    """Return the last batch of a worker whose header time is not after a moment."""
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        raise CommandError(f"--at {moment} is no number and no moment", returncode=2) from None
    at_ns = int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1_000_000) * 1_000
    reader = LogReader(journal, config.path("FAIRBOOK_ARCHIVE_DIR"), workers={worker: 0})
    last = 0
    while batches := reader.read(block_ms=0):
        for batch in batches:
            if batch.header.at_ns > at_ns:
                return last
            last = batch.number
    return last
