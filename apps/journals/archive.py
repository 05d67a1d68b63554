"""A worker's archive: its genesis and its segments, for ever, in one directory."""

import os
from collections.abc import Iterator
from pathlib import Path

from apps.journals import wire
from apps.journals.recorded import Damage, RecordedBatch
from apps.journals.segments import (
    SUFFIX,
    ArchivedBatch,
    ChunkHead,
    Torn,
    heads,
    make_chunk,
    read_chunk,
)
from apps.journals.snapshots import sync_directory, write_durably

SEGMENT_BYTES = 64 * 2**20


class Archive:
    """Reads a worker's segments. Many processes may; one archiver appends (`ArchiveWriter`)."""

    def __init__(self, directory: Path, worker: str) -> None:
        self.worker = worker
        self.directory = directory / worker.replace(":", "-")

    def genesis(self) -> bytes | None:
        """Return the configuration frame that the worker started from, if it is here."""
        path = self.directory / "genesis"
        return path.read_bytes() if path.exists() else None

    def files(self) -> list[Path]:
        """Return the segments, oldest first."""
        return sorted(self.directory.glob(f"*{SUFFIX}"))

    def batches(self, *, after: int) -> Iterator[RecordedBatch]:
        """Yield the archived batches behind this one, in order, as far as they are written.

        Chunks are checked by their digests and their chain; batches by whoever applies them.
        """
        previous: bytes | None = None
        for head in self._heads(after):
            batches, digest = read_chunk(head, self.worker)
            if previous is not None and head.prev != previous:
                part = f"batches {head.first} to {head.last}: they do not follow the chunk before"
                raise Damage(self.worker, str(head.path), part)
            previous = digest
            for batch in batches:
                if batch.number > after:
                    yield batch

    def _heads(self, after: int) -> Iterator[ChunkHead]:
        files = self.files()
        starts = [int(path.stem) for path in files]
        for place, path in enumerate(files):
            is_last = place == len(files) - 1
            if not is_last and starts[place + 1] <= after + 1:
                continue  # All of it is behind us.
            try:
                yield from (head for head in heads(path) if head.last > after)
            except Torn:
                if not is_last:
                    raise Damage(self.worker, str(path), "its end is missing") from None
                return  # The archiver is appending, or will cut this part again.


class ArchiveWriter(Archive):
    """Appends to a worker's archive. `last_batch` is the last one that is durable."""

    def __init__(self, directory: Path, worker: str, genesis: bytes) -> None:
        super().__init__(directory, worker)
        self.directory.mkdir(parents=True, exist_ok=True)
        if self.genesis() is None:
            write_durably(self.directory / "genesis", genesis)
        if self.genesis() != genesis:
            raise Damage(worker, str(self.directory / "genesis"), "not the worker's genesis")
        self.last_batch = 0
        self._digest = wire.genesis_hash(genesis)
        self._size = 0
        self._path: Path | None = None

    def open(self, *, trimmed_to: int) -> None:
        """Find the end. A torn one is cut off, to be written again from the streams.

        Only what was fsynced is trimmed, so a bad end below `trimmed_to` is damage, not a tear.
        """
        files = self.files()
        if not files:
            return
        path = files[-1]
        whole: list[ChunkHead] = []
        try:
            whole.extend(heads(path))
            self._take_end(whole, path)
        except (Torn, Damage) as error:
            whole = self._whole_chunks(path)
            last = whole[-1].last if whole else int(path.stem) - 1
            if last < trimmed_to:
                raise Damage(
                    self.worker, str(path), f"batch {last + 1} was archived and is gone: {error}"
                ) from error
            self._cut_off(path, whole)
            self.open(trimmed_to=trimmed_to)

    def append(self, batches: list[ArchivedBatch]) -> None:
        """Write batches as one chunk; they are durable when this returns."""
        chunk, digest = make_chunk(batches, prev=self._digest)
        if self._path is None or self._size >= SEGMENT_BYTES:
            self._path = self.directory / f"{batches[0].number:012d}{SUFFIX}"
            self._size = 0
        with self._path.open("ab") as file:
            file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        if self._size == 0:
            sync_directory(self.directory)
        self._size += len(chunk)
        self._digest, self.last_batch = digest, batches[-1].number

    def _take_end(self, whole: list[ChunkHead], path: Path) -> None:
        if not whole:
            raise Torn
        _, self._digest = read_chunk(whole[-1], self.worker)
        self.last_batch = whole[-1].last
        self._path, self._size = path, whole[-1].end

    def _whole_chunks(self, path: Path) -> list[ChunkHead]:
        """Return the chunks of a torn file up to the tear."""
        whole = []
        try:
            for head in heads(path):
                read_chunk(head, self.worker)
                whole.append(head)
        except (Torn, Damage):
            pass
        return whole

    def _cut_off(self, path: Path, whole: list[ChunkHead]) -> None:
        if not whole:
            path.unlink()
        else:
            os.truncate(path, whole[-1].end)
        sync_directory(self.directory)
