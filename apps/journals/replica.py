"""A worker's whole state: its machine, and all that makes delivery to it exact.

Owner, standby, replay and verify move a worker by this class and nothing else, so they cannot
disagree about what a batch means:

    replica.begin(at_ns)
    while entries: replica.take(stream, entry, fields)
    batch = replica.finish(epoch)
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from apps.common.kernel.ids import BEFORE_ALL, StreamId
from apps.common.kernel.invariants import ensure
from apps.journals import keys, state, wire
from apps.journals.codec import (
    UNREADABLE,
    Codec,
    CommandFrames,
    LinkFrames,
    Unreadable,
    decode_genesis,
    with_runtime,
)
from apps.journals.contracts import FrameRefused, LinkAdd, RulesSet, SkipCommand
from apps.journals.machine import Input, Machine, Origin
from apps.journals.tables import Links, Sources
from apps.journals.turn import LinkFrameOut, SealedBatch, Turn, encode_replies

__all__ = ["Codec", "Feed", "InputEntry", "Replica"]

RULES_AT_START = 1
RUNTIME_COMMANDS = frozenset((LinkAdd, RulesSet, SkipCommand))
InputEntry = tuple[StreamId, Mapping[bytes, bytes]]  # An entry of an input stream.


class NoMessage(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="no_message"):
    """What a worker without link messages can read on a link: `passed`, and nothing else."""


class Feed(msgspec.Struct, frozen=True):
    """A stream that a worker reads."""

    kind: Input
    stream: str
    peer: str  # Empty unless it is a link.


class Replica:
    """One worker's state after some batch, and the one way to move it on."""

    def __init__(self, worker: str, machine: Machine, codec: Codec, genesis: bytes) -> None:
        self.worker = worker
        self.machine = machine
        self.batch = 0
        self.hash = wire.genesis_hash(genesis)
        self.at_ns = 0
        self.rules = RULES_AT_START
        self.cursor: dict[str, StreamId] = {}
        self.links = Links()
        self.applying: wire.CommandId | None = None  # While commands are applied one by one.
        self.stop_at_seq: int | None = None  # Replay only: leave out what comes after it.
        self._codec = codec
        self._commands = keys.commands(worker)
        self._rules_next = self.rules
        self._rules_set_by: wire.CommandId | None = None
        self._skips: set[wire.CommandId] = set()
        self._turn: Turn | None = None
        self._closed: Turn | None = None  # The last batch's, until somebody has time to free it.
        self._naming = False
        self._make_readers()
        self._find_feeds()
        self._configure(genesis)

    # -- what it reads

    def _make_readers(self) -> None:
        self._command_readers = {
            Input.COMMANDS: CommandFrames(with_runtime(self._codec.commands)),
        }
        if self._codec.cancels is not None:
            self._command_readers[Input.CANCELS] = CommandFrames(self._codec.cancels)
        self._link_reader = LinkFrames(self._codec.links or NoMessage)
        self._sources = {kind: Sources() for kind in self._command_readers}

    def _configure(self, genesis: bytes) -> None:
        commands = decode_genesis(genesis, self._codec)
        self._heed(commands)
        self.machine.configure(commands)
        ensure(self.machine.seq == 0, "genesis commands are not counted")

    def _find_feeds(self) -> None:
        feeds = [
            Feed(Input.LINK, keys.link(peer, self.worker), peer) for peer in sorted(self.links.read)
        ]
        if self._codec.cancels is not None:
            feeds.append(Feed(Input.CANCELS, keys.cancels(self.worker), ""))
        feeds.append(Feed(Input.COMMANDS, self._commands, ""))
        self._feeds = {feed.stream: feed for feed in feeds}

    def feeds(self) -> list[Feed]:
        """Return the streams to read, in the order that a batch takes them."""
        return list(self._feeds.values())

    def taken_up_to(self, stream: str) -> StreamId:
        """Return the last entry taken from a stream."""
        return self.cursor.get(stream, BEFORE_ALL)

    # -- one batch

    def begin(self, at_ns: int) -> None:
        """Open a batch at this time (never before the last one's) and fire what is due."""
        ensure(self._turn is None, "one batch at a time")
        self.at_ns = max(at_ns, self.at_ns)
        self._turn = Turn(at_ns=self.at_ns, first_seq=self.machine.seq + 1)
        for sources in self._sources.values():
            sources.forget_silent(self.at_ns)
        self.machine.begin(self.at_ns, self._turn.out)

    def take(
        self, stream: str, entry: StreamId, fields: Mapping[bytes, bytes], *, bounded: bool = False
    ) -> bool:
        """Apply one entry of an input. False if `bounded` and the batch has no room for it."""
        feed = self._feeds[stream]
        if feed.kind is Input.LINK:
            return self._take_link_frame(feed, entry, fields, bounded=bounded)
        return self._take_command_frame(feed, entry, fields, bounded=bounded)

    def is_full(self) -> bool:
        """Tell whether the open batch has no room for one more command."""
        return self._open_turn.is_full

    @property
    def is_open(self) -> bool:
        """Whether a batch has begun and is not finished."""
        return self._turn is not None

    def finish(self, epoch: int) -> SealedBatch:
        """Close the batch: outputs, links and replies as bytes, bound to all that came before."""
        turn = self._open_turn
        self.machine.end(self.at_ns, self.taken_up_to(self._commands), turn.out)
        links = self._seal_links(turn)
        outputs = wire.encode(turn.out.events) if turn.out.events else b""
        number = self.batch + 1
        header = wire.Header(
            batch=number,
            epoch=epoch,
            first_seq=turn.first_seq,
            last_seq=self.machine.seq,
            at_ns=self.at_ns,
            rules=self.rules,
            takes=turn.takes,
            links=[wire.LinkWrite(link.peer, link.number, link.hash) for link in links],
            skips=turn.skips,
        )
        sealed = wire.seal(header, inputs=turn.frames, outputs=outputs, prev=self.hash)
        batch = self._sealed_batch(turn, header, sealed, outputs=outputs, links=links)
        self._close(turn, batch)
        return batch

    @property
    def _open_turn(self) -> Turn:
        turn = self._turn
        if turn is None:
            raise RuntimeError("no batch is open")
        return turn

    def _seal_links(self, turn: Turn) -> list[LinkFrameOut]:
        passed = self.taken_up_to(self._commands)
        frames = []
        for peer in sorted(turn.out.links):
            ensure(
                peer in self.links.written, "a worker writes only to peers that it was linked to"
            )
            body = wire.encode(wire.LinkFrame(passed, turn.out.links[peer]))  # type: ignore[arg-type]
            number, hash_ = self.links.append(peer, body)
            frames.append(LinkFrameOut(peer, number, body, hash_))
        return frames

    def _sealed_batch(
        self,
        turn: Turn,
        header: wire.Header,
        sealed: wire.SealedHeader,
        *,
        outputs: bytes,
        links: list[LinkFrameOut],
    ) -> SealedBatch:
        hash_ = sealed.hash()
        cursor = {take.stream: take.last for take in turn.takes}
        return SealedBatch(
            worker=self.worker,
            number=header.batch,
            epoch=header.epoch,
            prev=self.hash,
            hash=hash_,
            at_ns=header.at_ns,
            commands=header.last_seq - header.first_seq + 1,
            header=wire.encode(sealed),
            outputs=outputs,
            links=links,
            replies=encode_replies(
                turn.out.replies.items(), worker=self.worker, batch=header.batch, hash_=hash_
            ),
            cursor=cursor,
            takes_own_commands=self._commands in cursor,
        )

    def _close(self, turn: Turn, batch: SealedBatch) -> None:
        self.batch, self.hash = batch.number, batch.hash
        self._skips.difference_update(turn.skips)
        if self._rules_next > self.rules:
            self.applying = self._rules_set_by
            self.machine.set_rules(self._rules_next)
            self.rules = self._rules_next
        self._closed, self._turn, self.applying = turn, None, None

    def let_go(self) -> None:
        """Free the closed batch's objects: thousands, and best while the server has work to do."""
        self._closed = None

    # -- frames

    def _take_link_frame(
        self, feed: Feed, entry: StreamId, fields: Mapping[bytes, bytes], *, bounded: bool
    ) -> bool:
        turn = self._open_turn
        frame, receipt = fields.get(keys.FRAME_FIELD, b""), fields.get(keys.RECEIPT_FIELD, b"")
        try:
            read = self._link_reader.read(frame)
        except Unreadable:
            read = None
        if bounded and read is not None and not turn.has_room_for(len(read.messages)):
            return False
        claimed = fields.get(keys.LINK_HASH_FIELD, b"")
        is_new = self.links.admit(feed.peer, number=entry[0], frame=frame, claimed=claimed)
        self._note_take(turn, feed, entry, frame + receipt)
        if is_new and read is not None:
            origin = Origin(Input.LINK, entry, b"", feed.peer, read.passed, receipt)
            self._apply(turn, feed, origin, read.messages, is_whole=read.is_whole)
        elif is_new:
            self._refuse(turn, feed, entry, -1, "unreadable")
        return True

    def _take_command_frame(
        self, feed: Feed, entry: StreamId, fields: Mapping[bytes, bytes], *, bounded: bool
    ) -> bool:
        turn = self._open_turn
        frame = fields.get(keys.FRAME_FIELD, b"")
        try:
            read = self._command_readers[feed.kind].read(frame)
        except Unreadable:
            self._note_take(turn, feed, entry, frame)
            self._refuse(turn, feed, entry, -1, "unreadable")
            return True
        if bounded and not turn.has_room_for(len(read.commands)):
            return False
        self._note_take(turn, feed, entry, frame)
        refusal = self._sources[feed.kind].admit(read.source, read.number, turn.at_ns)
        if refusal is None and len(read.commands) > wire.RELAY_FRAME_COMMANDS_MAX:
            refusal = "unreadable"
        if refusal is None:
            origin = Origin(feed.kind, entry, read.source, "", BEFORE_ALL, b"")
            self._apply(turn, feed, origin, read.commands, is_whole=read.is_whole)
        elif refusal:
            self._refuse(turn, feed, entry, -1, refusal)
        return True

    def _note_take(self, turn: Turn, feed: Feed, entry: StreamId, frame: bytes) -> None:
        turn.note_take(feed.stream, entry, frame)
        self.cursor[feed.stream] = entry

    def _refuse(self, turn: Turn, feed: Feed, entry: StreamId, index: int, code: str) -> None:
        turn.out.events.append(FrameRefused(feed.stream, entry, index, code))

    # -- commands

    def _apply(
        self, turn: Turn, feed: Feed, origin: Origin, commands: list[Any], *, is_whole: bool
    ) -> None:
        """Give a frame's commands to the machine, in one call, without those that do not count."""
        turn.commands += len(commands)
        if self._naming:
            self._apply_singly(turn, feed, origin, self._sift(turn, feed, origin, commands))
            return
        if not is_whole or self._skips or self.stop_at_seq is not None:
            commands = list(self._sift(turn, feed, origin, commands).values())
        if not RUNTIME_COMMANDS.isdisjoint(map(type, commands)):
            self._heed(commands)
        if commands or origin.kind is Input.LINK:
            self.machine.apply(origin, commands, turn.at_ns, turn.out)

    def _sift(self, turn: Turn, feed: Feed, origin: Origin, commands: list[Any]) -> dict[int, Any]:
        """Leave out what is unreadable (refused as an event), skipped, or beyond `stop_at_seq`.

        What is kept is kept under its place in the frame, which is part of its name.
        """
        kept: dict[int, Any] = {}
        for index, command in enumerate(commands):
            if self.stop_at_seq is not None and self.machine.seq + len(kept) >= self.stop_at_seq:
                break
            if (command_id := wire.CommandId(feed.stream, origin.entry, index)) in self._skips:
                turn.skips.append(command_id)
            elif command is UNREADABLE:
                self._refuse(turn, feed, origin.entry, index, "unreadable")
            else:
                kept[index] = command
        return kept

    def _apply_singly(
        self, turn: Turn, feed: Feed, origin: Origin, commands: dict[int, Any]
    ) -> None:
        """Apply one by one, so that `applying` names the one that breaks. Only its name is kept."""
        partial = msgspec.structs.replace(origin, passed=BEFORE_ALL)  # All but the last.
        last = max(commands, default=-1)
        for index, command in commands.items():
            self.applying = wire.CommandId(feed.stream, origin.entry, index)
            self._heed([command])
            is_last = index == last
            self.machine.apply(origin if is_last else partial, [command], turn.at_ns, turn.out)
        self.applying = None

    def _heed(self, commands: list[Any]) -> None:
        """Do what the runtime's own commands ask. The machine gets them too, and counts them."""
        for command in commands:
            if type(command) is LinkAdd and self.links.add(command.peer):
                self._find_feeds()
            elif type(command) is RulesSet:
                self._rules_next = max(command.number, self._rules_next)
                self._rules_set_by = self.applying
            # A SkipCommand is looked up while its poison blocks the worker; here it is history.

    def skip(self, command_ids: Iterable[wire.CommandId]) -> None:
        """Step over these commands when their frames are taken; the header will name them."""
        self._skips.update(command_ids)

    @property
    def skips_waiting(self) -> frozenset[wire.CommandId]:
        """Return the commands to skip whose frames have not come yet."""
        return frozenset(self._skips)

    def name_what_breaks(self) -> None:
        """Apply one by one from here on: when it raises, `applying` names the command."""
        self._naming = True

    # -- the whole state

    def state(self) -> bytes:
        """Return everything that decides what comes next, as canonical msgpack."""
        return state.canonical(
            {
                "worker": self.worker,
                "batch": self.batch,
                "hash": self.hash,
                "at_ns": self.at_ns,
                "rules": self.rules,
                "seq": self.machine.seq,
                "cursor": {stream: list(entry) for stream, entry in self.cursor.items()},
                "sources": {kind.value: table.dump() for kind, table in self._sources.items()},
                "links": self.links.dump(),
                "machine": self.machine.dump(),
            }
        )

    def state_hash(self) -> bytes:
        """Return the SHA-256 of the state."""
        return state.digest(self.state())

    def load(self, dumped: bytes) -> None:
        """Become the replica whose `state` this was."""
        saved = state.decode(dumped)
        ensure(saved["worker"] == self.worker, "a worker loads its own state")
        self.batch, self.hash = saved["batch"], saved["hash"]
        self.at_ns, self.rules = saved["at_ns"], saved["rules"]
        self._rules_next = self.rules
        self.cursor = {stream: (high, low) for stream, (high, low) in saved["cursor"].items()}
        for kind, table in self._sources.items():
            table.load(saved["sources"][kind.value])
        self.links.load(saved["links"])
        self.machine.load(saved["machine"])
        ensure(self.machine.seq == saved["seq"], "a machine loads the seq it was saved with")
        self._find_feeds()
