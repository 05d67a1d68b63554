"""What stands in the streams, byte for byte, and the hash chain over it.

`docs/contracts/wire.md` is the specification of this module; `tests/journals/test_golden_bytes.py`
holds both to the same bytes. Nothing here knows Redis, Django or what a command means.
"""

import hashlib
from collections.abc import Iterable, Sequence

import msgspec

from apps.common.kernel.ids import StreamId

HASH_BYTES = 32
SOURCE_BYTES = 8
FRAME_COMMANDS_MAX = 64
RELAY_FRAME_COMMANDS_MAX = 512
BATCH_COMMANDS_MAX = 1_024
BATCH_OUTPUT_EVENTS_MAX = 4_096  # About 1 MB: an event is some 250 bytes at most.


class CommandFrame(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a source (an edge, the relay, an operator) appends to a command stream, in one entry."""

    source: bytes  # 8 random bytes, made when the source started.
    number: int  # From 1, consecutive per source and stream.
    commands: list[msgspec.Raw]


class LinkFrame(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What one worker appends to its link to another, at most once per batch."""

    passed: StreamId  # The last entry of its own command stream that the writer has taken.
    messages: list[msgspec.Raw]


class Take(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A run of whole frames that a batch took from one stream: ids inclusive."""

    stream: str
    first: StreamId
    last: StreamId


class LinkWrite(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A link frame that a batch wrote. The hash chains the link's frames among themselves."""

    peer: str
    number: int
    hash: bytes


class CommandId(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Where a command stands: stream, entry, and its place in the frame, from 0."""

    stream: str
    entry: StreamId
    index: int


class Header(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The order and the time of one batch: a batch without a header never happened."""

    batch: int  # From 1, consecutive; the log entry's id is `<batch>-0`.
    epoch: int
    first_seq: int
    last_seq: int  # first_seq - 1 when the batch holds no command.
    at_ns: int  # The only time that the state machine sees: max(previous header, clock).
    rules: int  # The rules version in force when the batch began.
    takes: list[Take]
    links: list[LinkWrite]
    skips: list[CommandId]


class SealedHeader(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A header as it stands in the log, with the hashes that bind it."""

    core: bytes  # msgpack of Header: hashed as these bytes, never re-encoded.
    inputs_hash: bytes
    outputs_hash: bytes
    prev: bytes

    def hash(self) -> bytes:
        """Return this batch's hash of the inside chain: the `journalHash` of its receipts."""
        return hashlib.sha256(self.prev + self.core + self.inputs_hash + self.outputs_hash).digest()


class ReplyFrame(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The answers of one batch to one source, with the writer's receipt."""

    engine: str
    batch: int
    hash: bytes
    replies: list[msgspec.Raw]


_encoder = msgspec.msgpack.Encoder()
_header_decoder = msgspec.msgpack.Decoder(Header)
_sealed_decoder = msgspec.msgpack.Decoder(SealedHeader)
encode = _encoder.encode
decode_header = _header_decoder.decode
decode_sealed = _sealed_decoder.decode


def genesis_hash(genesis: bytes) -> bytes:
    """Return `hash_0`: where a worker's chain starts."""
    return hashlib.sha256(genesis).digest()


def inputs_hash(frames: Iterable[bytes]) -> bytes:
    """Hash input frames as taken, each after its length, so that no two lists look alike."""
    digest = hashlib.sha256()
    for frame in frames:
        digest.update(len(frame).to_bytes(4, "big"))
        digest.update(frame)
    return digest.digest()


def outputs_hash(output_frame: bytes) -> bytes:
    """Hash a batch's output frame (empty bytes when nothing came out)."""
    return hashlib.sha256(output_frame).digest()


def link_hash(previous: bytes, *, number: int, body: bytes) -> bytes:
    """Chain a link frame to the one before it. The first frame follows 32 zero bytes."""
    return hashlib.sha256(previous + number.to_bytes(8, "big") + body).digest()


def seal(header: Header, *, inputs: Sequence[bytes], outputs: bytes, prev: bytes) -> SealedHeader:
    """Close a batch: bind its order, time, inputs and outputs to all that came before."""
    return SealedHeader(
        core=encode(header),
        inputs_hash=inputs_hash(inputs),
        outputs_hash=outputs_hash(outputs),
        prev=prev,
    )
