"""The archiver: `python -m apps.journals.archiver`, one process for all workers.

It cuts each worker's log and inputs into its archive, and trims from the journal server what is
fsynced there and old or big enough. Nothing else trims, and nobody else holds it back: who reads
slower than that reads segments.
"""

import sys
import time
from collections import deque
from itertools import islice
from pathlib import Path

import msgspec
import redis
import structlog

from apps.common.config import config
from apps.common.kernel.ids import StreamId
from apps.common.redis_clients import cache_client, journal_client
from apps.common.service import Service
from apps.journals import atomic, directory, keys, wire
from apps.journals.archive import ArchiveWriter
from apps.journals.history import History
from apps.journals.pressure import MEGABYTE, Limits, PressureGauge
from apps.journals.recorded import Damage, RecordedBatch
from apps.journals.segments import ArchivedBatch

TICK_S = 0.1
CHUNK_BYTES = MEGABYTE
_log = structlog.get_logger("fairbook.archiver")


class ArchivePace(msgspec.Struct, frozen=True):
    """When to read, to cut and to trim."""

    read_s: float = 1.0  # A quiet log is read so often,
    read_batches: int = 256  # a busy one whenever so much is new.
    cut_s: float = 5.0
    trim_s: float = 5.0  # A trim is a durable write like an order's: rarely, unless much stands.
    trim_age_s: float = 30.0
    trim_bytes: int = 16 * MEGABYTE


class Mark(msgspec.Struct, frozen=True):
    """An archived batch that still stands in its streams."""

    batch: int
    at_ns: int
    size: int
    takes: list[wire.Take]


class WorkerArchiver:
    """Cuts and trims one worker."""

    def __init__(
        self, journal: redis.Redis, archive_dir: Path, worker: str, pace: ArchivePace
    ) -> None:
        self.worker = worker
        self._journal = journal
        self._pace = pace
        genesis = directory.genesis_of(journal, worker)
        self.archive = ArchiveWriter(archive_dir, worker, genesis)
        self._log = keys.log(worker)
        trimmed = atomic.read_trimmed(journal, worker).get(self._log, (0, 0))[0]
        self.archive.open(trimmed_to=trimmed)
        self._history = History(journal, archive_dir, worker)
        self._read_to = self.archive.last_batch
        self._pending: list[ArchivedBatch] = []
        self._pending_marks: list[Mark] = []
        self._pending_bytes = 0
        self._pending_since = 0.0
        self._marks: deque[Mark] = deque()
        self._marks_bytes = 0
        self._read_at = self._trimmed_at = float("-inf")
        self._hash: bytes | None = None  # Of the last batch read; known from the first one on.
        self._note_untrimmed(trimmed)

    def _note_untrimmed(self, trimmed: int) -> None:
        """Find what was archived by a former life and still stands in the streams."""
        history = History(self._journal, self.archive.directory.parent, self.worker)
        after = trimmed
        while after < self.archive.last_batch and (batches := history.read(after=after)):
            for batch in batches:
                if batch.number <= self.archive.last_batch:
                    self._note_archived(_mark(batch))
            after = batches[-1].number

    def turn(self, *, newest_batch: int, now: float) -> None:
        """Read if it is time, cut if there is enough, trim what may go."""
        is_busy = newest_batch - self._read_to >= self._pace.read_batches
        if newest_batch > self._read_to and (is_busy or now - self._read_at >= self._pace.read_s):
            self._read_at = now
            self._read(now)
        if self._pending and now - self._pending_since >= self._pace.cut_s:
            self.cut()
        if now - self._trimmed_at >= self._pace.trim_s or self._marks_bytes > self._pace.trim_bytes:
            self._trimmed_at = now
            self.trim(now_ns=time.time_ns())

    def _read(self, now: float) -> None:
        for batch in self._history.read(after=self._read_to):
            if not self._pending:
                self._pending_since = now
            self._check(batch)
            mark = _mark(batch)
            self._pending.append(
                ArchivedBatch(batch.number, batch.header, batch.outputs, batch.inputs)
            )
            self._pending_marks.append(mark)
            self._pending_bytes += mark.size
            self._read_to = batch.number
            if self._pending_bytes >= CHUNK_BYTES:
                self.cut()

    def _check(self, batch: RecordedBatch) -> None:
        """Archive nothing that is not what was written: from then on it is the only copy."""
        batch.check_follows(batch.sealed.prev if self._hash is None else self._hash)
        if not batch.has_its_inputs():
            raise batch.damage("its inputs are not the bytes that were taken")
        self._hash = batch.sealed.hash()

    def cut(self) -> None:
        """Write what was read as one chunk; from then on it may be trimmed."""
        if not self._pending:
            return
        self.archive.append(self._pending)
        for mark in self._pending_marks:
            self._note_archived(mark)
        self._pending, self._pending_marks, self._pending_bytes = [], [], 0

    def _note_archived(self, mark: Mark) -> None:
        self._marks.append(mark)
        self._marks_bytes += mark.size

    def trim(self, *, now_ns: int) -> None:
        """Drop archived batches that are old or too many; the newest one stays."""
        horizon_ns = now_ns - int(self._pace.trim_age_s * 1e9)
        last: dict[str, StreamId] = {}
        count, left_bytes = 0, self._marks_bytes
        for mark in islice(self._marks, max(0, len(self._marks) - 1)):
            if mark.at_ns > horizon_ns and left_bytes <= self._pace.trim_bytes:
                break
            count, left_bytes = count + 1, left_bytes - mark.size
            last[self._log] = (mark.batch, 0)
            last |= {take.stream: take.last for take in mark.takes}
        for stream, up_to in last.items():
            atomic.trim(self._journal, stream, writer=keys.writer_of(stream), up_to=up_to)
        for _ in range(count):  # Only now: a trim that failed is tried again.
            self._marks.popleft()
        self._marks_bytes = left_bytes


