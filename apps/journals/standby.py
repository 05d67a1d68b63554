"""The hot standby of a worker: follows its headers, compares every byte, and stands ready.

It applies what the owner has written and nothing else, so it never runs ahead. Snapshots are its
work, because the owner has no time for them. When the owner falls silent it tries to take over;
if what it gets ever differs from the record, it stops, and never takes over.
"""

import contextlib
import time

import msgspec
import redis
import structlog

from apps.common.service import Service
from apps.journals import atomic, metrics
from apps.journals.history import GROUP, History
from apps.journals.lease import LeaseTerms, owner_is_silent
from apps.journals.recorded import Damage, RecordedBatch, apply_recorded, names_the_sequence
from apps.journals.recovery import Blueprint, catch_up
from apps.journals.replica import Replica
from apps.journals.snapshots import Snapshots

_log = structlog.get_logger("fairbook.journals")
PACE_S = 0.05
"""A follower takes what came meanwhile in one go: each read costs ten times what a batch costs."""
QUIET_BATCHES = 10_000
"""So many batches without a command are a reason for a snapshot, too."""


def asked_key(worker: str) -> str:
    """On the cache server: somebody wants a snapshot of this worker now."""
    return f"snapshot:asked:{worker}"


class SnapshotPace(msgspec.Struct, frozen=True):
    """When the next snapshot is due: whichever comes first."""

    every_s: float = 60
    every_commands: int = 200_000


class Standby:
    """Follows one worker, until it may own it."""

    def __init__(
        self,
        replica: Replica,
        *,
        blueprint: Blueprint,
        journal: redis.Redis,
        cache: redis.Redis,
        service: Service,
        member: str = "",
        terms: LeaseTerms | None = None,
        pace: SnapshotPace | None = None,
    ) -> None:
        self.replica = replica
        self.worker = blueprint.worker
        self._journal = journal
        self._cache = cache
        self._service = service
        self._member = member
        self._terms = terms or LeaseTerms()
        self._pace = pace or SnapshotPace()
        self._history: History = blueprint.history(journal)
        self._snapshots = Snapshots(blueprint.snapshot_dir, blueprint.worker)
        self._looked_at = 0.0
        self._saved_at = time.monotonic()
        self._saved_seq, self._saved_batch = replica.machine.seq, replica.batch

    def run(self) -> int | None:
        """Follow until the worker is ours: returns our epoch, or None when asked to stop."""
        block_ms = None  # First, without waiting, what is there already.
        while not self._service.stopping.is_set():
            batches = self.follow(block_ms=block_ms)
            block_ms = None if batches >= GROUP else int(self._terms.beat_s * 1000)
            if self._is_time_to_look():
                self._snapshot_if_asked()
                if not batches and (epoch := self.try_to_own()) is not None:
                    return epoch
            if 0 < batches < GROUP:
                self._service.stopping.wait(PACE_S)
        return None

    def follow(self, *, block_ms: int | None = None) -> int:
        """Apply what the owner has written since. Returns how many batches that was."""
        with names_the_sequence(self.replica):
            batches = self._history.read(after=self.replica.batch, block_ms=block_ms)
        for batch in batches:
            with names_the_sequence(self.replica):
                apply_recorded(self.replica, batch)
            self._snapshot_if_due(batch)
        if batches:
            self._service.info(batch=self.replica.batch, seq=self.replica.machine.seq)
            meters = metrics.of_worker(self.worker)
            meters.batch.set(self.replica.batch)
            meters.seq.set(self.replica.machine.seq)
        return len(batches)

    def try_to_own(self) -> int | None:
        """Raise the epoch if the owner is silent. Then beat, and `take_over`."""
        if not self._owner_is_silent():
            return None
        seen = atomic.read_epoch(self._journal, self.worker)
        if not self._owner_is_silent():  # Whoever took over before we looked beats by now.
            return None
        return atomic.claim_epoch(self._journal, self.worker, seen=seen)

    def _owner_is_silent(self) -> bool:
        return owner_is_silent(self._cache, self.worker, member=self._member)

    def take_over(self) -> Replica:
        """Apply the last of what the former owner wrote. From here on only we write."""
        catch_up(self.replica, self._history, go_on=lambda: True)
        self._check_end()
        self.replica.machine.check()
        return self.replica

    def _check_end(self) -> None:
        """Claim that the log ends where the cursor stands."""
        cursor = atomic.read_cursor(self._journal, self.worker)
        if cursor.batch == 0 and self.replica.batch == 0:
            return
        if (cursor.batch, cursor.hash) != (self.replica.batch, self.replica.hash):
            part = f"it stands at batch {cursor.batch}, the record at {self.replica.batch}"
            raise Damage(self.worker, "cursor", part)

    def _is_time_to_look(self) -> bool:
        now = time.monotonic()
        if now - self._looked_at < self._terms.beat_s:
            return False
        self._looked_at = now
        return True

    def _snapshot_if_due(self, batch: RecordedBatch) -> None:
        """Save the state at the end of a batch, if possible one that holds a command.

        Then `--at SEQ` and the snapshot of that sequence name the same state.
        """
        quiet = self.replica.batch - self._saved_batch >= QUIET_BATCHES
        if batch.core.last_seq < batch.core.first_seq and not quiet:
            return
        commands = self.replica.machine.seq - self._saved_seq
        is_late = time.monotonic() - self._saved_at >= self._pace.every_s
        if is_late or commands >= self._pace.every_commands or quiet:
            self.snapshot()

    def _snapshot_if_asked(self) -> None:
        """Save the state for whoever wants to compare with a live one: `verify` asks on `cache`."""
        with contextlib.suppress(redis.RedisError):
            if self._cache.delete(asked_key(self.worker)):
                is_there = self._snapshots.renew(seq=self.replica.machine.seq)
                if not is_there:
                    self.snapshot()

    def snapshot(self) -> None:
        """Save the replica's state now. If the disk refuses, that is said, and tried in its turn.

        A worker without new snapshots is slower to come up, and no less right: it goes on.
        """
        self._saved_at = time.monotonic()
        self._saved_seq, self._saved_batch = self.replica.machine.seq, self.replica.batch
        try:
            self._snapshots.save(self.replica)
        except OSError as error:
            _log.error("journals.snapshot.not_written", worker=self.worker, why=str(error))
            self._service.info(snapshot=f"not written: {error}")
            return
        self._service.info(snapshot="ok")
        metrics.SNAPSHOT_AT.labels(self.worker).set_to_current_time()
