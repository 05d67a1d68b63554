"""How a worker reads its frames: a whole frame at once, or command by command when one is bad.

The fast way decodes a frame with all its commands in one typed call. Only a frame that this refuses
is read again with each command on its own, so that one bad command spoils none of its neighbours.
"""

from typing import Any

import msgspec

from apps.common.kernel.ids import StreamId
from apps.journals import wire
from apps.journals.contracts import RuntimeCommand

UNREADABLE = None
"""Stands in a decoded frame where a command could not be read."""


class CommandsRead(msgspec.Struct, frozen=True, gc=False):
    """A command frame as the replica takes it."""

    source: bytes
    number: int
    commands: list[Any]
    is_whole: bool = True  # No command of it is UNREADABLE.


class MessagesRead(msgspec.Struct, frozen=True, gc=False):
    """A link frame as the replica takes it."""

    passed: StreamId
    messages: list[Any]
    is_whole: bool = True  # No message of it is UNREADABLE.


class Codec(msgspec.Struct, frozen=True):
    """The messages that a worker understands. The runtime's own commands need not be named."""

    commands: Any  # The union of what comes on `{w}:commands`.
    links: Any = None  # The union of what comes on links, or None for a worker without any.
    cancels: Any = None  # The union of what comes on `{w}:cancels`; None for no such stream.


class Unreadable(Exception):
    """A frame is no frame at all. The caller refuses it as an event."""


class CommandFrames:
    """Reads command frames of one union of commands."""

    def __init__(self, commands: Any) -> None:
        fields = [("source", bytes), ("number", int), ("commands", list[commands])]
        frame = msgspec.defstruct(
            "TypedCommandFrame", fields, frozen=True, gc=False, array_like=True
        )
        self._whole = msgspec.msgpack.Decoder(frame)
        self._bare = msgspec.msgpack.Decoder(wire.CommandFrame)
        self._single = msgspec.msgpack.Decoder(commands)

    def read(self, frame: bytes) -> CommandsRead:
        """Decode a frame; raises Unreadable when it is none."""
        try:
            whole: Any = self._whole.decode(frame)
            read = CommandsRead(whole.source, whole.number, whole.commands)
        except msgspec.MsgspecError:
            read = self._read_singly(frame)
        if len(read.source) != wire.SOURCE_BYTES or read.number < 1:
            raise Unreadable
        return read

    def _read_singly(self, frame: bytes) -> CommandsRead:
        try:
            bare = self._bare.decode(frame)
        except msgspec.MsgspecError:
            raise Unreadable from None
        commands = [_read_or_not(self._single, raw) for raw in bare.commands]
        return CommandsRead(bare.source, bare.number, commands, is_whole=False)


class LinkFrames:
    """Reads link frames of one union of messages."""

    def __init__(self, messages: Any) -> None:
        fields = [("passed", StreamId), ("messages", list[messages])]
        frame = msgspec.defstruct("TypedLinkFrame", fields, frozen=True, gc=False, array_like=True)
        self._whole = msgspec.msgpack.Decoder(frame)
        self._bare = msgspec.msgpack.Decoder(wire.LinkFrame)
        self._single = msgspec.msgpack.Decoder(messages)

    def read(self, frame: bytes) -> MessagesRead:
        """Decode a frame; raises Unreadable when it is none."""
        try:
            whole: Any = self._whole.decode(frame)
        except msgspec.MsgspecError:
            return self._read_singly(frame)
        return MessagesRead(whole.passed, whole.messages)

    def _read_singly(self, frame: bytes) -> MessagesRead:
        try:
            bare = self._bare.decode(frame)
        except msgspec.MsgspecError:
            raise Unreadable from None
        messages = [_read_or_not(self._single, raw) for raw in bare.messages]
        return MessagesRead(bare.passed, messages, is_whole=False)


def decode_genesis(genesis: bytes, codec: Codec) -> list[Any]:
    """Read the configuration commands that a worker starts from."""
    whole: Any = list[with_runtime(codec.commands)]  # type: ignore[misc]  # A union made at run time.
    commands: list[Any] = msgspec.msgpack.decode(genesis, type=whole)
    return commands


def with_runtime(commands: Any) -> Any:
    """Return the union of a worker's commands and the runtime's own."""
    return commands | RuntimeCommand


def _read_or_not(decoder: msgspec.msgpack.Decoder[Any], raw: msgspec.Raw) -> Any:
    try:
        return decoder.decode(raw)
    except msgspec.MsgspecError:
        return UNREADABLE
