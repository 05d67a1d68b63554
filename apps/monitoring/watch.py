"""The verifier that never stops: it goes on where it stood, every ten seconds, in one process.

Each partition's replica follows the ledger's cursor, and the ledger is compared with it there: what
was booked since, every balance, every open order. Each book's replica follows what its partitions
have read. Snapshots and read models are compared where a replica passes them. A tick has a budget,
and the next one goes on. What was before the first snapshot is checked by `manage.py verify`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec
import redis
import structlog
from django.db import OperationalError, connection

from apps.common import audit_chain
from apps.common.kernel.invariants import InvariantBroken
from apps.journals import directory
from apps.journals.recorded import Damage, Diverged, RecordedBatch
from apps.journals.snapshots import Snapshots
from apps.ledger import audit, selectors, services
from apps.ledger.contracts import CursorNow
from apps.markets import services as markets
from apps.monitoring import derive, shown
from apps.monitoring.books import BookWatch, PartitionView, views_of
from apps.monitoring.contracts import VerifyStatus
from apps.monitoring.findings import Findings
from apps.monitoring.selectors import VERIFY_STATUS
from apps.monitoring.walk import Walk, blueprint_of, is_partition, market_of, number_of

BUDGET_S = 0.25
BATCHES_AT_ONCE = 256
SWEEP_MS = 500  # Longer than this a sweep of the whole ledger is not this task's work.
HALT = "verify"
AUDIT_RECORDS, AUDIT_TELLINGS = 1_000, 20  # Of the audit log, in each tick.

_log = structlog.get_logger("fairbook.verify")


class Watch:
    """Replicas of all workers, and what was found on their way."""

    def __init__(
        self, journal: redis.Redis, cache: redis.Redis, *, budget_s: float = BUDGET_S
    ) -> None:
        self.journal = journal
        self.cache = cache
        self.budget_s = budget_s
        self.walks: dict[str, Walk] = {}
        self.models: dict[str, shown.Shown] = {}  # Read, and not passed by the replica yet.
        self.cuts = derive.Cuts()
        self.sweeps = True
        self.audit_chain = audit_chain.ChainCheck()

    def tick(self) -> VerifyStatus:
        """Go on for a moment, publish what was found, and stop withdrawals if it does not tie."""
        started = time.perf_counter()
        run = _Tick(self)
        imbalance = run.go()
        if run.findings.first is not None:
            services.halt_withdrawals(source=HALT, reason=run.findings.first)
        for market, why in run.broken_markets.items():
            markets.halt(market, reason=why)
        standing = selectors.halts()
        status = VerifyStatus(
            ok=run.findings.ok and not standing,
            imbalance={asset: str(amount) for asset, amount in imbalance.items()},
            seqs={worker: walk.machine.seq for worker, walk in sorted(self.walks.items())},
            at=time.time(),
            seconds=round(time.perf_counter() - started, 3),
            first=run.findings.first or (standing[0].reason if standing else None),
            is_caught_up=run.is_caught_up,
        )
        self.cache.set(VERIFY_STATUS, msgspec.json.encode(status))
        return status


class _Tick:
    """One turn of the watch."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._share_s = 0.0
        self._until = 0.0
        self.findings = Findings()
        self.broken_markets: dict[str, str] = {}  # Whose book is not what its record says: why.
        self.is_caught_up = True

    def go(self) -> dict[str, int]:
        """Check as much as the budget allows; return what the ledger's balances come to."""
        workers = directory.workers(self._watch.journal)
        self._share_s = self._watch.budget_s / max(len(workers), 1)
        views: dict[str, dict[str, PartitionView]] = {}
        self._read_models(workers)
        with audit.consistent_view():
            cursors = {cursor.worker: cursor for cursor in selectors.cursors()}
            imbalance = audit.imbalance()
            for asset, amount in imbalance.items():
                self.findings.claim("I1", amount == 0, f"balances of {asset} come to {amount}")
            for worker in filter(is_partition, workers):
                if (cursor := cursors.get(worker)) is not None and cursor.batch:
                    self._guarded(worker, partial(self._follow_ledger, worker, cursor, views))
        partitions = {number_of(worker) for worker in workers if is_partition(worker)}
        self._watch.cuts.check(partitions, self.findings)
        for worker in workers:
            if not is_partition(worker) and worker in views:
                self._guarded(worker, partial(self._follow_book, worker, views[worker]))
        if self._watch.sweeps:
            self._sweep()
        self._check_audit_log()
        return imbalance

    @property
    def _has_time(self) -> bool:
        return time.thread_time() < self._until

    def _guarded(self, worker: str, act: Callable[[], None]) -> None:
        """Name what is wrong with a worker's record, and come up anew for it in the next tick."""
        self._until = time.thread_time() + self._share_s
        before = self.findings.count
        try:
            act()
        except (Damage, Diverged, directory.NotFounded, msgspec.MsgspecError) as damage:
            self._watch.walks.pop(worker, None)
            self.findings.violated("I6", str(damage))
        except InvariantBroken as broken:
            self.findings.violated("I9", f"{worker}: {broken}")
        if self.findings.count > before and not is_partition(worker):
            self.broken_markets[market_of(worker)] = self.findings.newest

    def _walk(self, worker: str, *, batch_max: int | None = None) -> Walk:
        walks = self._watch.walks
        if worker not in walks:
            walks[worker] = Walk(
                worker, self._watch.journal, from_snapshot=True, batch_max=batch_max
            )
        return walks[worker]

    # -- partitions

    def _read_models(self, workers: Sequence[str]) -> None:
        """Remember what people are shown now, to compare it when the replica stands there."""
        for worker in filter(is_partition, workers):
            if worker not in self._watch.models:
                models = shown.read_models(self._watch.cache, worker, number_of(worker))
                if models is not None:
                    self._watch.models[worker] = models

    def _follow_ledger(
        self, worker: str, cursor: CursorNow, views: dict[str, dict[str, PartitionView]]
    ) -> None:
        walk = self._walk(worker, batch_max=cursor.batch)
        while walk.replica.batch < cursor.batch and self._has_time:
            self._derive(walk, min(cursor.batch, walk.replica.batch + BATCHES_AT_ONCE))
        self._compare_models(walk)
        if walk.replica.batch < cursor.batch:
            self.is_caught_up = False
            return
        same = (cursor.hash, cursor.seq) == (walk.replica.hash, walk.machine.seq)
        self.findings.claim("I8", same, f"the cursor of {worker} is not on this journal")
        balances = audit.balances(number_of(worker))
        derive.compare_balances(walk.machine, balances, self.findings)
        history = audit.open_orders(number_of(worker))
        derive.compare_open_orders(walk.machine, history, self.findings)
        derive.check_holds(walk.machine, self.findings)
        for book, view in views_of(walk.replica, None).items():
            views.setdefault(book, {})[worker] = view

    def _derive(self, walk: Walk, up_to: int) -> None:
        """Go on to a batch, deriving the ledger's rows again on the way."""
        partition, start = number_of(walk.worker), walk.replica.batch
        derivation = derive.Derivation(
            partition, self.findings, after=start, up_to=up_to, machine=walk.machine
        )

        def fold(batch: RecordedBatch, events: Sequence[Any]) -> None:
            derivation.fold(batch, events)
            self._watch.cuts.fold(partition, events)

        snapshots = _snapshot_batches(walk.worker)
        for stop in self._stops(walk, up_to, snapshots):
            walk.to(stop, fold=fold)
            self._compare_models(walk)
            if stop in snapshots:
                self._compare_snapshot(walk)
        derivation.finish()

    def _stops(self, walk: Walk, up_to: int, snapshots: set[int]) -> list[int]:
        """List the batches on the way at which there is something to compare, and the last."""
        stops = {up_to, *snapshots}
        if (models := self._watch.models.get(walk.worker)) is not None:
            stops.add(models.batch)
        return sorted(stop for stop in stops if walk.replica.batch < stop <= up_to)

    def _compare_models(self, walk: Walk) -> None:
        models = self._watch.models.get(walk.worker)
        if models is None or models.batch > walk.replica.batch:
            return
        del self._watch.models[walk.worker]
        if models.batch == walk.replica.batch:
            shown.compare_read_models(walk.machine, models, self.findings)

    def _compare_snapshot(self, walk: Walk) -> None:
        replica = walk.replica
        snapshots = Snapshots(blueprint_of(walk.worker).snapshot_dir, walk.worker)
        snapshot = next(snapshots.whole(batch_max=replica.batch), None)
        if snapshot is not None and snapshot.batch == replica.batch:
            what = f"{walk.worker}: the snapshot of batch {snapshot.batch} is another state"
            self.findings.claim("I6", snapshot.state_hash == replica.state_hash(), what)

    # -- books

    def _follow_book(self, worker: str, views: dict[str, PartitionView]) -> None:
        walk = self._walk(worker)
        watch = BookWatch(walk.replica, views, self.findings)
        snapshots = _snapshot_batches(worker)
        while watch.waits:
            if not self._has_time or not walk.step(fold=watch.fold):
                self.is_caught_up = False
                return
            if walk.replica.batch in snapshots:
                self._compare_snapshot(walk)
        walk.machine.book.check()

    # -- the ledger by itself

    def _sweep(self) -> None:
        """Sum the whole ledger up, for as long as that is quick."""
        try:
            with audit.consistent_view():
                with connection.cursor() as cursor:
                    cursor.execute(f"SET LOCAL statement_timeout = {SWEEP_MS}")
                for invariant, found in (
                    ("I1", audit.unbalanced_entries()),
                    ("I5", audit.wrong_balances()),
                ):
                    for violation in found:
                        self.findings.violated(invariant, violation)
        except OperationalError as slow:
            if "statement timeout" not in str(slow):
                raise
            self._watch.sweeps = False
            _log.warning("verify.sweep.left_to_the_command", limit_ms=SWEEP_MS)

    def _check_audit_log(self) -> None:
        """Go on round the audit log, and compare what was told of it last."""
        _, wrong = self._watch.audit_chain.go_on(AUDIT_RECORDS)
        wrong += audit_chain.wrong_tellings(self._watch.journal, newest=AUDIT_TELLINGS)
        for violation in wrong:
            self.findings.violated("I10", violation)


def _snapshot_batches(worker: str) -> set[int]:
    """Return the batches that snapshots were made of."""
    directory_ = Snapshots(blueprint_of(worker).snapshot_dir, worker).directory
    return {int(path.stem) for path in directory_.glob("*.snapshot")}
