"""The archive's files: batches with their inputs, compressed in chunks that chain by hash.

A segment `<first batch>.seg` is a run of chunks, appended and fsynced one at a time:

    magic · first batch · last batch · body length · digest of the chunk before · body · digest

The digest is the SHA-256 of all that stands before it in the chunk; the first chunk of a worker
follows its genesis hash, which stands beside the segments as `genesis`.
"""

import hashlib
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from apps.journals.recorded import Damage, RecordedBatch
from apps.journals.replica import InputEntry

MAGIC = b"FBS1"
SUFFIX = ".seg"
_HEAD = struct.Struct(">4sQQI32s")
_DIGEST_BYTES = 32


class ArchivedBatch(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One batch in a chunk."""

    number: int
    header: bytes
    outputs: bytes
    inputs: list[list[InputEntry]]


class ChunkHead(msgspec.Struct, frozen=True):
    """Where a chunk stands, and what it says it holds."""

    path: Path
    offset: int
    first: int
    last: int
    body_bytes: int
    prev: bytes

    @property
    def end(self) -> int:
        """Return the offset behind the chunk."""
        return self.offset + _HEAD.size + self.body_bytes + _DIGEST_BYTES


_decode_batches = msgspec.msgpack.Decoder(list[ArchivedBatch]).decode


class Torn(Exception):
    """A file ends in the middle of a chunk: after a crash, or while it is appended to."""


def make_chunk(batches: list[ArchivedBatch], *, prev: bytes) -> tuple[bytes, bytes]:
    """Return a chunk's bytes, and its digest."""
    body = zlib.compress(msgspec.msgpack.encode(batches), level=1)
    head = _HEAD.pack(MAGIC, batches[0].number, batches[-1].number, len(body), prev)
    digest = hashlib.sha256(head + body).digest()
    return head + body + digest, digest


def heads(path: Path) -> Iterator[ChunkHead]:
    """Yield the chunks of a file by their heads alone; raises Torn at an unfinished end."""
    size = path.stat().st_size
    with path.open("rb") as file:
        offset = 0
        while offset < size:
            head = _read_head(file, path, offset)
            if head.end > size:
                raise Torn
            yield head
            offset = head.end


def _read_head(file: BinaryIO, path: Path, offset: int) -> ChunkHead:
    file.seek(offset)
    raw = file.read(_HEAD.size)
    if len(raw) < _HEAD.size:
        raise Torn
    magic, first, last, length, prev = _HEAD.unpack(raw)
    if magic != MAGIC or last < first:
        raise Damage(path.parent.name, str(path), f"byte {offset}: no chunk begins here")
    return ChunkHead(path, offset, first, last, length, prev)


def read_chunk(head: ChunkHead, worker: str) -> tuple[list[RecordedBatch], bytes]:
    """Return a chunk's batches and its digest; raises Damage for a changed byte."""
    with head.path.open("rb") as file:
        file.seek(head.offset)
        raw = file.read(head.end - head.offset)
    digest = raw[-_DIGEST_BYTES:]
    if hashlib.sha256(raw[:-_DIGEST_BYTES]).digest() != digest:
        part = f"batches {head.first} to {head.last}: not the bytes that were written"
        raise Damage(worker, str(head.path), part)
    batches = _decode_batches(zlib.decompress(raw[_HEAD.size : -_DIGEST_BYTES]))
    return [
        RecordedBatch(worker, b.number, b.header, b.outputs, b.inputs, str(head.path))
        for b in batches
    ], digest
