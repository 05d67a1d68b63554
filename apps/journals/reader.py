"""Following the logs of workers, from any batch on: what settlement, feeds and read models read.

A reader holds nothing back: what was trimmed meanwhile it reads from the archive's segments. It
checks the hash chain as it goes, and raises `Damage` on a gap rather than skip.
"""

import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import redis

from apps.common.kernel.ids import parse_stream_id
from apps.journals import keys, streams, wire
from apps.journals.archive import Archive
from apps.journals.recorded import Damage, RecordedBatch

TRIM_CHECK_S = 1.0
"""How often a silent log is asked whether it was trimmed under us: XREAD would not say."""


class Batch(msgspec.Struct, frozen=True, gc=False):
    """One batch of a worker, as its log tells it."""

    worker: str
    number: int
    header: wire.Header
    hash: bytes
    prev: bytes  # The hash of the batch before it: a reader compares its own place with it.
    outputs: bytes

    def events(self, decoder: msgspec.msgpack.Decoder[list[Any]]) -> list[Any]:
        """Return the batch's events, decoded as lists of the reader's union."""
        return decoder.decode(self.outputs) if self.outputs else []


class _Follower:
    """How far one worker's log was read."""

    def __init__(self, archive: Archive, after: int) -> None:
        self.archive = archive
        self.log = keys.log(archive.worker)
        self.after = after
        self.hash: bytes | None = None  # Known from the first batch on.
        self.segments: Iterator[RecordedBatch] | None = None  # While it reads the archive.

    def accept(self, batch: RecordedBatch) -> Batch:
        """Check that a batch is the next one, and step behind it."""
        if batch.number != self.after + 1:
            raise batch.damage(f"it comes after batch {self.after}")
        batch.check_follows(self.hash if self.hash is not None else batch.sealed.prev)
        self.after, self.hash = batch.number, batch.sealed.hash()
        prev = batch.sealed.prev
        return Batch(batch.worker, batch.number, batch.core, self.hash, prev, batch.outputs)


class LogReader:
    """Reads the logs of several workers, each from its own batch on."""

    def __init__(self, journal: redis.Redis, archive_dir: Path, workers: dict[str, int]) -> None:
        self._journal = journal
        self._followers = {
            keys.log(worker): _Follower(Archive(archive_dir, worker), after)
            for worker, after in workers.items()
        }
        self._checked_at = float("-inf")

    def read(self, *, block_ms: int = 1000, count: int = 512) -> list[Batch]:
        """Return what is new, in order per worker, at most `count` batches of each.

        Waits up to `block_ms` for the first (0: does not wait). On an exception nothing is lost:
        the batches before it are given again by a reader that starts after the last one taken.
        """
        self._look_for_trims(list(self._followers))
        batches = self._read_archives(count)
        batches += self._read_streams(0 if batches else block_ms, count)
        return batches or self._read_archives(count)  # It may have found just now that it must.

    def _read_archives(self, count: int) -> list[Batch]:
        batches: list[Batch] = []
        for follower in self._followers.values():
            if follower.segments is None:
                continue
            found = [follower.accept(batch) for batch in islice(follower.segments, count)]
            if len(found) < count:
                follower.segments = None  # Its end: the stream goes on from here.
            batches += found
        return batches

    def _read_streams(self, block_ms: int, count: int) -> list[Batch]:
        following = {log: f for log, f in self._followers.items() if f.segments is None}
        if not following:
            return []
        after = {log: (follower.after, 0) for log, follower in following.items()}
        found = streams.read_new(self._journal, after, count=count, block_ms=block_ms or None)
        batches: list[Batch] = []
        for log, entries in found.items():
            follower = following[log]
            if entries and entries[0][0][0] > follower.after + 1:
                self._turn_to_archive(follower)
                continue
            for (number, _), fields in entries:
                header = fields.get(keys.LOG_FIELD_HEADER, b"")
                outputs = fields.get(keys.LOG_FIELD_OUTPUTS, b"")
                worker = follower.archive.worker
                batches.append(
                    follower.accept(RecordedBatch(worker, number, header, outputs, [], log))
                )
        return batches

    def _look_for_trims(self, logs: list[str]) -> None:
        """Find the logs whose next batch was trimmed: nothing else tells while they are silent."""
        now = time.monotonic()
        if now - self._checked_at < TRIM_CHECK_S:
            return
        self._checked_at = now
        pipeline = self._journal.pipeline(transaction=False)
        for log in logs:
            pipeline.hget(keys.trimmed(keys.writer_of(log)), log)
        for log, gone in zip(logs, pipeline.execute(), strict=True):
            follower = self._followers[log]
            if gone is not None and parse_stream_id(gone) > (follower.after, 0):
                self._turn_to_archive(follower)

    def _turn_to_archive(self, follower: _Follower) -> None:
        if follower.segments is not None:
            return
        segments = follower.archive.batches(after=follower.after)
        first = next(segments, None)
        if first is None or first.number != follower.after + 1:
            place = f"{follower.log} and {follower.archive.directory}"
            part = f"batch {follower.after + 1} is in neither"
            raise Damage(follower.archive.worker, place, part)
        follower.segments = _chain(first, segments)


def _chain(first: RecordedBatch, rest: Iterator[RecordedBatch]) -> Iterator[RecordedBatch]:
    yield first
    yield from rest