def _mark(batch: RecordedBatch) -> Mark:
    inputs = sum(
        len(value) for entries in batch.inputs for _, fields in entries for value in fields.values()
    )
    size = len(batch.header) + len(batch.outputs) + inputs
    return Mark(batch.number, batch.core.at_ns, size, batch.core.takes)


class Archiver:
    """All workers' archivers, and the pressure gauge."""

    def __init__(
        self,
        journal: redis.Redis,
        cache: redis.Redis,
        archive_dir: Path,
        *,
        pace: ArchivePace | None = None,
        limits: Limits | None = None,
        service: Service | None = None,
    ) -> None:
        archive_dir.mkdir(parents=True, exist_ok=True)
        self._journal = journal
        self._archive_dir = archive_dir
        self._pace = pace or ArchivePace()
        self._gauge = PressureGauge(journal, cache, archive_dir, limits or Limits())
        self._service = service
        self._workers: dict[str, WorkerArchiver] = {}
        self._failed: dict[str, str] = {}
        self._looked_at = float("-inf")

    def turn(self) -> None:
        """Look for new workers, serve each, and say how full the journals are."""
        now = time.monotonic()
        if now - self._looked_at >= 1:
            self._looked_at = now
            self._look()
        batches = self._newest_batches()
        for worker, archiver in self._workers.items():
            try:
                archiver.turn(newest_batch=batches[worker], now=now)
            except (Damage, OSError) as error:
                self._set_aside(worker, error)
        for worker in self._failed:
            self._workers.pop(worker, None)
        archived = {w: archiver.archive.last_batch for w, archiver in self._workers.items()}
        archived |= dict.fromkeys(self._failed, 0)
        self._publish(archived)

    def _publish(self, archived: dict[str, int]) -> None:
        try:
            self._gauge.publish(archived)
            self._check("cache", True)
        except (redis.ConnectionError, redis.TimeoutError) as error:
            self._check("cache", False, str(error))

    def cut_all(self) -> None:
        """Write what was read, at the end of a life."""
        for archiver in self._workers.values():
            archiver.cut()

    def _look(self) -> None:
        for worker in directory.workers(self._journal):
            if worker in self._workers or worker in self._failed:
                continue
            try:
                self._workers[worker] = WorkerArchiver(
                    self._journal, self._archive_dir, worker, self._pace
                )
            except (Damage, OSError) as error:
                self._set_aside(worker, error)

    def _newest_batches(self) -> dict[str, int]:
        pipeline = self._journal.pipeline(transaction=False)
        for worker in self._workers:
            pipeline.hget(keys.cursor(worker), "batch")
        answers = pipeline.execute() if self._workers else []
        return {w: int(batch or 0) for w, batch in zip(self._workers, answers, strict=True)}

    def _set_aside(self, worker: str, error: Exception) -> None:
        """Archive and trim no more of a worker whose record is damaged; the others go on."""
        self._failed[worker] = str(error)
        _log.critical("archiver.worker.failed", worker=worker, why=str(error))
        self._check(f"archive {worker}", False, str(error))

    def _check(self, name: str, ok: bool, detail: str = "") -> None:
        if self._service is not None:
            self._service.check(name, ok, detail)


def run(service: Service) -> int:
    """Archive until asked to stop."""
    journal, cache = journal_client(), cache_client()
    archiver = Archiver(
        journal,
        cache,
        config.path("FAIRBOOK_ARCHIVE_DIR"),
        pace=ArchivePace(
            trim_age_s=config.integer("FAIRBOOK_TRIM_AGE_S"),
            trim_bytes=config.integer("FAIRBOOK_STREAM_TRIM_MB") * MEGABYTE,
        ),
        limits=Limits(
            journal_bytes=config.integer("FAIRBOOK_JOURNAL_LIMIT_MB") * MEGABYTE,
            stream_bytes=config.integer("FAIRBOOK_STREAM_LIMIT_MB") * MEGABYTE,
            disk_percent=config.integer("FAIRBOOK_ARCHIVE_DISK_PERCENT"),
        ),
        service=service,
    )
    while not service.stopping.wait(TICK_S):
        try:
            archiver.turn()
            service.check("journal", True)
        except redis.RedisError as error:
            service.check("journal", False, f"{type(error).__name__}: {error}")
    archiver.cut_all()
    return 0


def main() -> None:
    """Run as a process of its own."""
    service = Service(kind="archiver")
    service.check("journal", False, "connecting")
    try:
        sys.exit(run(service))
    finally:
        service.close()


if __name__ == "__main__":
    main()
