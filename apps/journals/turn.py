"""One batch while it is made, and as it is once it is sealed."""

from collections.abc import Iterable

import msgspec

from apps.common.kernel.ids import StreamId
from apps.journals import wire
from apps.journals.machine import Outputs


class LinkFrameOut(msgspec.Struct, frozen=True, gc=False):
    """A link frame that a batch writes."""

    peer: str
    number: int
    frame: bytes
    hash: bytes


class SealedBatch(msgspec.Struct, frozen=True, gc=False):
    """All that one atomic call writes, and what it checks before."""

    worker: str
    number: int
    epoch: int
    prev: bytes
    hash: bytes
    at_ns: int
    commands: int  # How many counted in `seq`.
    header: bytes  # The log's field `h`.
    outputs: bytes  # The log's field `o`.
    links: list[LinkFrameOut]
    replies: dict[bytes, bytes]
    cursor: dict[str, StreamId]  # The last id taken, for the streams that this batch took from.
    takes_own_commands: bool


class Turn:
    """A batch in the making: what it has taken and said so far."""

    __slots__ = ("at_ns", "commands", "first_seq", "frames", "out", "skips", "takes")

    def __init__(self, *, at_ns: int, first_seq: int) -> None:
        self.at_ns = at_ns
        self.first_seq = first_seq
        self.out = Outputs()
        self.takes: list[wire.Take] = []
        self.frames: list[bytes] = []  # As they count for the inputs hash.
        self.skips: list[wire.CommandId] = []
        self.commands = 0

    def note_take(self, stream: str, entry: StreamId, frame: bytes) -> None:
        """Record that one more frame was taken."""
        self.frames.append(frame)
        if self.takes and self.takes[-1].stream == stream:
            self.takes[-1] = wire.Take(stream, self.takes[-1].first, entry)
        else:
            self.takes.append(wire.Take(stream, entry, entry))

    def has_room_for(self, commands: int) -> bool:
        """Tell whether a frame of so many commands fits. The first frame always does."""
        if not self.takes:
            return True
        fits = self.commands + commands <= wire.BATCH_COMMANDS_MAX
        return fits and len(self.out.events) < wire.BATCH_OUTPUT_EVENTS_MAX

    @property
    def is_full(self) -> bool:
        """Whether no further frame fits."""
        return not self.has_room_for(1)


def encode_replies(
    replies: Iterable[tuple[bytes, list[msgspec.Struct]]], *, worker: str, batch: int, hash_: bytes
) -> dict[bytes, bytes]:
    """Put the answers of a batch into one frame per source, with the batch's receipt."""
    return {
        source: wire.encode(wire.ReplyFrame(worker, batch, hash_, answers))  # type: ignore[arg-type]
        for source, answers in replies
    }
