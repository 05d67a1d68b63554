"""Batches as the record has them, and the check that applying one says what was said then."""

import contextlib
from collections.abc import Iterable, Iterator
from functools import cached_property

import msgspec

from apps.common.kernel.ids import format_stream_id
from apps.journals import keys, wire
from apps.journals.machine import Input
from apps.journals.replica import InputEntry, Replica
from apps.journals.tables import LinkBroken
from apps.journals.turn import SealedBatch


class Diverged(Exception):
    """A replica gets something else than the whole record says: another state machine made one."""

    def __init__(self, worker: str, batch: int, what: str) -> None:
        super().__init__(f"{worker}: batch {batch}: {what}")
        self.worker = worker
        self.batch = batch
        self.whole_to: int | None = None  # See `names_the_sequence`.

    def __str__(self) -> str:
        return _with_sequence(super().__str__(), self.whole_to)


class Damage(Exception):
    """The record cannot be what was written: whose it is, where it stands, and what is wrong."""

    def __init__(self, worker: str, place: str, part: str) -> None:
        super().__init__(f"{worker}: {place}: {part}")
        self.worker = worker
        self.place = place  # The stream or the file.
        self.part = part  # The batch or the entry, and what is wrong with it.
        self.whole_to: int | None = None  # See `names_the_sequence`.

    def __str__(self) -> str:
        return _with_sequence(super().__str__(), self.whole_to)


def _with_sequence(text: str, whole_to: int | None) -> str:
    return text if whole_to is None else f"{text} (whole up to sequence {whole_to})"


@contextlib.contextmanager
def names_the_sequence(replica: Replica) -> Iterator[None]:
    """Let damage that is met on the way tell the last sequence that a replica knows to be whole."""
    whole_to = replica.machine.seq
    try:
        yield
    except (Damage, Diverged) as error:
        error.whole_to = whole_to
        raise


class RecordedBatch(msgspec.Struct, frozen=True, dict=True):
    """One batch of a worker as its log and its inputs (or the archive) have it."""

    worker: str
    number: int
    header: bytes  # The log's field `h`.
    outputs: bytes  # The log's field `o`.
    inputs: list[list[InputEntry]]  # Beside the header's takes, in the order taken.
    place: str  # Where it was read from: the log stream or a segment file.

    @cached_property
    def sealed(self) -> wire.SealedHeader:
        """Return the header with its hashes."""
        try:
            return wire.decode_sealed(self.header)
        except msgspec.MsgspecError:
            raise self.damage("its header cannot be read") from None

    @cached_property
    def core(self) -> wire.Header:
        """Return what the header says."""
        try:
            return wire.decode_header(self.sealed.core)
        except msgspec.MsgspecError:
            raise self.damage("its header cannot be read") from None

    def damage(self, what: str) -> Damage:
        """Make the exception that names this batch."""
        return Damage(self.worker, self.place, f"batch {self.number}: {what}")

    def check_follows(self, hash_before: bytes) -> None:
        """Claim that header and outputs are whole, and that they follow on from this hash."""
        if self.core.batch != self.number:
            raise self.damage(f"its header says it is batch {self.core.batch}")
        if self.sealed.outputs_hash != wire.outputs_hash(self.outputs):
            raise self.damage("its outputs are not those that were hashed")
        if self.sealed.prev != hash_before:
            raise self.damage(f"it does not follow from batch {self.number - 1}: one is damaged")

    def has_its_inputs(self) -> bool:
        """Tell whether the input entries are, byte for byte, those that were taken."""
        return self.sealed.inputs_hash == wire.inputs_hash(self._frames())

    def _frames(self) -> Iterable[bytes]:
        """Yield the frames as they count for the inputs hash."""
        for take, entries in _takes(self):
            is_link = keys.is_link(take.stream)
            for _, fields in entries:
                frame = fields.get(keys.FRAME_FIELD, b"")
                yield frame + fields.get(keys.RECEIPT_FIELD, b"") if is_link else frame


def apply_recorded(replica: Replica, batch: RecordedBatch) -> SealedBatch:
    """Move a replica by a batch of the record, and claim that it gets the same in every byte."""
    batch.check_follows(replica.hash)
    core = batch.core
    if not batch.has_its_inputs():
        links = {feed.stream: feed.peer for feed in replica.feeds() if feed.kind is Input.LINK}
        raise _inputs_damage(replica, batch, links)
    if core.at_ns < replica.at_ns or core.rules != replica.rules:
        raise batch.damage("its time or its rules version goes back")
    replica.skip(core.skips)
    made = _apply(replica, batch)
    if made.header != batch.header or made.outputs != batch.outputs:
        raise Diverged(batch.worker, batch.number, _difference(made, batch))
    return made


def _apply(replica: Replica, batch: RecordedBatch) -> SealedBatch:
    try:
        replica.begin(batch.core.at_ns)
        for take, entries in _takes(batch):
            for entry, fields in entries:
                replica.take(take.stream, entry, fields)
        return replica.finish(batch.core.epoch)
    except LinkBroken as error:
        raise batch.damage(str(error)) from error
    except Exception as error:
        raise Diverged(batch.worker, batch.number, f"applying it raised {error!r}") from error


def _inputs_damage(replica: Replica, batch: RecordedBatch, links: dict[str, str]) -> Damage:
    """Name the entry whose bytes changed: exactly on a link, else as takes allow."""
    place = "" if ".seg" not in batch.place else f"{batch.place}, "
    for take, entries in _takes(batch):
        _, previous = replica.links.read.get(links.get(take.stream, ""), (0, b""))
        for (number, low), fields in entries if take.stream in links else ():
            claimed = fields.get(keys.LINK_HASH_FIELD, b"")
            made = wire.link_hash(previous, number=number, body=fields.get(keys.FRAME_FIELD, b""))
            if made != claimed:
                part = f"batch {batch.number}, entry {number}-{low}: not the bytes that were hashed"
                return Damage(batch.worker, place + take.stream, part)
            previous = claimed
    takes = [take for take in batch.core.takes if take.stream not in links]
    ranges = ", ".join(_range(take) for take in takes)
    part = f"batch {batch.number}, entry {ranges}: not the bytes that were taken"
    missing = [take.stream for take, entries in _takes(batch) if not entries]
    if missing:
        part = f"batch {batch.number}: entries of {', '.join(missing)} are gone"
    return Damage(batch.worker, place + ", ".join(missing or [t.stream for t in takes]), part)


def _range(take: wire.Take) -> str:
    first, last = format_stream_id(take.first), format_stream_id(take.last)
    return first if first == last else f"{first}…{last}"


def _takes(batch: RecordedBatch) -> Iterable[tuple[wire.Take, list[InputEntry]]]:
    return zip(batch.core.takes, batch.inputs, strict=True)


def _difference(made: SealedBatch, batch: RecordedBatch) -> str:
    mine = wire.decode_header(wire.decode_sealed(made.header).core)
    for name in mine.__struct_fields__:
        if (got := getattr(mine, name)) != (recorded := getattr(batch.core, name)):
            return f"{name} is {got!r} here and {recorded!r} in the record"
    return "other outputs here than in the record"
