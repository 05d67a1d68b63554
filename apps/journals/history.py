"""A worker's batches with their inputs, wherever they stand: in its streams, or in its archive."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import cast

import msgspec
import redis

from apps.common.kernel.ids import StreamId
from apps.journals import atomic, keys, streams, wire
from apps.journals.archive import Archive
from apps.journals.recorded import Damage, RecordedBatch
from apps.journals.replica import InputEntry

GROUP = 64
"""How many batches are fetched in one go."""


class History:
    """Reads what a worker did, batch by batch, never past its last header."""

    def __init__(self, journal: redis.Redis, archive_dir: Path, worker: str) -> None:
        self._journal = journal
        self._worker = worker
        self._log = keys.log(worker)
        self._archive = Archive(archive_dir, worker)
        self._archived: Iterator[RecordedBatch] = iter(())
        self._archived_to = -1

    def read(self, *, after: int, block_ms: int | None = None) -> list[RecordedBatch]:
        """Return the next batches, none if there are none yet; raises Damage on a gap."""
        found = streams.read_new(
            self._journal, {self._log: (after, 0)}, count=GROUP, block_ms=block_ms
        )
        entries = found.get(self._log, [])
        if entries and entries[0][0] == (after + 1, 0):
            batches = self._with_inputs(entries)
            if batches:
                return batches
        elif not entries and not self._was_trimmed(after):
            return []
        return self._from_archive(after)

    def _was_trimmed(self, after: int) -> bool:
        trimmed = atomic.read_trimmed(self._journal, self._worker).get(self._log, (0, 0))
        return trimmed > (after, 0)

    def _from_archive(self, after: int) -> list[RecordedBatch]:
        if after != self._archived_to:
            self._archived = self._archive.batches(after=after)
        group = list(islice(self._archived, GROUP))
        if not group:  # What the archiver has appended since needs a fresh look.
            self._archived = self._archive.batches(after=after)
            group = list(islice(self._archived, GROUP))
        if not group or group[0].number != after + 1:
            place = f"{self._log} and {self._archive.directory}"
            raise Damage(self._worker, place, f"batch {after + 1} is in neither")
        self._archived_to = group[-1].number
        return group

    def _with_inputs(self, entries: list[InputEntry]) -> list[RecordedBatch]:
        """Add the inputs that the headers name; stop before one whose inputs were trimmed."""
        takes = [self._takes(number, fields) for (number, _), fields in entries]
        found, trimmed = streams.read_ranges(self._journal, _merged(takes))
        batches = []
        for ((number, _), fields), batch_takes in zip(entries, takes, strict=True):
            if any(take.stream in trimmed for take in batch_takes):
                break
            inputs = [_between(found[take.stream], take.first, take.last) for take in batch_takes]
            header = fields.get(keys.LOG_FIELD_HEADER, b"")
            outputs = fields.get(keys.LOG_FIELD_OUTPUTS, b"")
            batches.append(RecordedBatch(self._worker, number, header, outputs, inputs, self._log))
        return batches

    def _takes(self, number: int, fields: object) -> list[wire.Take]:
        raw = cast("dict[bytes, bytes]", fields).get(keys.LOG_FIELD_HEADER, b"")
        try:
            takes = wire.decode_header(wire.decode_sealed(raw).core).takes
            for take in takes:
                keys.writer_of(take.stream)
        except (msgspec.MsgspecError, ValueError):
            part = f"batch {number}: its header cannot be read"
            raise Damage(self._worker, self._log, part) from None
        return takes


def _merged(takes: Iterable[list[wire.Take]]) -> dict[str, streams.Range]:
    """Return one range per stream: what is taken from a stream is taken in order, without holes."""
    ranges: dict[str, streams.Range] = {}
    for batch in takes:
        for take in batch:
            first, _ = ranges.get(take.stream, (take.first, take.last))
            ranges[take.stream] = (first, take.last)
    return ranges


def _between(entries: list[InputEntry], first: StreamId, last: StreamId) -> list[InputEntry]:
    start = bisect_left(entries, first, key=itemgetter(0))
    return entries[start : bisect_right(entries, last, lo=start, key=itemgetter(0))]
