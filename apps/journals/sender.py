"""Sending commands from a process that waits for no answers: the relay, operators, tests."""

import secrets
from collections.abc import Sequence

import msgspec
import redis

from apps.common.kernel.ids import StreamId, parse_stream_id
from apps.common.kernel.invariants import ensure
from apps.journals import keys, wire


def new_source() -> bytes:
    """Return the name of a sender's life: random, never used before."""
    return secrets.token_bytes(wire.SOURCE_BYTES)


class Sender:
    """Appends numbered frames. A frame whose call failed is sent again, the same, before any other.

    A relay that sends in the name of stored rows passes `source` and `numbers` from its table, so
    that its own restart sends nothing twice either.
    """

    def __init__(
        self,
        journal: redis.Redis,
        source: bytes | None = None,
        *,
        numbers: dict[str, int] | None = None,
    ) -> None:
        self.source = source or new_source()
        ensure(len(self.source) == wire.SOURCE_BYTES, "a source is eight bytes")
        self._journal = journal
        self._numbers = dict(numbers or {})  # Per stream, the last number that was appended.
        self._unsure: dict[str, bytes] = {}  # Frames that may or may not stand in their stream.

    def send(self, stream: str, commands: Sequence[msgspec.Struct]) -> StreamId:
        """Append one frame of commands; returns its id once it is durable.

        After an exception, call `resend` (or send more, which resends first): the worker drops
        a frame that it gets twice.
        """
        ensure(0 < len(commands) <= wire.RELAY_FRAME_COMMANDS_MAX, "a frame has a size")
        self.resend(stream)
        number = self._numbers.get(stream, 0) + 1
        raw = [msgspec.Raw(wire.encode(command)) for command in commands]
        self._unsure[stream] = wire.encode(wire.CommandFrame(self.source, number, raw))
        entry = self.resend(stream)
        ensure(entry is not None, "a frame that was just made is sent")
        assert entry is not None
        return entry

    def resend(self, stream: str) -> StreamId | None:
        """Append the frame again whose fate is not known. None if there is none."""
        frame = self._unsure.get(stream)
        if frame is None:
            return None
        fields = {keys.FRAME_FIELD: frame}
        entry = parse_stream_id(self._journal.xadd(stream, fields))  # type: ignore[arg-type]
        del self._unsure[stream]
        self._numbers[stream] = self._numbers.get(stream, 0) + 1
        return entry

    def to(self, worker: str, *commands: msgspec.Struct) -> StreamId:
        """Append commands to a worker's command stream."""
        return self.send(keys.commands(worker), commands)
