"""Snapshots of a worker: whole or not there at all, and checked when they are loaded."""

import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import structlog

from apps.common.kernel.ids import StreamId
from apps.journals import state
from apps.journals.replica import Replica

KEPT = 3
SLICE_BYTES = 256 * 1024
_SUFFIX = ".snapshot"
_log = structlog.get_logger("fairbook.journals")


class Snapshot(msgspec.Struct, frozen=True, array_like=True, tag="snapshot.v1"):
    """A worker's state after a batch, and where that batch stands."""

    worker: str
    batch: int
    hash: bytes
    seq: int
    at_ns: int
    rules: int
    inputs: dict[str, StreamId]  # Per input stream, the last id taken.
    state_hash: bytes
    state: bytes  # Compressed.


class Snapshots:
    """The snapshots of one worker, in one directory that both its members share."""

    def __init__(self, directory: Path, worker: str) -> None:
        self._worker = worker
        self.directory = directory / worker.replace(":", "-")

    def save(self, replica: Replica) -> Path:
        """Write the replica's state to disk; a crash in the middle leaves no trace of it."""
        snapshot = _snapshot_of(replica)
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / f"{snapshot.batch:012d}{_SUFFIX}"
        write_durably(path, msgspec.msgpack.encode(snapshot))
        for old in self._files()[KEPT:]:
            old.unlink(missing_ok=True)
        return path

    def whole(
        self, *, seq_max: int | None = None, batch_max: int | None = None
    ) -> Iterator[Snapshot]:
        """Yield the snapshots that can be read, newest first; a bad one is set aside, and said."""
        for path in self._files():
            if batch_max is not None and int(path.stem) > batch_max:
                continue
            snapshot = self._read(path)
            if snapshot is not None and (seq_max is None or snapshot.seq <= seq_max):
                yield snapshot

    def load_newest(
        self, replica: Replica, *, seq_max: int | None = None, batch_max: int | None = None
    ) -> Snapshot | None:
        """Make a fresh replica the newest whole snapshot. None leaves it at its genesis."""
        for snapshot in self.whole(seq_max=seq_max, batch_max=batch_max):
            if not _loads(replica, snapshot):
                raise BadSnapshot(
                    self._set_aside(self._path(snapshot), "it loads as another state")
                )
            return snapshot
        return None

    def renew(self, *, seq: int) -> bool:
        """Date the newest snapshot as of now if it is of this sequence: one is enough for each."""
        newest = next(self.whole(), None)
        if newest is None or newest.seq != seq:
            return False
        self._path(newest).touch()
        return True

    def _path(self, snapshot: Snapshot) -> Path:
        return self.directory / f"{snapshot.batch:012d}{_SUFFIX}"

    def _files(self) -> list[Path]:
        return sorted(self.directory.glob(f"*{_SUFFIX}"), reverse=True)

    def _read(self, path: Path) -> Snapshot | None:
        try:
            snapshot = msgspec.msgpack.decode(path.read_bytes(), type=Snapshot)
            if snapshot.worker != self._worker:
                raise ValueError(f"it is {snapshot.worker}'s")
            if state.digest(zlib.decompress(snapshot.state)) != snapshot.state_hash:
                raise ValueError("its state is not the one that was hashed")
        except FileNotFoundError:
            return None  # The other member has just dropped it.
        except (msgspec.MsgspecError, zlib.error, ValueError) as error:
            self._set_aside(path, str(error))
            return None
        return snapshot

    def _set_aside(self, path: Path, why: str) -> str:
        path.rename(path.with_suffix(".bad"))
        _log.error("journals.snapshot.bad", worker=self._worker, file=path.name, why=why)
        return f"{path.name}: {why}"


def _snapshot_of(replica: Replica, *, compressed: bytes | None = None) -> Snapshot:
    dumped = replica.state()
    return Snapshot(
        worker=replica.worker,
        batch=replica.batch,
        hash=replica.hash,
        seq=replica.machine.seq,
        at_ns=replica.at_ns,
        rules=replica.rules,
        inputs=dict(replica.cursor),
        state_hash=state.digest(dumped),
        state=compressed or zlib.compress(dumped, level=1),
    )


def _loads(replica: Replica, snapshot: Snapshot) -> bool:
    try:
        replica.load(zlib.decompress(snapshot.state))
    except Exception:
        _log.exception("journals.snapshot.load_failed", worker=snapshot.worker)
        return False
    return snapshot == _snapshot_of(replica, compressed=snapshot.state)


class BadSnapshot(Exception):
    """A snapshot that is whole loads as another state. It is set aside; begin again without it."""


def write_durably(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: temporary file, fsync, rename, fsync of the directory.

    It goes to the disk slice by slice: an owner's fsync never waits behind more than one of them.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    rest = memoryview(content)
    try:
        with draft.open("wb", buffering=0) as file:
            while rest.nbytes:
                rest = rest[file.write(rest[:SLICE_BYTES]) :]
                os.fdatasync(file.fileno())
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)  # A full disk has no room for what nobody will read.
        raise
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make a directory's entries durable."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
