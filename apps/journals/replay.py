"""Replaying a worker's journal: the same state, from genesis or a snapshot, or the exact damage."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import msgspec
import redis

from apps.common.redis_clients import journal_client
from apps.journals.archive import Archive
from apps.journals.codec import Codec
from apps.journals.machine import Machine
from apps.journals.process import blueprint_of
from apps.journals.recorded import Damage, Diverged, RecordedBatch, apply_recorded
from apps.journals.recovery import Blueprint
from apps.journals.replica import Replica

__all__ = ["Damage", "Diverged", "Replayed", "replay", "replay_archive", "replay_with"]

Start = Literal["genesis", "snapshot"]


class Replayed(msgspec.Struct, frozen=True):
    """Where a replay ended, and what the state was there."""

    worker: str
    seq: int
    batch: int
    hash: bytes
    state_hash: bytes
    commands: int  # Applied by this replay.
    seconds: float


def replay(
    worker: str,
    make_machine: Callable[[], Machine],
    codec: Codec,
    *,
    from_: Start = "genesis",
    at_seq: int | None = None,
    at_batch: int | None = None,
    journal: redis.Redis | None = None,
    archive_dir: Path | None = None,
    snapshot_dir: Path | None = None,
) -> Replayed:
    """Apply a worker's record and return where it leads; raises Damage or Diverged by name.

    `at_seq` stops right behind that command (at the end of its batch if it is the batch's last),
    `at_batch` behind that batch. Servers and directories are the environment's if not given.
    """
    blueprint = blueprint_of(worker, make_machine, codec)
    blueprint = msgspec.structs.replace(
        blueprint,
        archive_dir=archive_dir or blueprint.archive_dir,
        snapshot_dir=snapshot_dir or blueprint.snapshot_dir,
    )
    return replay_with(
        blueprint, journal or journal_client(), from_=from_, at_seq=at_seq, at_batch=at_batch
    )


def replay_with(
    blueprint: Blueprint,
    journal: redis.Redis,
    *,
    from_: Start = "genesis",
    at_seq: int | None = None,
    at_batch: int | None = None,
) -> Replayed:
    """Replay with a blueprint at hand (see `replay`)."""
    started = time.perf_counter()
    if from_ == "snapshot":
        before = None if at_seq is None else at_seq - 1
        replica = blueprint.from_snapshot(journal, seq_max=before, batch_max=at_batch)
    else:
        replica = blueprint.at_genesis(journal)
    first_seq = replica.machine.seq
    for batch in _batches(blueprint, journal, replica):
        if at_batch is not None and replica.batch >= at_batch:
            break
        if at_seq is not None and replica.machine.seq >= at_seq:
            break
        if at_seq is not None and batch.core.last_seq > at_seq:
            _apply_part(replica, batch, at_seq)
            break
        apply_recorded(replica, batch)
    return _replayed(replica, since_seq=first_seq, seconds=time.perf_counter() - started)


def replay_archive(blueprint: Blueprint) -> Replayed:
    """Replay what stands in the archive alone: no server is asked (kept and published journals)."""
    started = time.perf_counter()
    archive = Archive(blueprint.archive_dir, blueprint.worker)
    genesis = archive.genesis()
    if genesis is None:
        raise Damage(blueprint.worker, str(archive.directory), "its genesis is gone")
    replica = blueprint.founded_on(genesis)
    for batch in archive.batches(after=0):
        apply_recorded(replica, batch)
    return _replayed(replica, since_seq=0, seconds=time.perf_counter() - started)


def _replayed(replica: Replica, *, since_seq: int, seconds: float) -> Replayed:
    return Replayed(
        worker=replica.worker,
        seq=replica.machine.seq,
        batch=replica.batch,
        hash=replica.hash,
        state_hash=replica.state_hash(),
        commands=replica.machine.seq - since_seq,
        seconds=seconds,
    )


def _batches(
    blueprint: Blueprint, journal: redis.Redis, replica: Replica
) -> Iterator[RecordedBatch]:
    history = blueprint.history(journal)
    while batches := history.read(after=replica.batch):
        yield from batches


def _apply_part(replica: Replica, batch: RecordedBatch, at_seq: int) -> None:
    """Apply a batch up to a command in the middle of it, and leave it open."""
    replica.skip(batch.core.skips)
    replica.stop_at_seq = at_seq
    replica.begin(batch.core.at_ns)
    for take, entries in zip(batch.core.takes, batch.inputs, strict=True):
        for entry, fields in entries:
            if replica.machine.seq >= at_seq:
                return
            replica.take(take.stream, entry, fields)
