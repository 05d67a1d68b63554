"""The one way up: newest whole snapshot, its hash, replay by headers, check, open.

First start, restart, crash and failover all take it, and so do `verify` and a worker that has lost
faith in its memory. There is no other.
"""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import redis
import structlog

from apps.journals import directory
from apps.journals.codec import Codec
from apps.journals.history import History
from apps.journals.machine import Machine
from apps.journals.recorded import RecordedBatch, apply_recorded, names_the_sequence
from apps.journals.replica import Replica
from apps.journals.snapshots import BadSnapshot, Snapshots

_log = structlog.get_logger("fairbook.journals")


class Blueprint(msgspec.Struct, frozen=True):
    """What it takes to make a worker's replica, and where its record lies."""

    worker: str
    make_machine: Callable[[], Machine]
    codec: Codec
    archive_dir: Path
    snapshot_dir: Path

    def at_genesis(self, journal: redis.Redis) -> Replica:
        """Return a replica that has applied nothing yet."""
        return self.founded_on(directory.genesis_of(journal, self.worker))

    def founded_on(self, genesis: bytes) -> Replica:
        """Return a replica of this genesis."""
        return Replica(self.worker, self.make_machine(), self.codec, genesis)

    def from_snapshot(
        self, journal: redis.Redis, *, seq_max: int | None = None, batch_max: int | None = None
    ) -> Replica:
        """Return a replica that stands at the newest whole snapshot, or at genesis without one."""
        snapshots = Snapshots(self.snapshot_dir, self.worker)
        while True:
            replica = self.at_genesis(journal)
            with contextlib.suppress(BadSnapshot):  # Then it is set aside: try the one before.
                snapshots.load_newest(replica, seq_max=seq_max, batch_max=batch_max)
                return replica

    def history(self, journal: redis.Redis) -> History:
        """Return the reader of the worker's batches."""
        return History(journal, self.archive_dir, self.worker)


def bring_up(
    blueprint: Blueprint, journal: redis.Redis, *, go_on: Callable[[], bool] = lambda: True
) -> Replica:
    """Return a replica that has applied every batch of the record, with its beliefs checked."""
    started = time.perf_counter()
    replica = blueprint.from_snapshot(journal)
    snapshot_batch = replica.batch
    catch_up(replica, blueprint.history(journal), go_on=go_on)
    replica.machine.check()
    _log.info(
        "journals.recovery.done",
        worker=blueprint.worker,
        snapshot_batch=snapshot_batch,
        batch=replica.batch,
        seq=replica.machine.seq,
        seconds=round(time.perf_counter() - started, 3),
    )
    return replica


def catch_up(replica: Replica, history: History, *, go_on: Callable[[], bool]) -> None:
    """Apply what the record has beyond the replica."""
    while go_on() and (batches := _read(replica, history)):
        for batch in batches:
            with names_the_sequence(replica):
                apply_recorded(replica, batch)


def _read(replica: Replica, history: History) -> list[RecordedBatch]:
    with names_the_sequence(replica):
        return history.read(after=replica.batch)
