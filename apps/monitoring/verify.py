"""The whole exchange checked from nothing: journals, ledger, books, and what people are shown.

The ledger is read as of one moment; each partition is replayed to where the ledger stands and
compared there, then to where the projector stands, then to the end; each book to where its
partitions have read it, then to the end. A second replay starts from the newest snapshot.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import msgspec
import redis

from apps.common import audit_chain
from apps.journals import directory
from apps.journals.archive import Archive
from apps.journals.recorded import Damage, Diverged, RecordedBatch
from apps.journals.snapshots import Snapshot, Snapshots
from apps.journals.standby import asked_key
from apps.ledger import audit, selectors
from apps.ledger.contracts import CursorNow
from apps.monitoring import derive, shown
from apps.monitoring.books import BookWatch, FillCount, PartitionView, views_of
from apps.monitoring.contracts import SCHEMA, Hashes, Verified
from apps.monitoring.findings import Findings
from apps.monitoring.walk import (
    Walk,
    blueprint_of,
    is_partition,
    last_batch,
    last_batch_with_commands,
    number_of,
)

LIVE_WAIT_S = 2.0
AUDIT_RECORDS_AT_ONCE = 5_000

Stops = dict[int, list[Callable[[], None]]]


def verify(
    journal: redis.Redis, cache: redis.Redis, *, live_wait_s: float = LIVE_WAIT_S
) -> Verified:
    """Check everything that can be checked, and name the first thing that is wrong."""
    started = time.perf_counter()
    run = _Verification(journal, cache)
    run.ask_for_live_states(live_wait_s)
    with audit.consistent_view():
        run.check_ledger()
        run.replay_partitions()
    run.check_audit_log()
    run.replay_books()
    run.replay_from_snapshots()
    run.check_archives()
    return Verified(
        schema=SCHEMA,
        ok=run.findings.ok,
        at=run.at,
        invariants=run.findings.invariants(),
        imbalance_minor={asset: str(amount) for asset, amount in run.imbalance.items()},
        hashes=run.hashes(),
        seconds=round(time.perf_counter() - started, 3),
    )


class _Verification:
    """One run: what it has found so far, and what later steps need of earlier ones."""

    def __init__(self, journal: redis.Redis, cache: redis.Redis) -> None:
        self._journal = journal
        self._cache = cache
        self.findings = Findings()
        self.at: dict[str, int] = {}
        self.imbalance: dict[str, int] = {}
        self._workers = directory.workers(journal)
        self._ends: dict[str, int] = {}  # The batch at which each worker's hashes are compared.
        self._live: dict[str, bytes] = {}
        self._genesis: dict[str, bytes] = {}
        self._snapshot: dict[str, bytes] = {}
        self._views: dict[str, dict[str, PartitionView]] = {}  # By book, then by partition.
        self._cuts = derive.Cuts()

    def hashes(self) -> dict[str, Hashes]:
        """Return each worker's state hash, by each way there is to get it."""
        return {
            worker: Hashes(
                live=_hex(self._live.get(worker)),
                genesis=_hex(self._genesis.get(worker)),
                snapshot=_hex(self._snapshot.get(worker)),
            )
            for worker in self._workers
        }

    # -- where everything stands

    def ask_for_live_states(self, wait_s: float) -> None:
        """Ask every standby for its state. Where none answers there is no live state to compare."""
        asked_at = time.time()
        for worker in self._workers:
            self._cache.set(asked_key(worker), b"1", px=int(wait_s * 1000) + 1)
        waiting = set(self._workers)
        while waiting and time.time() < asked_at + wait_s:
            for worker in sorted(waiting):
                fresh = _newest_snapshot(worker, since=asked_at)
                if fresh is not None:
                    self._ends[worker], self._live[worker] = fresh.batch, fresh.state_hash
                    waiting.discard(worker)
            if waiting:
                time.sleep(0.05)
        for worker in sorted(waiting):
            self._ends[worker] = last_batch_with_commands(self._journal, worker)

    # -- the ledger by itself

    def check_ledger(self) -> None:
        """I1, I4, I5, I7: what the ledger must hold whatever the journals say."""
        findings = self.findings
        partitions = [worker for worker in self._workers if is_partition(worker)]
        self._note("I1", audit.count_entries(), audit.unbalanced_entries())
        self._note("I5", audit.count_accounts(), audit.wrong_balances())
        both = len(partitions) == 1
        self._note("I4", audit.count_trades(), audit.wrong_trades(both_sides_are_here=both))
        self._note("I7", audit.count_entries(), audit.repeated_references())
        self.imbalance = audit.imbalance()
        for asset, amount in self.imbalance.items():
            findings.claim("I1", amount == 0, f"all balances of {asset} come to {amount}")
        self._cursors = {cursor.worker: cursor for cursor in selectors.cursors()}
        for cursor in self._cursors.values():
            what = f"settlement of {cursor.worker} is stopped: {cursor.reason}"
            findings.claim("I8", cursor.state == "running", what)

    def _note(self, invariant: str, checked: int, violations: list[str]) -> None:
        self.findings.checked(invariant, checked)
        for violation in violations:
            self.findings.violated(invariant, violation)

    def check_audit_log(self) -> None:
        """I10: every record is as it was sealed, and all that was told of the log is in it."""
        check = audit_chain.ChainCheck()
        while True:
            count, wrong = check.go_on(AUDIT_RECORDS_AT_ONCE)
            self._note("I10", count, wrong)
            if count < AUDIT_RECORDS_AT_ONCE or wrong:
                break
        self._note("I10", 0, audit_chain.wrong_tellings(self._journal))

    # -- partitions

    def replay_partitions(self) -> None:
        """Replay every partition from its genesis, comparing at each place that has a twin."""
        partitions = [worker for worker in self._workers if is_partition(worker)]
        for worker in partitions:
            with self._damage_is_named(worker):
                self._replay_partition(worker)
        self._cuts.check({number_of(worker) for worker in partitions}, self.findings)

    def _replay_partition(self, worker: str) -> None:
        partition = number_of(worker)
        cursor = self._cursors.get(worker)
        walk = Walk(worker, self._journal, from_snapshot=False)
        booked_to = cursor.batch if cursor is not None else 0
        derivation = derive.Derivation(
            partition, self.findings, after=0, up_to=booked_to, machine=walk.machine
        )
        fills = FillCount()

        def fold(batch: RecordedBatch, events: Sequence[Any]) -> None:
            derivation.fold(batch, events)
            fills.fold(events)
            self._cuts.fold(partition, events)

        stops: Stops = {booked_to: [derivation.finish, lambda: self._compare_ledger(walk, cursor)]}
        models = shown.read_models(self._cache, worker, partition)
        if models is None:
            self.findings.skip("I12", "the read models are being rebuilt")
        else:
            compare = shown.compare_read_models
            stops.setdefault(models.batch, []).append(
                lambda: compare(walk.machine, models, self.findings)
            )
        self._walk(walk, fold, stops)
        for book, view in views_of(walk.replica, fills).items():
            self._views.setdefault(book, {})[worker] = view

    def _compare_ledger(self, walk: Walk, cursor: CursorNow | None) -> None:
        """Compare where the ledger's cursor stands: the place, every balance, every open order."""
        replica, findings = walk.replica, self.findings
        if cursor is not None and cursor.batch:
            same = (cursor.hash, cursor.seq) == (replica.hash, replica.machine.seq)
            findings.claim("I8", same, f"the cursor of {cursor.worker} is not on this journal")
        partition = number_of(walk.worker)
        derive.compare_balances(walk.machine, audit.balances(partition), findings)
        derive.compare_open_orders(walk.machine, audit.open_orders(partition), findings)

    # -- books

    def replay_books(self) -> None:
        """Replay every book from its genesis, comparing orders and trades with the partitions'."""
        for worker in self._workers:
            if not is_partition(worker):
                with self._damage_is_named(worker):
                    self._replay_book(worker)

    def _replay_book(self, worker: str) -> None:
        market = worker.partition(":")[2]
        tape = shown.read_tape(self._cache, market)
        walk = Walk(worker, self._journal, from_snapshot=False)
        watch = BookWatch(walk.replica, self._views.get(worker, {}), self.findings)
        self._walk(walk, watch.fold, {})
        while watch.waits and walk.step(fold=watch.fold):
            pass  # A partition has read frames that the book wrote after its own end here.
        watch.finish()
        shown.compare_tape(tape, watch.tape, market, self.findings)

    # -- what both share

    def _walk(self, walk: Walk, fold: Any, stops: Stops) -> None:
        """Go to the worker's end, doing what is to be done on the way, and take its hash there."""
        worker, end = walk.worker, self._ends[walk.worker]
        stops.setdefault(end, []).append(lambda: self._take_hash(walk))
        for snapshot in Snapshots(blueprint_of(worker).snapshot_dir, worker).whole():
            stops.setdefault(snapshot.batch, []).append(
                partial(self._compare_snapshot, walk, snapshot)
            )
        for batch in sorted(stops):
            if batch > last_batch(self._journal, worker):
                what = f"something of {worker} stands at batch {batch}, which was never written"
                self.findings.violated("I7", what)
                continue
            walk.to(batch, fold=fold)
            for act in stops[batch]:
                act()
        self.findings.checked("I7", walk.replica.batch)
        self._check_machine(walk)

    def _take_hash(self, walk: Walk) -> None:
        state_hash = walk.replica.state_hash()
        self._genesis[walk.worker] = state_hash
        self.at[walk.worker] = walk.machine.seq
        if (live := self._live.get(walk.worker)) is not None:
            what = f"{walk.worker}: the standby's state at batch {walk.replica.batch} is another"
            self.findings.claim("I6", live == state_hash, what)

    def _compare_snapshot(self, walk: Walk, snapshot: Snapshot) -> None:
        what = f"{walk.worker}: the snapshot of batch {snapshot.batch} is another state"
        same = (
            snapshot.state_hash == walk.replica.state_hash() and snapshot.hash == walk.replica.hash
        )
        self.findings.claim("I6", same, what)

    def _check_machine(self, walk: Walk) -> None:
        """Have the machine check its beliefs, recomputed from nothing."""
        invariant = "I3" if is_partition(walk.worker) else "I9"
        try:
            walk.machine.check()
        except Exception as broken:  # Whatever it raises, it is a broken belief.
            self.findings.violated(invariant, f"{walk.worker}: {broken}")
        self.findings.checked(invariant)
        if is_partition(walk.worker):
            derive.check_holds(walk.machine, self.findings)

    def replay_from_snapshots(self) -> None:
        """Replay once more, from the newest snapshot before the end, to the same state."""
        for worker in self._workers:
            if worker not in self._genesis:
                continue  # Its journal is damaged, and named so.
            with self._damage_is_named(worker):
                end = self._ends[worker]
                walk = Walk(worker, self._journal, from_snapshot=True, batch_max=max(end - 1, 0))
                walk.to(end)
                self._snapshot[worker] = walk.replica.state_hash()
                same = self._snapshot[worker] == self._genesis[worker]
                what = (
                    f"{worker}: batch {end} from the snapshot of batch {walk.start_batch}"
                    " is another state than from genesis"
                )
                self.findings.claim("I6", same, what)

    def check_archives(self) -> None:
        """Read every archived byte: each chunk's digest, and each batch's place in the chain."""
        for worker in self._workers:
            archive = Archive(blueprint_of(worker).archive_dir, worker)
            with self._damage_is_named(worker):
                previous: bytes | None = None
                for batch in archive.batches(after=0):
                    batch.check_follows(previous if previous is not None else batch.sealed.prev)
                    previous = batch.sealed.hash()
                    self.findings.checked("I6")

    @contextmanager
    def _damage_is_named(self, worker: str) -> Any:
        """Name what is wrong with a worker's record, and go on with the others."""
        try:
            yield
        except (Damage, Diverged, directory.NotFounded, msgspec.MsgspecError) as damage:
            what = str(damage)
            self.findings.violated("I6", what if worker in what else f"{worker}: {what}")


def _newest_snapshot(worker: str, *, since: float) -> Snapshot | None:
    """Return a snapshot that was written since, or None."""
    snapshots = Snapshots(blueprint_of(worker).snapshot_dir, worker)
    fresh = [p for p in snapshots.directory.glob("*.snapshot") if p.stat().st_mtime >= since]
    return next(snapshots.whole(), None) if fresh else None


def _hex(state_hash: bytes | None) -> str | None:
    return None if state_hash is None else state_hash.hex()
