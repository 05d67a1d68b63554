"""The projector's process: come up, follow the partitions' logs, write final values.

One writer. It starts from its own cursors when `cache` still holds them, else it builds everything
again and readers answer 503 until that is done; orders flow either way.
"""

import time
from collections.abc import Iterable
from pathlib import Path

import msgspec
import redis

from apps.common.config import config
from apps.common.kernel.invariants import InvariantBroken
from apps.common.redis_clients import cache_client, journal_client
from apps.common.service import Service
from apps.journals import directory
from apps.journals.contracts import FrameRefused
from apps.journals.reader import Batch, LogReader
from apps.marketdata import places
from apps.orders.projector import store
from apps.orders.projector.folds import Fold
from apps.orders.projector.from_snapshots import start_from
from apps.risk.contracts.events import RiskEvent

READ_AT_ONCE = 512
IDLE_BLOCK_MS = 1_000
PACE_S = 0.02  # Several batches share one read and one write.
LOOK_S = 1.0  # How often to look for new partitions, and whether the cache still knows us.
AGAIN_S = 0.2
HISTORY_MAX = 200_000  # Batches: about ten seconds of reading. A longer log starts at a snapshot.

_events = msgspec.msgpack.Decoder(list[RiskEvent | FrameRefused])


class Projector:
    """Follows all partitions' logs and keeps the read models."""

    def __init__(
        self,
        journal: "redis.Redis",
        cache: "redis.Redis",
        folders: tuple[Path, Path],  # Archive, snapshots.
        service: Service,
    ) -> None:
        self._journal, self._cache = journal, cache
        self._archive, self._snapshots = folders
        self._service = service
        self.fold = Fold()
        self.ready = False
        self._reader: LogReader | None = None
        self._targets: dict[str, int] = {}
        self._looked_at = 0.0

    def run(self) -> None:
        """Live until asked to stop. A server that is away is waited for, never guessed about."""
        while not self._service.stopping.is_set():
            try:
                self.come_up()
                while not self._service.stopping.is_set():
                    if self.turn() and self.ready:
                        self._service.stopping.wait(PACE_S)
            except (redis.ConnectionError, redis.TimeoutError, redis.ReadOnlyError) as error:
                self._service.check("projector", False, type(error).__name__)
                self._service.stopping.wait(AGAIN_S)
            except store.CacheLost:
                self._service.check("projector", False, "the cache was restarted: building again")

    def come_up(self) -> None:
        """Go on from the cursors on `cache`, or start over from the logs."""
        workers = self._partitions()
        fold = store.load(self._cache, workers)
        self.ready = fold is not None and self._is_of_these_logs(fold)
        if fold is None or not self.ready:
            store.wipe(self._cache)
            fold = Fold()
        fold.quiet = not self.ready
        self.fold = fold
        self._targets = {worker: places.last_batch(self._journal, worker) for worker in workers}
        if not self.ready:
            self._skip_history()
        self._follow(workers)
        self._service.check("projector", self.ready, "building the read models")

    def _is_of_these_logs(self, fold: Fold) -> bool:
        return all(
            places.is_in_log(self._journal, worker, place.batch, place.hash)
            for worker, place in fold.places.items()
        )

    def _skip_history(self) -> None:
        """Start from snapshots where a log is too long to be read while people wait."""
        for worker, target in self._targets.items():
            if target > HISTORY_MAX:
                start_from(self.fold, self._journal, self._snapshots, worker)

    def turn(self, block_ms: int = IDLE_BLOCK_MS) -> int:
        """Read once, fold, write; returns how many batches there were."""
        if time.monotonic() - self._looked_at >= LOOK_S:
            self._look()
        if self._reader is None:
            if not self.ready:
                self._write()  # No partition yet: nothing is missing.
            self._service.stopping.wait(block_ms / 1_000)
            return 0
        caught_up = self._caught_up()
        batches = self._reader.read(block_ms=block_ms if caught_up else 0, count=READ_AT_ONCE)
        self._fold(batches)
        if batches or (caught_up and not self.ready):
            self._write()
        return len(batches)

    def _fold(self, batches: Iterable[Batch]) -> None:
        for batch in batches:
            try:
                events = batch.events(_events)
                self.fold.apply(batch.worker, batch.header, batch.hash, events)
            except InvariantBroken:
                if not self.ready:
                    raise  # Read from nothing, the log itself breaks the belief: stop and say so.
                self._service.log.exception("orders.projector.rebuilding", worker=batch.worker)
                store.wipe(self._cache)
                raise store.CacheLost from None

    def _write(self) -> None:
        ready = self.ready or self._caught_up()
        changes = self.fold.take_changes()
        changes.leave(time.time_ns())
        store.write(self._cache, changes, was_ready=self.ready, ready=ready)
        if ready and not self.ready:
            self.ready, self.fold.quiet = True, False
            self._service.check("projector", True)
        batches = {worker: place.batch for worker, place in self.fold.places.items()}
        self._service.info(batches=batches)

    def _look(self) -> None:
        """Take up new partitions, and notice a cache that was restarted while nothing happened."""
        self._looked_at = time.monotonic()
        workers = self._partitions()
        if set(workers) != set(self._targets):
            self._targets |= {
                worker: places.last_batch(self._journal, worker)
                for worker in set(workers) - set(self._targets)
            }
            self._follow(workers)
        if self.ready and not self._cache.exists(store.rm.READY):
            raise store.CacheLost

    def _follow(self, workers: list[str]) -> None:
        after = {
            worker: self.fold.places[worker].batch if worker in self.fold.places else 0
            for worker in workers
        }
        self._reader = LogReader(self._journal, self._archive, workers=after) if after else None
        self._looked_at = time.monotonic()

    def _caught_up(self) -> bool:
        read = self.fold.places
        return all(
            target == 0 or (worker in read and read[worker].batch >= target)
            for worker, target in self._targets.items()
        )

    def _partitions(self) -> list[str]:
        names = directory.workers(self._journal)
        return [name for name in names if name.startswith("risk:")]


def main() -> None:
    """Run as `python -m apps.orders.projector`."""
    service = Service(kind="projector")
    service.check("projector", False, "starting")
    journal = journal_client(socket_timeout=None)
    folders = (config.path("FAIRBOOK_ARCHIVE_DIR"), config.path("FAIRBOOK_SNAPSHOT_DIR"))
    Projector(journal, cache_client(), folders, service).run()
    service.close()
