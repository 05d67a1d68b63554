"""What a state machine is to the runtime: one knows no orders, the other no streams.

The runtime keeps what makes delivery exact (sources, links, cursors, hashes); the machine keeps the
state its commands change. Both together are what a snapshot saves and a state hash covers.
"""

from collections import defaultdict
from collections.abc import Sequence
from enum import Enum
from typing import Protocol

import msgspec

from apps.common.kernel.ids import StreamId


class Input(Enum):
    """The kinds of streams a machine is fed from, in the order a batch takes them."""

    LINK = "link"
    CANCELS = "cancels"
    COMMANDS = "commands"


class Origin(msgspec.Struct, frozen=True, gc=False):
    """Where a run of commands came from: one frame, or the part of it that is applied."""

    kind: Input
    entry: StreamId  # The stream entry's id; for a link frame (number, 0).
    source: bytes  # Who asked, for replies; empty for a link.
    peer: str  # The worker that wrote a link frame; empty for commands.
    passed: StreamId  # Link frames: how far the peer has read its own command stream.
    receipt: bytes  # Link frames: the peer's batch hash. Empty for commands.


class Outputs:
    """What one batch says: events to its log, messages to peers, replies to sources.

    A peer's or a source's list is there once something is put into it: who says much may append to
    it without a call.
    """

    __slots__ = ("events", "links", "replies")

    def __init__(self) -> None:
        self.events: list[msgspec.Struct] = []
        self.links: defaultdict[str, list[msgspec.Struct]] = defaultdict(list)
        self.replies: defaultdict[bytes, list[msgspec.Struct]] = defaultdict(list)

    def send(self, peer: str, message: msgspec.Struct) -> None:
        """Put a message on the link to a peer, after those already there."""
        self.links[peer].append(message)

    def touch(self, peer: str) -> None:
        """Write a link frame to a peer even without a message: it tells how far we have read."""
        self.links.setdefault(peer, [])

    def reply(self, source: bytes, reply: msgspec.Struct) -> None:
        """Answer a source. Replies leave after the batch is durable, and are in no hash."""
        self.replies[source].append(reply)


class Machine(Protocol):
    """A deterministic state machine. No clock, no dice, no I/O; raises only `InvariantBroken`."""

    seq: int  # Commands applied since genesis; the machine counts each one it is given.

    def configure(self, commands: Sequence[msgspec.Struct]) -> None:
        """Apply the genesis commands: no outputs, no sequence numbers, time 0."""

    def begin(self, at_ns: int, out: Outputs) -> None:
        """Fire what became due by `at_ns`."""

    def apply(
        self, origin: Origin, commands: Sequence[msgspec.Struct], at_ns: int, out: Outputs
    ) -> None:
        """Move the state by these commands, in order; what callers can cause is answered.

        The runtime's own commands are among them, and count: a machine must know its links.
        """

    def end(self, at_ns: int, passed: StreamId, out: Outputs) -> None:
        """Say what is said once per batch; `passed`: the last entry taken of our own commands."""

    def due_ns(self) -> int | None:
        """Return when the next timer is due by header time, or None."""

    def set_rules(self, number: int) -> None:
        """Behave by this rules version from now on."""

    def dump(self) -> object:
        """Return the state as plain lists, maps, strings and 64-bit integers (`money.wide`)."""

    def load(self, state: object) -> None:
        """Take the place of the machine whose `dump` this was."""

    def check(self) -> None:
        """Claim what must hold between two batches; raises `InvariantBroken`."""
